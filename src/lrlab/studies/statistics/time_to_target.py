"""Time to target: how many epochs each schedule takes to reach a score; a description, no test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.errors import StudyError
from lrlab.studies.statistics.paired import FloatArray

_RELATIVE_TOLERANCE = 1e-9
"""Relative tolerance; a mean of equal scores differs from them in its last bits."""


@dataclass(frozen=True)
class TimeToTarget:
    """The time that one schedule takes to reach the target score.

    Args:
        label: of the schedule.
        rank: by ``epochs``, then by ``fraction``; equal schedules share a rank.
        epochs: median over the seeds of the epochs until the target is first reached; None if half
            of the seeds or more never reach it.
        fraction: fraction of the seeds that reach it.
    """

    label: str
    rank: int
    epochs: float | None
    fraction: float


def compute_times_to_target(
    curves: Mapping[str, Sequence[FloatArray]], target_score: float, *, greater_is_better: bool
) -> tuple[TimeToTarget, ...]:
    """Return the time that each schedule takes to reach a score, the fastest first.

    A run reaches the score with the first epoch that is equal or better, even if later ones are
    worse.

    Args:
        curves: by the label of the schedule, the scores of each of its runs, one or more, after
            every epoch; of shape (epochs,). The curve of a diverged run is empty, since it never
            reaches the score.
        target_score: the score to reach.
        greater_is_better: whether a higher score is better.

    Raises:
        StudyError: the target score is not a finite number.

    >>> curves = {"constant": [np.array([0.5, 0.9])], "cosine": [np.array([0.9, 0.8])]}
    >>> [(t.label, t.epochs) for t in compute_times_to_target(curves, 0.9, greater_is_better=True)]
    [('cosine', 1.0), ('constant', 2.0)]
    """
    check_target_score(target_score)
    times = []
    for label, label_curves in curves.items():
        epochs = [_find_first_epoch(c, target_score, greater_is_better) for c in label_curves]
        times.append((float(np.median(epochs)), float(np.isfinite(epochs).mean()), label))
    order = [(median, -fraction) for median, fraction, _ in times]
    rows = [
        TimeToTarget(
            label=label,
            rank=1 + sum(other < (median, -fraction) for other in order),
            epochs=median if np.isfinite(median) else None,
            fraction=fraction,
        )
        for median, fraction, label in times
    ]
    return tuple(sorted(rows, key=lambda row: row.rank))


def check_target_score(target_score: float | None, *, is_fraction: bool = False) -> None:
    """Check a target score, before anything is trained for it.

    Args:
        target_score: the score to reach; None for the mean score of the baseline.
        is_fraction: whether scores are fractions, shown as percentages.
    """
    if target_score is None:
        return
    if not math.isfinite(target_score):
        raise StudyError(f"`target_score` must be a finite number, got {target_score}; try 0.95.")
    if is_fraction and not 0 <= target_score <= 1:
        raise StudyError(
            f"`target_score` must be a fraction from 0 to 1, got {target_score:g}; 95 % is 0.95."
        )


def _find_first_epoch(scores: FloatArray, target_score: float, greater_is_better: bool) -> float:
    """Return the number of epochs until a run reaches the score; infinity if it never does."""
    tolerance = _RELATIVE_TOLERANCE * abs(target_score)
    reached = (
        scores >= target_score - tolerance
        if greater_is_better
        else scores <= target_score + tolerance
    )
    return float(np.argmax(reached)) + 1 if reached.any() else np.inf
