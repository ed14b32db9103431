"""The plan of a study: what is compared and by which protocol. Its runs follow from it."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from lrlab.errors import StudyError, did_you_mean
from lrlab.problems import AnyProblem, Problem
from lrlab.schedules import Schedule, parse, to_text
from lrlab.schedules.numbers import whole
from lrlab.studies.defaults import BASELINE
from lrlab.studies.grid import Grid, checked, varied
from lrlab.studies.seeds import OF_FINAL, OF_TUNING, seeds_of
from lrlab.training import Settings, functions
from lrlab.training.engines import Engine
from lrlab.training.watching import watched

LOOP = Engine("loop")
SCORES = ("final", "best")
_MOST_SEEDS = 100_000
_RULES = 1
"""Raised when other runs come to follow from the same plan."""


@dataclass(frozen=True)
class Protocol:
    """How schedules are compared.

    Args:
        seeds: how many fresh seeds each schedule is run with at the settings chosen for it, 1 or
            more; 30, because fewer show half a point in a hundred rows rarely.
        tuning_seeds: how many seeds the settings are chosen with, 1 or more.
        widenings: how many rates may be added at either end of the grid for a schedule whose best
            rate is the last one there, 0 or more.
        score: of a run: ``"final"``, that after the last epoch, or ``"best"``, that after the epoch
            which was best on the rows held out for validation.
        seed: from which all of the study's seeds are drawn, 0 or more.

    Raises:
        StudyError: one of them is out of its range.
    """

    seeds: int = 30
    tuning_seeds: int = 20
    widenings: int = 3
    score: str = "final"
    seed: int = 0

    def __post_init__(self) -> None:
        ranges = {
            "seeds": (1, _MOST_SEEDS, 30),
            "tuning_seeds": (1, _MOST_SEEDS, 20),
            "widenings": (0, 20, 3),
            "seed": (0, 2**63 - 1, 0),
        }
        for name, (least, most, usual) in ranges.items():
            number = whole(getattr(self, name))
            if number is None or not least <= number <= most:
                raise StudyError(
                    f"{name} must be a whole number from {least} to {most}, got "
                    f"{getattr(self, name)}; {usual} is usual."
                )
            object.__setattr__(self, name, number)
        if self.score not in SCORES:
            hint = did_you_mean(str(self.score), SCORES)
            raise StudyError(f"the score must be {' or '.join(SCORES)}, got {self.score}{hint}.")


USUAL = Protocol()


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

    problem: AnyProblem
    schedules: tuple[Schedule, ...]
    grid: Grid
    protocol: Protocol = USUAL
    engine: Engine = LOOP

    @property
    def tuned(self) -> bool:
        """Whether each schedule's settings are chosen from several."""
        return len(self.grid) > 1

    @property
    def tuning_seeds(self) -> tuple[int, ...]:
        """The seeds that settings are chosen with."""
        return seeds_of(self.protocol.seed, OF_TUNING, self.protocol.tuning_seeds)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the final runs."""
        return seeds_of(self.protocol.seed, OF_FINAL, self.protocol.seeds)

    @cached_property
    def id(self) -> str:
        """Eight hex digits, the same for all that are the same study."""
        what = {
            "rules": _RULES,
            "problem": self.problem.fingerprint,
            "engine": str(self.engine),
            "plan": self.described(),
        }
        return hashed(what)[:8]

    def described(self) -> dict[str, Any]:
        """All but problem and engine, as what JSON can hold; ``read`` is the way back."""
        protocol = {
            name: value
            for name, value in vars(self.protocol).items()
            if self.tuned or name not in ("tuning_seeds", "widenings")
        }
        return {
            "schedules": [to_text(schedule) for schedule in self.schedules],
            "grid": [settings.described() for settings in self.grid],
            "protocol": protocol,
        }

    @classmethod
    def read(cls, described: dict[str, Any], problem: AnyProblem, engine: Engine) -> Self:
        """The plan that ``described`` was made of."""
        return cls(
            problem,
            tuple(parse(text) for text in described["schedules"]),
            tuple(Settings(**settings) for settings in described["grid"]),
            Protocol(**described["protocol"]),
            engine,
        )


def plan(
    problem: AnyProblem,
    schedules: Iterable[Schedule],
    grid: Settings | Iterable[Settings],
    protocol: Protocol = USUAL,
    engine: Engine = LOOP,
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
    settings = checked((grid,) if isinstance(grid, Settings) else grid)
    _refuse_without_validation(settings, protocol)
    once = tuple(dict.fromkeys((BASELINE, *schedules)))
    if isinstance(problem, Problem):  # a training function holds rows out itself
        settings[0].held_out(problem.train_rows)
    else:
        functions.check(settings[0])
    for schedule in once:
        to_text(schedule)
        watched([schedule], settings[0], problem)
        for each in settings:
            each.bind(schedule, problem.train_rows)
    if len(settings) > 1:
        once = tuple(dict.fromkeys(to_peak_1(s, settings, problem.train_rows) for s in once))
    return Plan(problem, once, settings, protocol, engine)


def to_peak_1(schedule: Schedule, grid: Grid, rows: int) -> Schedule:
    """The schedule divided by the highest factor that it uses, so that base rates are peak rates.

    One with an absolute ``Rate`` in it is left as it is: where that rules no base rate moves it.

    Raises:
        StudyError: it is 0 at every step that it is used at.

    >>> from lrlab.schedules import Linear
    >>> to_peak_1(Linear(0.5, 0.0), (Settings(epochs=10),), rows=100)
    2.0 * Linear(0.5, 0.0)
    """
    settings = grid[0]
    steps = range(settings.epochs * settings.steps_per_epoch(rows))
    peak = float(settings.bind(schedule, rows)(list(steps), base=1.0).max())
    if not schedule.relative or abs(peak - 1) < 1e-9:
        return schedule
    if peak == 0:
        raise StudyError(
            f"{schedule} is 0 at each of its {len(steps)} steps, so it has no peak rate; train "
            "longer, or leave it out."
        )
    return (1 / peak) * schedule


def hashed(what: Any) -> str:
    """Of what JSON can hold: the same whatever the order of its names."""
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _refuse_without_validation(grid: Sequence[Settings], protocol: Protocol) -> None:
    if grid[0].validation:
        return
    needed = (
        f"the best of {len(grid)} settings ({', '.join(varied(tuple(grid)))}) is chosen"
        if len(grid) > 1
        else "the best epoch of a run is chosen"
        if protocol.score == "best"
        else ""
    )
    if needed:
        raise StudyError(
            f"{needed} by rows held out of training, but none are: give --validation a share of "
            "the training rows above 0, such as 0.2."
        )
