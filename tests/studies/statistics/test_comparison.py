"""A comparison pairs, orders and ranks; and refuses what it cannot judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lrlab import Cosine
from lrlab.errors import StudyError
from lrlab.studies import BASELINE, compare_scores
from lrlab.studies.statistics.paired import adjust_by_holm
from tests.raising import raises
from tests.studies.statistics.factories import (
    ACCURACY,
    RMSE,
    get_row,
    make_candidate,
    make_comparison,
)

tables = st.integers(1, 5).flatmap(
    lambda seeds: arrays(np.float64, (5, seeds), elements=st.floats(-10, 10, width=16))
)


def test_differences_are_paired_and_positive_is_better() -> None:
    hard = [0.5, 0.7, 0.9, 0.6]  # seeds differ far more than schedules do
    scores = [hard, [s + d for s, d in zip(hard, [2, 3, 2, 3], strict=True)]]
    best, last = make_comparison(scores, diverged_count={1: 2}).rows
    assert (best.schedule, best.rank, best.diverged_count) == (repr(make_candidate(1)), 1, 2)
    assert (last.rank, last.diverged_count, last.vs_baseline) == (2, 0, None)
    assert best.vs_best is None
    assert best.vs_baseline.difference == pytest.approx(2.5)
    assert last.vs_best.difference == pytest.approx(-2.5)
    assert best.vs_baseline.on_this_data.ci_low > 1.5
    assert best.sd == pytest.approx(np.std(scores[1], ddof=1))
    best, last = make_comparison(scores, RMSE).rows  # now less is better
    assert best.schedule == "Constant(1.0)"
    assert last.mean == pytest.approx(np.mean(scores[1]))
    assert last.vs_baseline.difference == pytest.approx(-2.5)


@given(tables, st.booleans())
def test_ranks_go_down_in_groups_that_cannot_be_told_apart(scores: np.ndarray, more: bool) -> None:
    comparison = make_comparison(scores, ACCURACY if more else RMSE)
    means = [row.mean for row in comparison.rows]
    assert means == sorted(means, reverse=more)
    number = {repr(make_candidate(i)): i for i in range(5)}
    own = [scores[number[row.schedule]] for row in comparison.rows]
    ranks = [row.rank for row in comparison.rows]
    assert ranks[0] == 1
    places = [(i, j) for i in range(5) for j in range(i)]
    if scores.shape[1] > 1 and all(np.ptp(own[i] - own[j]) > 1e-9 for i, j in places):
        p = np.array([stats.ttest_rel(own[i], own[j]).pvalue for i, j in places])
        apart = dict(zip(places, adjust_by_holm(p) < 0.05, strict=True))
        # Those with the baseline are a family of their own.
        base = [row.vs_baseline for row in comparison.rows].index(None)
        with_base = [place for place in places if base in place]
        own_p = np.array([p[places.index(place)] for place in with_base])
        apart |= dict(zip(with_base, adjust_by_holm(own_p) < 0.05, strict=True))
        first = 0
        for i in range(1, 5):
            first = i if apart[i, first] else first
            assert ranks[i] == first + 1
    # The first of a lower group is told apart from the best, by the same test.
    for row in comparison.rows[1:]:
        assert row.rank == 1 or comparison.rows[row.rank - 1].vs_best.on_this_data.significant
    # A rank and a verdict do not contradict each other.
    best = comparison.rows[0].vs_baseline
    if best is not None and best.on_this_data.significant:
        assert comparison.baseline_row.rank > 1


def test_each_is_compared_with_the_baseline_and_with_the_best() -> None:
    scores = np.random.default_rng(0).normal([[0], [1], [2], [0.5]], 0.2, (4, 12))
    comparison = make_comparison(scores, test_train_ratio=0.4)
    assert comparison.rows[0].schedule == repr(make_candidate(2))
    assert comparison.baseline_row.schedule == "Constant(1.0)"
    for i in (1, 3):
        row = get_row(comparison, i)
        for against, other in ((row.vs_baseline, 0), (row.vs_best, 2)):
            assert against.difference == pytest.approx(np.mean(scores[i] - scores[other]))
            theirs = stats.ttest_rel(scores[i], scores[other])
            assert against.on_this_data.p == pytest.approx(theirs.pvalue)
    # The best was found among all, so that it is compared by the tests of all six pairs.
    row = get_row(comparison, 1)
    assert row.vs_best.on_this_data.p_holm > 1.5 * row.vs_best.on_this_data.p
    assert [row.rank for row in comparison.rows] == [1, 2, 3, 4]


def test_pairs_with_the_baseline_are_judged_alike_everywhere() -> None:
    """One difference, told apart among 12 comparisons and not among 78."""
    noise = np.random.default_rng(0).normal(0, 1, (12, 6))
    noise = (noise - noise.mean(axis=1, keepdims=True)) / noise.std(axis=1, ddof=1, keepdims=True)
    for gain in (2.7, -2.7):
        scores = [np.zeros(6), noise[0] + gain, *(10 * noise[1:])]
        comparison = make_comparison(scores)
        row = get_row(comparison, 1)
        against = row.vs_baseline
        assert 12 * against.on_this_data.p < 0.05 < 78 * against.on_this_data.p
        assert against.on_this_data.significant
        if gain > 0:
            back = comparison.baseline_row.vs_best
            assert back.difference == pytest.approx(-against.difference)
            assert back.on_this_data.p_holm == against.on_this_data.p_holm
            assert comparison.baseline_row.rank > row.rank == 1
    worse = make_comparison([np.zeros(6), noise[0] - 3.5, *(noise[1:] - 9)])
    assert worse.rows[0] == worse.baseline_row
    assert [row.rank for row in worse.rows[:2]] == [1, 2]
    assert all(row.vs_best == row.vs_baseline for row in worse.rows[1:])


@given(tables, st.sampled_from([None, 0.4]))
def test_there_is_never_a_nan(scores: np.ndarray, overlap: float | None) -> None:
    for row in make_comparison(scores, test_train_ratio=overlap).rows:
        for against in (row.vs_baseline, row.vs_best):
            if against is None:
                continue
            assert 0 <= against.prob_better <= 1
            assert against.correlation is None or -1 <= against.correlation <= 1
            assert len(against.estimates) == (1 if overlap is None else 2)
            for reading in against.estimates:
                assert 0 <= reading.p <= reading.p_holm <= 1
                if reading.ci_low is not None:
                    assert reading.ci_low < against.difference < reading.ci_high
                    assert reading.min_detectable > 0


def test_the_baseline_alone_is_compared_with_nothing() -> None:
    (row,) = make_comparison([[0.5, 0.6]]).rows
    assert (row.rank, row.vs_baseline, row.vs_best) == (1, None, None)


@pytest.mark.parametrize(
    ("scores", "mentions"),
    [
        ({Cosine(): [0.5]}, ["baseline", BASELINE]),
        ({BASELINE: [0.5, 0.6], Cosine(): [0.5]}, ["(1,) of Cosine()", "(2,) of Constant(1.0)"]),
        ({BASELINE: [], Cosine(): []}, ["(0,)", "at least one"]),
        ({BASELINE: [0.5, 0.6], Cosine(): [0.5, np.nan]}, ["nan", "run 1", Cosine()]),
        ({BASELINE: [0.5, np.inf]}, ["inf", "run 1", BASELINE]),
    ],
)
def test_scores_that_cannot_be_judged(scores: dict, mentions: list) -> None:
    with raises(StudyError, *mentions):
        compare_scores({s: np.array(own) for s, own in scores.items()}, BASELINE, ACCURACY)
