"""Comparisons built from scores, for the tests of statistics, answers and tables."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab import Constant, Schedule
from lrlab.problems.metrics import Metric
from lrlab.studies import BASELINE, Comparison, Selection, compare_scores
from lrlab.training import Settings

NOISE = np.array([0.01, -0.01, 0.005, -0.002, 0.004, -0.007])
BASE = np.array([0.5, 0.6, 0.7, 0.8, 0.65, 0.75])

ACCURACY = Metric("accuracy", greater_is_better=True, percent=True, fn=lambda a, b: a)
RMSE = Metric("RMSE", greater_is_better=False, percent=False, fn=lambda a, b: a)


def make_candidate(number: int) -> Schedule:
    """Make a different schedule for each number; the baseline for 0."""
    return Constant(float(number + 1)) if number else BASELINE


def make_comparison(
    scores: Sequence[Sequence[float]],
    metric: Metric = ACCURACY,
    test_train_ratio: float | None = None,
    diverged_counts: Mapping[int, int] | None = None,
    edges: Sequence[int] | None = None,
    other_baseline_scores: Sequence[Sequence[float]] = (),
) -> Comparison:
    """Compare scores of shape (schedules, seeds); those of the baseline come first.

    Args:
        scores: shape (schedules, seeds).
        metric: of the scores.
        test_train_ratio: see ``Problem.test_train_ratio``.
        diverged_counts: number of diverged runs by index of the schedule.
        edges: indices of the schedules whose learning rate is at the edge of the grid.
        other_baseline_scores: of the baseline at learning rates 0.2, 0.3, ...
    """
    selections = {
        make_candidate(i): Selection(Settings(), edge_side=int(i in (edges or ())))
        for i in range(len(scores))
    }
    baseline_scores = [scores[0], *other_baseline_scores] if len(other_baseline_scores) else []
    return compare_scores(
        {make_candidate(i): np.array(row) for i, row in enumerate(scores)},
        BASELINE,
        metric,
        test_train_ratio,
        {make_candidate(i): count for i, count in (diverged_counts or {}).items()},
        selections if edges is not None or len(other_baseline_scores) else {},
        {Settings(lr=(i + 1) / 10): np.array(row) for i, row in enumerate(baseline_scores)},
    )


def get_row(comparison: Comparison, number: int):
    """Return the row of a candidate."""
    (row,) = [row for row in comparison.rows if row.schedule == repr(make_candidate(number))]
    return row


def draw_scores(max_schedules: int = 4) -> st.SearchStrategy[NDArray[np.float64]]:
    """Draw scores of schedules over seeds, with effects of any size."""

    def build_scores(
        shape: tuple[int, int], size: float, unit: float, seed: int
    ) -> NDArray[np.float64]:
        rng = np.random.default_rng(seed)
        effects = size * rng.normal(0, 1, (shape[0], 1))
        scores = 0.7 + unit * (effects + rng.normal(0, 1, shape)) + rng.normal(0, 0.02)
        return scores.round(4)  # with ties

    shapes = st.tuples(st.integers(2, max_schedules), st.sampled_from([1, 2, 5, 30]))
    sizes, units = st.sampled_from([0.0, 0.3, 1.0, 5.0]), st.sampled_from([0.02, 0.001])
    return st.builds(build_scores, shapes, sizes, units, st.integers(0, 2**32))
