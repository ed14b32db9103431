"""The plan of a study: problem, schedules, grid, protocol and seeds, checked before training."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from lrlab._checks import to_integer
from lrlab.errors import StudyError, format_suggestion
from lrlab.problems import Trainable
from lrlab.problems.fingerprint import fingerprint_classes
from lrlab.schedules import Schedule, parse, to_text
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import Grid, check_grid, find_varied_hyperparameters
from lrlab.training import Settings
from lrlab.training.engines import Engine, LoopEngine
from lrlab.training.loop import select_schedule_metric
from lrlab.training.settings import check_settings

TUNING_STREAM, FINAL_STREAM = 0, 1
LOOP_ENGINE = LoopEngine()
SCORE_RULES = ("final", "best")
MAX_SEEDS = 100_000
"""The largest number of seeds of a study."""

_PLAN_VERSION = 1
"""Increased whenever the same plan leads to other runs."""


@dataclass(frozen=True)
class Protocol:
    """The protocol of a comparison.

    Args:
        seeds: number of fresh seeds for the final runs of each schedule, 1 or more. Fewer than the
            default of 30 rarely detect half a point in a hundred rows.
        tuning_seeds: number of seeds used for tuning, 1 or more.
        grid_extensions: number of learning rates that may be added at either end of the grid for a
            schedule whose best learning rate is at that end, 0 or more.
        score: of a run: ``"final"`` after the last epoch, or ``"best"`` after the epoch with the
            best validation score.
        seed: seed of the whole study, from which all others derive, 0 or more.

    Raises:
        StudyError: an argument is out of its range.
    """

    seeds: int = 30
    tuning_seeds: int = 20
    grid_extensions: int = 3
    score: str = "final"
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "seeds": (1, MAX_SEEDS, 30),
            "tuning_seeds": (1, MAX_SEEDS, 20),
            "grid_extensions": (0, 20, 3),
            "seed": (0, 2**63 - 1, 0),
        }
        for name, (minimum, maximum, default) in ranges.items():
            number = to_integer(getattr(self, name))
            if number is None or not minimum <= number <= maximum:
                raise StudyError(
                    f"`{name}` must be a whole number from {minimum} to {maximum}, got "
                    f"{getattr(self, name)}; the default is {default}."
                )
            object.__setattr__(self, name, number)
        if self.score not in SCORE_RULES:
            hint = format_suggestion(str(self.score), SCORE_RULES) or "."
            raise StudyError(f"`score` must be {' or '.join(SCORE_RULES)}, got {self.score}{hint}")


DEFAULT_PROTOCOL = Protocol()


@dataclass(frozen=True, eq=False)
class Plan:
    """The plan of a study.

    Args:
        problem: what is trained.
        schedules: the baseline and the schedules compared with it, without duplicates.
        grid: the settings to try with every schedule; a single one means no tuning.
        protocol: how schedules are compared.
        engine: what trains all runs; numbers of two engines are never compared.
        class_fingerprints: of users' classes in the schedules, by the names of the classes.
    """

    problem: Trainable
    schedules: tuple[Schedule, ...]
    grid: Grid
    protocol: Protocol = DEFAULT_PROTOCOL
    engine: Engine = LOOP_ENGINE
    class_fingerprints: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_tuned(self) -> bool:
        """Whether settings are tuned: selected from several for each schedule."""
        return len(self.grid) > 1

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """The seeds used for tuning."""
        return draw_seeds(self.protocol.seed, TUNING_STREAM, self.protocol.tuning_seeds)

    @property
    def final_seeds(self) -> tuple[int, ...]:
        """The seeds of the final runs."""
        return draw_seeds(self.protocol.seed, FINAL_STREAM, self.protocol.seeds)

    @cached_property
    def id(self) -> str:
        """Eight hex digits, the same for equal studies."""
        content = {
            "plan_version": _PLAN_VERSION,
            "problem": self.problem.fingerprint,
            "engine": str(self.engine),
            "plan": self.to_dict(),
        }
        return hash_json(content)[:8]

    def describe_schedule(self, schedule: Schedule) -> dict[str, Any]:
        """Return what the rates of a schedule depend on: its text, and the code of users' classes.

        Without such a class it is the text alone.
        """
        names = {type(part).__name__ for part in schedule.walk()} & self.class_fingerprints.keys()
        classes = {name: self.class_fingerprints[name] for name in names}
        return {"schedule": to_text(schedule)} | ({"classes": classes} if classes else {})

    def to_dict(self) -> dict[str, Any]:
        """Return everything but problem and engine as JSON types, see ``from_dict``."""
        protocol = {
            name: value
            for name, value in vars(self.protocol).items()
            if self.is_tuned or name not in ("tuning_seeds", "grid_extensions")
        }
        classes = {"classes": dict(self.class_fingerprints)} if self.class_fingerprints else {}
        return {
            "schedules": [to_text(schedule) for schedule in self.schedules],
            "grid": [settings.to_dict() for settings in self.grid],
            "protocol": protocol,
            **classes,
        }

    @classmethod
    def from_dict(
        cls,
        data: dict[str, Any],
        problem: Trainable,
        engine: Engine,
        class_fingerprints: Mapping[str, str] | None = None,
    ) -> Self:
        """Rebuild the plan that ``to_dict`` was called on.

        Args:
            data: what it returned.
            problem, engine: of the plan.
            class_fingerprints: those in ``data`` to show what has been trained; if omitted, those
                of the classes as they are now, with which the plan is trained.
        """
        schedules = tuple(parse(text) for text in data["schedules"])
        return cls(
            problem,
            schedules,
            tuple(Settings(**settings) for settings in data["grid"]),
            Protocol(**data["protocol"]),
            engine,
            fingerprint_classes(schedules) if class_fingerprints is None else class_fingerprints,
        )


def build_plan(
    problem: Trainable,
    schedules: Iterable[Schedule],
    grid: Settings | Iterable[Settings],
    protocol: Protocol = DEFAULT_PROTOCOL,
    engine: Engine = LOOP_ENGINE,
) -> Plan:
    """Plan the comparison of some schedules with the baseline, and check it before training.

    Args:
        problem: what is trained.
        schedules: what is compared with the baseline.
        grid: the settings of all runs, or several of them to select from for each schedule.
        protocol: how schedules are compared.
        engine: what trains the runs.

    Raises:
        StudyError: the grid is empty, validation rows are needed but there are none, or a schedule
            has no peak.
        ScheduleError: a schedule cannot be bound to this training, or cannot be written as text.
        TrainingError: a schedule needs a metric that this training does not have, validation leaves
            no training rows, or a training function is to step its scheduler every step.
    """
    checked_grid = check_grid((grid,) if isinstance(grid, Settings) else grid)
    _check_validation(checked_grid, protocol)
    unique_schedules = tuple(dict.fromkeys((BASELINE, *schedules)))
    check_settings(problem, checked_grid[0])
    for schedule in unique_schedules:
        to_text(schedule)
        select_schedule_metric([schedule], checked_grid[0], problem)
        for settings in checked_grid:
            settings.bind(schedule, problem.train_rows)
    if len(checked_grid) > 1:
        unique_schedules = tuple(
            dict.fromkeys(
                scale_to_unit_peak(s, checked_grid, problem.train_rows) for s in unique_schedules
            )
        )
    class_fingerprints = fingerprint_classes(unique_schedules)
    return Plan(problem, unique_schedules, checked_grid, protocol, engine, class_fingerprints)


def scale_to_unit_peak(schedule: Schedule, grid: Grid, train_rows: int) -> Schedule:
    """Divide a schedule by its highest factor, so that the learning rate of a grid is its peak.

    A schedule with an ``Absolute`` level stays as it is, since the learning rate does not scale it.

    Raises:
        StudyError: the schedule is 0 at every step.

    >>> from lrlab.schedules import Linear
    >>> scale_to_unit_peak(Linear(0.5, 0.0), (Settings(epochs=10),), train_rows=100)
    2.0 * Linear(0.5, 0.0)
    """
    settings = grid[0]
    steps = range(settings.epochs * settings.count_steps_per_epoch(train_rows))
    peak = float(settings.bind(schedule, train_rows)(list(steps), base=1.0).max())
    if not schedule.is_relative or abs(peak - 1) < 1e-9:
        return schedule
    if peak == 0:
        raise StudyError(
            f"{schedule} is 0 at each of its {len(steps)} steps, so it has no peak; train longer "
            "or omit it."
        )
    return (1 / peak) * schedule


def draw_seeds(study_seed: int, stream: int, count: int) -> tuple[int, ...]:
    """Return the first seeds of a stream; a larger ``count`` only appends to them.

    The streams are disjoint: seeds of ``TUNING_STREAM`` are even, those of ``FINAL_STREAM`` odd.

    Args:
        study_seed: the seed of the study, 0 or more.
        stream: ``TUNING_STREAM`` or ``FINAL_STREAM``.
        count: number of seeds.

    Source: numpy.random.SeedSequence and its ``spawn``.

    >>> draw_seeds(0, FINAL_STREAM, 3)[:2] == draw_seeds(0, FINAL_STREAM, 2)
    True
    """
    sequence = np.random.SeedSequence(study_seed).spawn(2)[stream]
    word_count = count
    while True:  # 32 bits each, so two may be equal: then draw more
        words = sequence.generate_state(word_count).astype(np.int64)
        seeds = dict.fromkeys(((words & ~1) | stream).tolist())
        if len(seeds) >= count:
            return tuple(seeds)[:count]
        word_count += count - len(seeds)


def hash_json(value: Any) -> str:
    """Return a hash of a JSON value that does not depend on the order of keys."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _check_validation(grid: Sequence[Settings], protocol: Protocol) -> None:
    if grid[0].validation_size:
        return
    varied = ", ".join(find_varied_hyperparameters(tuple(grid)))
    reason = (
        f"selecting the best of {len(grid)} settings ({varied})"
        if len(grid) > 1
        else "selecting the best epoch of a run"
        if protocol.score == "best"
        else ""
    )
    if reason:
        raise StudyError(
            f"{reason} needs validation rows, got `validation_size=0`; set it to a fraction of the "
            "training rows, such as 0.2."
        )
