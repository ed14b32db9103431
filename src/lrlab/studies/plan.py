"""The plan of a study: which runs it has, each with an id computed from what it is."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lrlab.errors import StudyError
from lrlab.problems import Problem
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
from lrlab.training import Result, Run, Settings

BASELINE = Constant(1.0)
"""What every schedule is compared to: the rate as it was given, throughout."""

ENGINE = "loop"
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
    """Every schedule over the same seeds.

    Args:
        problem: what is trained.
        settings: the hyperparameters, the same in every run.
        schedules: the baseline and what is compared to it, each once.
        seeds: those of the runs of each schedule; runs of one seed form a pair.
    """

    problem: Problem
    settings: Settings
    schedules: tuple[Schedule, ...]
    seeds: tuple[int, ...]

    @cached_property
    def runs(self) -> dict[str, Run]:
        """The runs by their ids, schedule after schedule."""
        runs = (
            Run(schedule, self.settings, seed) for schedule in self.schedules for seed in self.seeds
        )
        return {self.id_of(run): run for run in runs}

    def by_schedule(self, results: Mapping[str, Result]) -> dict[Schedule, list[Result]]:
        """Results by id, all of them, as one list per schedule in the order of the seeds."""
        grouped: dict[Schedule, list[Result]] = {schedule: [] for schedule in self.schedules}
        for id, run in self.runs.items():
            assert run.schedule is not None
            grouped[run.schedule].append(results[id])
        return grouped

    def id_of(self, run: Run) -> str:
        """The id of a run: a hash of all that its numbers depend on."""
        assert run.schedule is not None
        what = {
            "problem": self.problem.fingerprint,
            "schedule": to_text(run.schedule),
            "settings": run.settings.described(),
            "seed": run.seed,
            "engine": ENGINE,
        }
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def plan(problem: Problem, schedules: Iterable[Schedule], settings: Settings, seeds: int) -> Plan:
    """The study of these schedules and the baseline over seeds 0, 1, ... of the given number.

    Raises:
        StudyError: there are no seeds, or more than 100 000.
        ScheduleError: a schedule cannot be bound to this training, or cannot be written as text.
    """
    if not 1 <= seeds <= _MOST_SEEDS:
        raise StudyError(
            f"a study needs from 1 to {_MOST_SEEDS} seeds, got {seeds}; 10 is a good start."
        )
    once = tuple(dict.fromkeys((BASELINE, *schedules)))
    for schedule in once:
        to_text(schedule)
        settings.bind(schedule, problem.train_rows)
    return Plan(problem, settings, once, tuple(range(seeds)))
