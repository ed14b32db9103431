"""Time to target: after how many epochs each schedule reaches a score. It describes, no more."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.errors import StudyError
from lrlab.problems.tasks import Metric
from lrlab.schedules import Schedule
from lrlab.training import Result

_TIE = 1e-9
"""Relative; a mean of scores differs from them by its last bits."""


@dataclass(frozen=True)
class Reached:
    """How soon one schedule reaches the goal.

    Args:
        schedule: its text.
        rank: by ``epochs``, then by ``share``; equals share a rank.
        epochs: median over the seeds of the epochs trained when the goal was first reached, one
            that was never reached counting as the longest; None where half of them or more never
            reached it.
        share: of the seeds that reached it.
    """

    schedule: str
    rank: int
    epochs: float | None
    share: float


def reach(
    results: Mapping[Schedule, Sequence[Result]],
    metric: Metric,
    goal: float,
) -> tuple[Reached, ...]:
    """How soon each schedule reaches a goal, the soonest first.

    A score is reached where it is equal or better, also if it is lost again later. A run that
    diverged never reaches it.

    Args:
        results: of each schedule, one or more.
        metric: says which direction is better.
        goal: the score.

    Raises:
        StudyError: the goal is no number.
    """
    refuse_goal(goal, metric)
    found = []
    for schedule, own in results.items():
        epochs = [_first(result, metric, goal) for result in own]
        found.append((float(np.median(epochs)), float(np.isfinite(epochs).mean()), repr(schedule)))
    order = [(median, -share) for median, share, _ in found]
    rows = [
        Reached(
            schedule=schedule,
            rank=1 + sum(other < (median, -share) for other in order),
            epochs=median if np.isfinite(median) else None,
            share=share,
        )
        for median, share, schedule in found
    ]
    return tuple(sorted(rows, key=lambda row: row.rank))


def refuse_goal(goal: float | None, metric: Metric) -> None:
    """Refuses a goal that nothing can be held against, before anything is trained for it."""
    if goal is None:
        return
    if not math.isfinite(goal):
        raise StudyError(f"a goal must be a finite number, got {goal}; such as 0.95.")
    if metric.percent and not 0 <= goal <= 1:
        raise StudyError(
            f"a goal of {metric.name} must be a share from 0 to 1, got {goal:g}; 95 % is 0.95."
        )


def _first(result: Result, metric: Metric, goal: float) -> float:
    """Epochs trained when the goal was first reached, infinity for never."""
    scores = result.epochs.column("score")
    near = _TIE * abs(goal)
    reached = scores >= goal - near if metric.more_is_better else scores <= goal + near
    return float(np.argmax(reached)) + 1 if not result.diverged and reached.any() else np.inf
