"""Time to target: how many epochs each schedule takes to reach a score; a description, no test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.errors import StudyError
from lrlab.problems.metrics import Metric
from lrlab.schedules import Schedule
from lrlab.training import Result

_RELATIVE_TOLERANCE = 1e-9
"""Relative tolerance; a mean of equal scores differs from them in its last bits."""


@dataclass(frozen=True)
class TimeToTarget:
    """The time that one schedule takes to reach the target score.

    Args:
        schedule: its text.
        rank: by ``epochs``, then by ``fraction``; equal schedules share a rank.
        epochs: median over the seeds of the epochs until the target is first reached; None if half
            of the seeds or more never reach it.
        fraction: fraction of the seeds that reach it.
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
    """Return the time that each schedule takes to reach a score, the fastest first.

    A run reaches the score with the first epoch that is equal or better, even if later ones are
    worse. A diverged run never reaches it.

    Args:
        results: of each schedule, one or more.
        metric: says which direction is better.
        target_score: the score to reach.

    Raises:
        StudyError: the target score is not a finite number.
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
            rank=1 + sum(other < (median, -fraction) for other in order),
            epochs=median if np.isfinite(median) else None,
            fraction=fraction,
        )
        for median, fraction, schedule in times
    ]
    return tuple(sorted(rows, key=lambda row: row.rank))


def check_target_score(target_score: float | None, metric: Metric) -> None:
    """Check a target score, before anything is trained for it."""
    if target_score is None:
        return
    if not math.isfinite(target_score):
        raise StudyError(f"target_score must be a finite number, got {target_score}; try 0.95.")
    if metric.percent and not 0 <= target_score <= 1:
        raise StudyError(
            f"target_score of {metric.name} must be a fraction from 0 to 1, got {target_score:g}; "
            "95 % is 0.95."
        )


def _find_first_epoch(result: Result, metric: Metric, target_score: float) -> float:
    """Return the number of epochs until a run reaches the score; infinity if it never does."""
    scores = result.curve.get_column("test_score")
    tolerance = _RELATIVE_TOLERANCE * abs(target_score)
    reached = (
        scores >= target_score - tolerance
        if metric.greater_is_better
        else scores <= target_score + tolerance
    )
    return float(np.argmax(reached)) + 1 if not result.diverged and reached.any() else np.inf
