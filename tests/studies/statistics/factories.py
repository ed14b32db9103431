"""Comparisons built from scores, for the tests of statistics, answers and tables."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Comparison, compare_scores

NOISE = np.array([0.01, -0.01, 0.005, -0.002, 0.004, -0.007])
BASE = np.array([0.5, 0.6, 0.7, 0.8, 0.65, 0.75])

BASELINE_LABEL = "Constant(1.0)"


def make_label(number: int) -> str:
    """Make a label: a different schedule for each number, the baseline for 0."""
    return f"Constant({number + 1.0})"


def make_comparison(
    scores: Sequence[Sequence[float]],
    greater_is_better: bool = True,
    test_train_ratio: float | None = None,
    diverged_counts: Mapping[int, int] | None = None,
    edges: Sequence[int] = (),
    other_baseline_scores: Sequence[Sequence[float]] = (),
) -> Comparison:
    """Compare scores of shape (schedules, seeds); those of the baseline come first.

    Args:
        scores: shape (schedules, seeds).
        greater_is_better: whether higher scores are better.
        test_train_ratio: see ``Problem.test_train_ratio``.
        diverged_counts: number of diverged runs by index of the schedule.
        edges: indices of the schedules whose learning rate is at the edge of the grid.
        other_baseline_scores: of the baseline at learning rates 0.2, 0.3, ...
    """
    baseline_scores = [scores[0], *other_baseline_scores] if len(other_baseline_scores) else []
    return compare_scores(
        {make_label(i): np.array(row) for i, row in enumerate(scores)},
        BASELINE_LABEL,
        greater_is_better=greater_is_better,
        test_train_ratio=test_train_ratio,
        diverged_counts={make_label(i): count for i, count in (diverged_counts or {}).items()},
        at_grid_edge=[make_label(i) for i in edges],
        baseline_scores={
            f"lr={(i + 1) / 10}": np.array(row) for i, row in enumerate(baseline_scores)
        },
    )


def get_row(comparison: Comparison, number: int):
    """Return the row of a candidate."""
    (row,) = [row for row in comparison.rows if row.label == make_label(number)]
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
