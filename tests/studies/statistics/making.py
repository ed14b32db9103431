"""Comparisons made from scores, for the tests of statistics, verdicts and tables."""

from collections.abc import Mapping, Sequence

import numpy as np

from lrlab import Constant, Schedule
from lrlab.problems.metrics import Metric
from lrlab.studies import BASELINE, Comparison, Selection, compare_scores
from lrlab.training import Settings

ACCURACY = Metric("accuracy", greater_is_better=True, percent=True, fn=lambda a, b: a)
RMSE = Metric("RMSE", greater_is_better=False, percent=False, fn=lambda a, b: a)


def candidate(number: int) -> Schedule:
    """A schedule of its own for each number, the baseline for 0."""
    return Constant(float(number + 1)) if number else BASELINE


def compared(
    scores: Sequence[Sequence[float]],
    metric: Metric = ACCURACY,
    overlap: float | None = None,
    diverged: Mapping[int, int] | None = None,
    edges: Sequence[int] | None = None,
    rivals: Sequence[Sequence[float]] = (),
) -> Comparison:
    """Scores of shape (schedules, seeds), the baseline's first; edges are given by number.

    Rivals are scores of the baseline at settings that were not chosen, of rates 0.2, 0.3, ...
    """
    tuned = {
        candidate(i): Selection(Settings(), edge_side=int(i in (edges or ())))
        for i in range(len(scores))
    }
    of_baseline = [scores[0], *rivals] if len(rivals) else []
    return compare_scores(
        {candidate(i): np.array(own) for i, own in enumerate(scores)},
        BASELINE,
        metric,
        overlap,
        {candidate(i): count for i, count in (diverged or {}).items()},
        tuned if edges is not None or len(rivals) else {},
        {Settings(lr=(i + 1) / 10): np.array(own) for i, own in enumerate(of_baseline)},
    )


def row_of(comparison: Comparison, number: int):
    """The row of a candidate."""
    (row,) = [row for row in comparison.rows if row.schedule == repr(candidate(number))]
    return row
