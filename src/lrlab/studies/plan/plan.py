"""The seeds of a study: those that settings are chosen with and those of the final runs."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from lrlab._checks import to_integer
from lrlab.errors import StudyError, format_suggestion
from lrlab.problems import Problem, Trainable
from lrlab.schedules import Schedule, parse, to_text
from lrlab.studies.plan.defaults import BASELINE
from lrlab.studies.plan.grid import Grid, check_grid, find_varied_hyperparameters
from lrlab.training import Settings, context
from lrlab.training.engines import Engine
from lrlab.training.loop import select_schedule_metric

TUNING_STREAM, FINAL_STREAM = 0, 1


def draw_seeds(study_seed: int, stream: int, count: int) -> tuple[int, ...]:
    """The first seeds of a stream; more of them begin with the same.

    No seed is in both streams: those of ``TUNING_STREAM`` are even, those of ``FINAL_STREAM`` odd.

    Args:
        study_seed: the seed of the study, 0 or more.
        stream: ``TUNING_STREAM`` or ``FINAL_STREAM``.
        count: how many.

    Source: numpy.random.SeedSequence and its ``spawn``.

    >>> draw_seeds(0, FINAL_STREAM, 3)[:2] == draw_seeds(0, FINAL_STREAM, 2)
    True
    """
    sequence = np.random.SeedSequence(study_seed).spawn(2)[stream]
    word_count = count
    while True:  # of 32 bits each, so that two may be equal: some more are drawn then
        words = sequence.generate_state(word_count).astype(np.int64)
        seeds = dict.fromkeys(((words & ~1) | stream).tolist())
        if len(seeds) >= count:
            return tuple(seeds)[:count]
        word_count += count - len(seeds)


LOOP_ENGINE = Engine("loop")
SCORE_RULES = ("final", "best")
_MAX_SEEDS = 100_000
_PLAN_VERSION = 1
"""Raised when other runs come to follow from the same plan."""


@dataclass(frozen=True)
class Protocol:
    """How schedules are compared.

    Args:
        seeds: how many fresh seeds each schedule is run with at the settings chosen for it, 1 or
            more; 30, because fewer show half a point in a hundred rows rarely.
        tuning_seeds: how many seeds the settings are chosen with, 1 or more.
        grid_extensions: how many rates may be added at either end of the grid for a schedule whose best
            rate is the last one there, 0 or more.
        score: of a run: ``"final"``, that after the last epoch, or ``"best"``, that after the epoch
            which was best on the rows held out for validation.
        seed: from which all of the study's seeds are drawn, 0 or more.

    Raises:
        StudyError: one of them is out of its range.
    """

    seeds: int = 30
    tuning_seeds: int = 20
    grid_extensions: int = 3
    score: str = "final"
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "seeds": (1, _MAX_SEEDS, 30),
            "tuning_seeds": (1, _MAX_SEEDS, 20),
            "grid_extensions": (0, 20, 3),
            "seed": (0, 2**63 - 1, 0),
        }
        for name, (minimum, maximum, default) in ranges.items():
            number = to_integer(getattr(self, name))
            if number is None or not minimum <= number <= maximum:
                raise StudyError(
                    f"{name} must be a whole number from {minimum} to {maximum}, got "
                    f"{getattr(self, name)}; {default} is usual."
                )
            object.__setattr__(self, name, number)
        if self.score not in SCORE_RULES:
            hint = format_suggestion(str(self.score), SCORE_RULES)
            raise StudyError(
                f"the score must be {' or '.join(SCORE_RULES)}, got {self.score}{hint}."
            )


DEFAULT_PROTOCOL = Protocol()


@dataclass(frozen=True, eq=False)
class Plan:
    """What is compared, and how.

    Args:
        problem: what is trained.
        schedules: the baseline and what is compared to it, each once.
        grid: the settings that every schedule is tried with; of one there is nothing to choose.
        protocol: how they are compared.
        engine: what trains the runs, all of them: numbers of two engines are never compared.
    """

    problem: Trainable
    schedules: tuple[Schedule, ...]
    grid: Grid
    protocol: Protocol = DEFAULT_PROTOCOL
    engine: Engine = LOOP_ENGINE

    @property
    def is_tuned(self) -> bool:
        """Whether each schedule's settings are chosen from several."""
        return len(self.grid) > 1

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """The seeds that settings are chosen with."""
        return draw_seeds(self.protocol.seed, TUNING_STREAM, self.protocol.tuning_seeds)

    @property
    def final_seeds(self) -> tuple[int, ...]:
        """The seeds of the final runs."""
        return draw_seeds(self.protocol.seed, FINAL_STREAM, self.protocol.seeds)

    @cached_property
    def id(self) -> str:
        """Eight hex digits, the same for all that are the same study."""
        content = {
            "plan_version": _PLAN_VERSION,
            "problem": self.problem.fingerprint,
            "engine": str(self.engine),
            "plan": self.to_dict(),
        }
        return hash_json(content)[:8]

    def to_dict(self) -> dict[str, Any]:
        """All but problem and engine, as what JSON can hold; ``read`` is the way back."""
        protocol = {
            name: value
            for name, value in vars(self.protocol).items()
            if self.is_tuned or name not in ("tuning_seeds", "grid_extensions")
        }
        return {
            "schedules": [to_text(schedule) for schedule in self.schedules],
            "grid": [settings.to_dict() for settings in self.grid],
            "protocol": protocol,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any], problem: Trainable, engine: Engine) -> Self:
        """The plan that ``data`` was made of."""
        return cls(
            problem,
            tuple(parse(text) for text in data["schedules"]),
            tuple(Settings(**settings) for settings in data["grid"]),
            Protocol(**data["protocol"]),
            engine,
        )


