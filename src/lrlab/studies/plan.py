"""The plan of a study: which runs it has, each with an id computed from what it is."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lrlab.errors import StudyError
from lrlab.problems import AnyProblem, Problem
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    Schedule,
    Warmup,
    to_text,
)
from lrlab.studies.grid import Grid, checked
from lrlab.training import Result, Run, Settings
from lrlab.training.engines import Engine
from lrlab.training.watching import watched

BASELINE = Constant(1.0)
"""What every schedule is compared to: the rate as it was given, throughout."""

LOOP = Engine("loop")
_MOST_SEEDS = 100_000


def default_schedules(settings: Settings) -> tuple[Schedule, ...]:
    """The constant rate, the tutorial's three, a cosine, and a warm-up before one.

    The tutorial steps its scheduler once an epoch; stepped more often, its schedules still count
    epochs.

    >>> for schedule in default_schedules(Settings()):
    ...     print(schedule)
    Constant(1.0)
    Linear(1.0, 0.5, over=30)
    Exponential(0.99)
    InverseTime(0.01)
    Cosine()
    Warmup("10%") >> Cosine()
    """
    by_step = settings.per == "step"
    return (
        BASELINE,
        Linear(1.0, 0.5, over="30ep" if by_step else 30),
        Exponential(0.99, every="1ep" if by_step else 1),
        InverseTime(0.01, every="1ep" if by_step else 1),
        Cosine(),
        Warmup("10%") >> Cosine(),
    )


@dataclass(frozen=True, eq=False)
class Plan:
    """Every schedule with every settings of the grid, over the same seeds.

    Args:
        problem: what is trained.
        settings: the grid, the same for every schedule.
        schedules: the baseline and what is compared to it, each once.
        seeds: those of the runs of each schedule; runs of one seed form a pair.
        engine: what trains them, all of them: numbers of two engines are never compared.
    """

    problem: AnyProblem
    settings: Grid
    schedules: tuple[Schedule, ...]
    seeds: tuple[int, ...]
    engine: Engine = LOOP

    @cached_property
    def runs(self) -> dict[str, Run]:
        """The runs by their ids: schedule after schedule, settings after settings."""
        texts = {schedule: to_text(schedule) for schedule in self.schedules}
        described = [(settings, settings.described()) for settings in self.settings]
        return {
            self._id(text, words, seed): Run(schedule, settings, seed)
            for schedule, text in texts.items()
            for settings, words in described
            for seed in self.seeds
        }

    def by_candidate(
        self, results: Mapping[str, Result]
    ) -> dict[tuple[Schedule, Settings], list[Result]]:
        """Results by id, all of them, a list per schedule and settings, in the order of seeds."""
        ids = iter(self.runs)
        return {
            (schedule, settings): [results[next(ids)] for _ in self.seeds]
            for schedule in self.schedules
            for settings in self.settings
        }

    def by_schedule(self, results: Mapping[str, Result]) -> dict[Schedule, list[Result]]:
        """Results by id, all of them, as one list per schedule in the order of the runs."""
        grouped: dict[Schedule, list[Result]] = {schedule: [] for schedule in self.schedules}
        for (schedule, _), own in self.by_candidate(results).items():
            grouped[schedule] += own
        return grouped

    def _id(self, schedule: str, settings: Mapping[str, Any], seed: int) -> str:
        """The id of a run: a hash of all that its numbers depend on."""
        what = {
            "problem": self.problem.fingerprint,
            "schedule": schedule,
            "settings": settings,
            "seed": seed,
            "engine": str(self.engine),
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def plan(
    problem: AnyProblem,
    schedules: Iterable[Schedule],
    settings: Settings | Iterable[Settings],
    seeds: int,
    engine: Engine = LOOP,
) -> Plan:
    """The study of these schedules and the baseline over seeds 0, 1, ... of the given number.

    Args:
        problem: what is trained.
        schedules: what is compared to the baseline.
        settings: the hyperparameters, or a grid of them, of which each schedule is judged at its
            best.
        seeds: how many runs each schedule has with each settings.
        engine: what trains them.

    Raises:
        StudyError: there are no seeds, or more than 100 000; or the grid is none.
        ScheduleError: a schedule cannot be bound to this training, or cannot be written as text.
        TrainingError: a schedule reads a metric that this training does not have, or no training
            rows are left when those for validation are held out.
    """
    if not 1 <= seeds <= _MOST_SEEDS:
        raise StudyError(
            f"a study needs from 1 to {_MOST_SEEDS} seeds, got {seeds}; 10 is a good start."
        )
    grid = checked((settings,) if isinstance(settings, Settings) else tuple(settings))
    once = tuple(dict.fromkeys((BASELINE, *schedules)))
    if isinstance(problem, Problem):  # a training function holds rows out itself
        grid[0].held_out(problem.train_rows)
    for schedule in once:
        to_text(schedule)
        watched([schedule], grid[0], problem)
        for each in grid:
            each.bind(schedule, problem.train_rows)
    return Plan(problem, grid, once, tuple(range(seeds)), engine)
