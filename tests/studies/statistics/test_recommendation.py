"""Recommendations: a schedule that is better at all settings of the baseline, or the baseline."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Comparison, Recommendation, RecommendationReason, find_winners, recommend
from tests.studies.statistics.factories import (
    BASE,
    NOISE,
    draw_scores,
    get_row,
    make_comparison,
    make_label,
)

Reason = RecommendationReason
BETTER, MUCH_BETTER, SAME, WORSE = (BASE + gain + NOISE for gain in (0.1, 0.2, 0, -0.1))

CASES: dict[str, tuple[Comparison, int | None, RecommendationReason]] = {
    "the best of two better ones": (make_comparison([BASE, BETTER, MUCH_BETTER]), 2, Reason.BETTER),
    "not the highest mean alone": (make_comparison([BASE, SAME]), 0, Reason.NO_CLEAR_DIFFERENCE),
    "one may be worse": (make_comparison([BASE, SAME, WORSE]), 0, Reason.NO_CLEAR_DIFFERENCE),
    "all others are worse": (make_comparison([BASE, WORSE, WORSE]), 0, Reason.OTHERS_WORSE),
    "the same scores": (make_comparison([BASE, BASE]), 0, Reason.NO_CLEAR_DIFFERENCE),
    "the better one is at the edge": (
        make_comparison([BASE, BETTER], edges=[1]),
        0,
        Reason.OTHERS_AT_GRID_EDGE,
    ),
    "the best of the better ones is at the edge": (
        make_comparison([BASE, BETTER, MUCH_BETTER], edges=[2]),
        1,
        Reason.BETTER,
    ),
    "the baseline is at the edge": (
        make_comparison([BASE, BETTER], edges=[0]),
        0,
        Reason.BASELINE_AT_GRID_EDGE,
    ),
    "the better one diverges": (
        make_comparison([BASE, BETTER], diverged_counts={1: 1}),
        0,
        Reason.OTHERS_DIVERGED,
    ),
    "the best of the better ones diverges": (
        make_comparison([BASE, BETTER, MUCH_BETTER], diverged_counts={2: 1}),
        1,
        Reason.BETTER,
    ),
    "the baseline diverges as often": (
        make_comparison([BASE, BETTER], diverged_counts={0: 1, 1: 1}),
        1,
        Reason.BETTER,
    ),
    "one diverges, one is at the edge": (
        make_comparison([BASE, BETTER, MUCH_BETTER], diverged_counts={1: 1}, edges=[2]),
        0,
        Reason.OTHERS_DIVERGED,
    ),
    "better as tuned only": (
        make_comparison([BASE, BETTER], other_baseline_scores=[BASE + 0.098]),
        0,
        Reason.OTHERS_BETTER_AS_TUNED,
    ),
    "better at all settings": (
        make_comparison([BASE, BETTER], other_baseline_scores=[BASE + 0.02]),
        1,
        Reason.BETTER,
    ),
    "nothing to compare": (make_comparison([BASE]), 0, Reason.NOTHING_TO_COMPARE),
    "one seed": (make_comparison([[0.5], [0.9]]), 0, Reason.ONE_SEED),
    "every run of the baseline diverged": (
        make_comparison([BASE, SAME], diverged_counts={0: 6}),
        None,
        Reason.BASELINE_DIVERGED,
    ),
    "the baseline alone diverged with one seed": (
        make_comparison([[0.5], [0.9]], diverged_counts={0: 1}),
        None,
        Reason.BASELINE_DIVERGED,
    ),
    "better than a baseline that always diverges": (
        make_comparison([BASE, BETTER], diverged_counts={0: 6}),
        1,
        Reason.BETTER,
    ),
    "all runs diverged": (
        make_comparison([BASE, BASE], diverged_counts={0: 6, 1: 6}),
        None,
        Reason.ALL_DIVERGED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_recommendations(case: str) -> None:
    comparison, number, reason = CASES[case]
    recommendation = recommend(comparison)
    assert recommendation.label == (None if number is None else make_label(number))
    assert recommendation.reason is reason


def test_every_reason_is_tested() -> None:
    assert {reason for _, _, reason in CASES.values()} == set(Reason)


def check_invariants(comparison: Comparison, recommendation: Recommendation) -> None:
    better = {row.label for row in comparison.better_rows}
    others = (
        *recommendation.also_better,
        *recommendation.better_but_diverged,
        *recommendation.better_at_grid_edge,
    )
    named = {row.label for row in others}
    assert len(others) == len(named)
    is_better = recommendation.reason is Reason.BETTER
    assert named == better - ({recommendation.label} if is_better else set())
    row = recommendation.row
    if is_better:
        assert row in find_winners(comparison)
        assert row.diverged_count <= comparison.baseline_row.diverged_count
        assert (
            row.vs_baseline.on_this_data.ci_low is None or row.vs_baseline.on_this_data.ci_low > 0
        )
        assert all(other in find_winners(comparison) for other in recommendation.also_better)
    else:
        assert row in (comparison.baseline_row, None)
        assert not recommendation.also_better
    undecided = recommendation.undecided
    if undecided is not None:
        assert undecided.label not in (*better, recommendation.label) or is_better
        assert undecided.min_detectable > 0


@given(
    draw_scores(5),
    st.booleans(),
    st.lists(st.integers(0, 4), max_size=3),
    st.dictionaries(st.integers(0, 4), st.integers(0, 30)),
)
def test_only_a_better_schedule_or_the_baseline_is_recommended(
    scores: NDArray[np.float64],
    greater_is_better: bool,
    edges: list[int],
    diverged_counts: dict[int, int],
) -> None:
    seeds = scores.shape[1]
    diverged_counts = {i: min(count, seeds) for i, count in diverged_counts.items()}
    comparison = make_comparison(
        scores, greater_is_better, edges=edges, diverged_counts=diverged_counts
    )
    check_invariants(comparison, recommend(comparison))


def test_the_best_undecided_schedule_is_named_but_not_one_that_differs_by_rounding_errors() -> None:
    comparison = make_comparison([BASE, BASE + 1e-8 * NOISE, BASE + NOISE, BASE + 0.01 * NOISE])
    undecided = recommend(comparison).undecided
    assert undecided.label == make_label(2)
    paired = get_row(comparison, 2).vs_baseline
    assert undecided.difference == paired.difference
    assert undecided.min_detectable == paired.on_this_data.min_detectable
    # A winner that has the best mean is compared with the next best.
    comparison = make_comparison([BASE, BETTER, BETTER + NOISE[::-1]])
    recommendation = recommend(comparison)
    assert recommendation.row is comparison.rows[0]
    assert recommendation.undecided.label == comparison.rows[1].label
    assert recommendation.undecided.difference == comparison.rows[1].vs_best.difference


def test_the_rows_of_a_table_as_dictionaries() -> None:
    comparison = make_comparison([BASE, BETTER], test_train_ratio=0.4, edges=[0])
    first, last = (row.to_dict() for row in comparison.rows)
    paired = get_row(comparison, 1).vs_baseline
    assert (first["label"], first["verdict"]) == (make_label(1), "better_on_new_data")
    assert (last["at_grid_edge"], last["verdict"]) == (True, "baseline")
    assert first["difference"] == paired.difference
    assert first["ci_low"] == paired.on_this_data.ci_low
    assert first["new_p_holm"] == paired.for_new_data.p_holm
    assert "difference" not in last
