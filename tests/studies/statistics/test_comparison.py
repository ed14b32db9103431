"""A comparison pairs, sorts and ranks schedules, and rejects invalid scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lrlab.errors import StudyError
from lrlab.studies import compare_scores
from lrlab.studies.statistics.paired import adjust_by_holm
from tests.raising import raises
from tests.studies.statistics.factories import (
    get_row,
    make_comparison,
    make_label,
)

score_tables = st.integers(1, 5).flatmap(
    lambda seeds: arrays(np.float64, (5, seeds), elements=st.floats(-10, 10, width=16))
)


def test_differences_are_paired_and_positive_is_better() -> None:
    baseline = [0.5, 0.7, 0.9, 0.6]
    scores = [baseline, [s + d for s, d in zip(baseline, [2, 3, 2, 3], strict=True)]]
    best, last = make_comparison(scores, diverged_counts={1: 2}).rows
    assert (best.label, best.rank, best.diverged_count) == (make_label(1), 1, 2)
    assert (last.rank, last.diverged_count, last.vs_baseline) == (2, 0, None)
    assert best.vs_best is None
    assert best.vs_baseline.difference == pytest.approx(2.5)
    assert last.vs_best.difference == pytest.approx(-2.5)
    assert best.vs_baseline.on_this_data.ci_low > 1.5
    assert best.sd == pytest.approx(np.std(scores[1], ddof=1))
    best, last = make_comparison(scores, greater_is_better=False).rows  # lower is better
    assert best.label == make_label(0)
    assert last.mean == pytest.approx(np.mean(scores[1]))
    assert last.vs_baseline.difference == pytest.approx(-2.5)


@given(score_tables, st.booleans())
def test_schedules_without_a_clear_difference_share_a_rank(
    scores: np.ndarray, greater_is_better: bool
) -> None:
    comparison = make_comparison(scores, greater_is_better)
    means = [row.mean for row in comparison.rows]
    assert means == sorted(means, reverse=greater_is_better)
    indices = {make_label(i): i for i in range(5)}
    sorted_scores = [scores[indices[row.label]] for row in comparison.rows]
    ranks = [row.rank for row in comparison.rows]
    assert ranks[0] == 1
    pairs = [(i, j) for i in range(5) for j in range(i)]
    differences = [sorted_scores[i] - sorted_scores[j] for i, j in pairs]
    if scores.shape[1] > 1 and all(np.ptp(difference) > 1e-9 for difference in differences):
        p = np.array([stats.ttest_1samp(difference, 0).pvalue for difference in differences])
        is_clear = dict(zip(pairs, adjust_by_holm(p) < 0.05, strict=True))
        # Pairs with the baseline are another family.
        baseline_index = [row.vs_baseline for row in comparison.rows].index(None)
        baseline_pairs = [pair for pair in pairs if baseline_index in pair]
        baseline_p = np.array([p[pairs.index(pair)] for pair in baseline_pairs])
        is_clear |= dict(zip(baseline_pairs, adjust_by_holm(baseline_p) < 0.05, strict=True))
        first = 0
        for i in range(1, 5):
            first = i if is_clear[i, first] else first
            assert ranks[i] == first + 1
    # The first of a lower group differs clearly from the best, by the same test.
    for row in comparison.rows[1:]:
        assert row.rank == 1 or comparison.rows[row.rank - 1].vs_best.on_this_data.significant
    # Ranks and verdicts do not contradict each other.
    best = comparison.rows[0].vs_baseline
    if best is not None and best.on_this_data.significant:
        assert comparison.baseline_row.rank > 1


def test_schedules_are_compared_with_the_baseline_and_with_the_best() -> None:
    scores = np.random.default_rng(0).normal([[0], [1], [2], [0.5]], 0.2, (4, 12))
    comparison = make_comparison(scores, test_train_ratio=0.4)
    assert comparison.rows[0].label == make_label(2)
    assert comparison.baseline_row.label == make_label(0)
    for i in (1, 3):
        row = get_row(comparison, i)
        for paired, other in ((row.vs_baseline, 0), (row.vs_best, 2)):
            assert paired.difference == pytest.approx(np.mean(scores[i] - scores[other]))
            expected = stats.ttest_rel(scores[i], scores[other])
            assert paired.on_this_data.p == pytest.approx(expected.pvalue)
    # The correction for all six pairs applies, since the same scores show which one is best.
    row = get_row(comparison, 1)
    assert row.vs_best.on_this_data.p_holm > 1.5 * row.vs_best.on_this_data.p
    assert [row.rank for row in comparison.rows] == [1, 2, 3, 4]


def test_pairs_with_the_baseline_have_the_same_correction_everywhere() -> None:
    """A difference that is clear among 12 comparisons and not among 78."""
    noise = np.random.default_rng(0).normal(0, 1, (12, 6))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    for gain in (2.7, -2.7):
        scores = [np.zeros(6), noise[0] + gain, *(10 * noise[1:])]
        comparison = make_comparison(scores)
        row = get_row(comparison, 1)
        paired = row.vs_baseline
        assert 12 * paired.on_this_data.p < 0.05 < 78 * paired.on_this_data.p
        assert paired.on_this_data.significant
        if gain > 0:
            baseline_paired = comparison.baseline_row.vs_best
            assert baseline_paired.difference == pytest.approx(-paired.difference)
            assert baseline_paired.on_this_data.p_holm == paired.on_this_data.p_holm
            assert comparison.baseline_row.rank > row.rank == 1
    worse = make_comparison([np.zeros(6), noise[0] - 3.5, *(noise[1:] - 9)])
    assert worse.rows[0] == worse.baseline_row
    assert [row.rank for row in worse.rows[:2]] == [1, 2]
    assert all(row.vs_best == row.vs_baseline for row in worse.rows[1:])


@given(score_tables, st.sampled_from([None, 0.4]))
def test_no_number_is_nan(scores: np.ndarray, test_train_ratio: float | None) -> None:
    for row in make_comparison(scores, test_train_ratio=test_train_ratio).rows:
        for paired in (row.vs_baseline, row.vs_best):
            if paired is None:
                continue
            assert 0 <= paired.prob_better <= 1
            assert paired.correlation is None or -1 <= paired.correlation <= 1
            assert len(paired.estimates) == (1 if test_train_ratio is None else 2)
            for estimate in paired.estimates:
                assert 0 <= estimate.p <= estimate.p_holm <= 1
                if estimate.ci_low is not None:
                    assert estimate.ci_low < paired.difference < estimate.ci_high
                    assert estimate.min_detectable > 0


def test_the_baseline_alone_is_compared_with_nothing() -> None:
    (row,) = make_comparison([[0.5, 0.6]]).rows
    assert (row.rank, row.vs_baseline, row.vs_best) == (1, None, None)


@pytest.mark.parametrize(
    ("scores", "mentions"),
    [
        ({"cosine": [0.5]}, ["baseline constant", "cosine"]),
        ({"constant": [0.5, 0.6], "cosine": [0.5]}, ["(1,) of cosine", "(2,) of constant"]),
        ({"constant": [], "cosine": []}, ["(0,)", "at least one"]),
        ({"constant": [0.5, 0.6], "cosine": [0.5, np.nan]}, ["nan", "run 1", "cosine"]),
        ({"constant": [0.5, np.inf]}, ["inf", "run 1", "constant"]),
    ],
)
def test_invalid_scores_are_rejected(scores: dict, mentions: list) -> None:
    with raises(StudyError, *mentions):
        compare_scores(
            {label: np.array(row) for label, row in scores.items()},
            "constant",
            greater_is_better=True,
        )
