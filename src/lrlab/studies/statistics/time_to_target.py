"""Time to target: after how many epochs each schedule reaches a score. It describes, no more."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.errors import StudyError
from lrlab.problems.metrics import Metric
from lrlab.schedules import Schedule
from lrlab.training import Result

_RELATIVE_TOLERANCE = 1e-9
"""Relative; a mean of scores differs from them by its last bits."""


@dataclass(frozen=True)
class TimeToTarget:
    """How soon one schedule reaches the goal.

    Args:
        schedule: its text.
        rank: by ``epochs``, then by ``fraction``; equals share a rank.
        epochs: median over the seeds of the epochs trained when the goal was first reached, one
            that was never reached counting as the longest; None where half of them or more never
            reached it.
        fraction: of the seeds that reached it.
    """

    schedule: str
    rank: int
    epochs: float | None
    fraction: float


def compute_times_to_target(
    results: Mapping[Schedule, Sequence[Result]],
    metric: Metric,
    target_score: float,
) -> tuple[TimeToTarget, ...]:
    """How soon each schedule reaches a goal, the soonest first.

    A score is reached where it is equal or better, also if it is lost again later. A run that
    diverged never reaches it.

    Args:
        results: of each schedule, one or more.
        metric: says which direction is better.
        target_score: the score.

    Raises:
        StudyError: the goal is no number.
    """
    check_target_score(target_score, metric)
    times = []
    for schedule, schedule_results in results.items():
        epochs = [_find_first_epoch(result, metric, target_score) for result in schedule_results]
        times.append((float(np.median(epochs)), float(np.isfinite(epochs).mean()), repr(schedule)))
    order = [(median, -fraction) for median, fraction, _ in times]
    rows = [
        TimeToTarget(
            schedule=schedule,
            rank=1 + sum(other < (median, -share) for other in order),
            epochs=median if np.isfinite(median) else None,
            fraction=share,
        )
        for median, share, schedule in times
    ]
    return tuple(sorted(rows, key=lambda row: row.rank))


def check_target_score(target_score: float | None, metric: Metric) -> None:
    """Refuses a goal that nothing can be held against, before anything is trained for it."""
    if target_score is None:
        return
    if not math.isfinite(target_score):
        raise StudyError(f"a goal must be a finite number, got {target_score}; such as 0.95.")
    if metric.percent and not 0 <= target_score <= 1:
        raise StudyError(
            f"a goal of {metric.name} must be a share from 0 to 1, got {target_score:g}; 95 % is 0.95."
        )


def _find_first_epoch(result: Result, metric: Metric, target_score: float) -> float:
    """Epochs trained when the goal was first reached, infinity for never."""
    scores = result.curve.get_column("test_score")
    tolerance = _RELATIVE_TOLERANCE * abs(target_score)
    reached = (
        scores >= target_score - tolerance
        if metric.greater_is_better
        else scores <= target_score + tolerance
    )
    return float(np.argmax(reached)) + 1 if not result.diverged and reached.any() else np.inf