def build_plan(
    problem: Trainable,
    schedules: Iterable[Schedule],
    grid: Settings | Iterable[Settings],
    protocol: Protocol = DEFAULT_PROTOCOL,
    engine: Engine = LOOP_ENGINE,
) -> Plan:
    """The plan to compare these schedules and the baseline, checked before anything is trained.

    Args:
        problem: what is trained.
        schedules: what is compared to the baseline.
        grid: the hyperparameters, or several sets of them, of which each schedule gets its best.
        protocol: how they are compared.
        engine: what trains the runs.

    Raises:
        StudyError: the grid is none, or no rows are held out though they are needed, or a schedule
            has no peak.
        ScheduleError: a schedule cannot be bound to this training, or cannot be written as text.
        TrainingError: a schedule reads a metric that this training does not have, or no training
            rows are left when those for validation are held out, or the steps of a training
            function are counted.
    """
    checked_grid = check_grid((grid,) if isinstance(grid, Settings) else grid)
    _check_validation(checked_grid, protocol)
    unique_schedules = tuple(dict.fromkeys((BASELINE, *schedules)))
    if isinstance(problem, Problem):  # a training function holds rows out itself
        checked_grid[0].count_validation_rows(problem.train_rows)
    else:
        context.check_function_settings(checked_grid[0])
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
    return Plan(problem, unique_schedules, checked_grid, protocol, engine)


def scale_to_unit_peak(schedule: Schedule, grid: Grid, train_rows: int) -> Schedule:
    """The schedule divided by the highest factor that it uses, so that base rates are peak rates.

    One with an absolute ``Rate`` in it is left as it is: where that rules no base rate moves it.

    Raises:
        StudyError: it is 0 at every step that it is used at.

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
            f"{schedule} is 0 at each of its {len(steps)} steps, so it has no peak rate; train "
            "longer, or leave it out."
        )
    return (1 / peak) * schedule


def hash_json(value: Any) -> str:
    """Of what JSON can hold: the same whatever the order of its names."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _check_validation(grid: Sequence[Settings], protocol: Protocol) -> None:
    if grid[0].validation_size:
        return
    reason = (
        f"the best of {len(grid)} settings ({', '.join(find_varied_hyperparameters(tuple(grid)))}) is chosen"
        if len(grid) > 1
        else "the best epoch of a run is chosen"
        if protocol.score == "best"
        else ""
    )
    if reason:
        raise StudyError(
            f"{reason} by rows held out of training, but none are: give --validation a share of "
            "the training rows above 0, such as 0.2."
        )
