"""Readings against SciPy's tests and against formulas written down from the papers."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from lrlab.studies.statistics.paired import (
    MAX_SEEDS,
    POWER,
    PairedComparison,
    PairedTestFamily,
    adjust_by_holm,
    compute_confidence_interval,
    compute_min_detectable,
    count_seeds_needed,
)

Scores = NDArray[np.float64]
varied = arrays(np.float64, (2, 7), elements=st.floats(-10, 10, width=16)).filter(
    lambda scores: np.ptp(scores[0] - scores[1]) > 1e-3
)


def compare_pair(own: Scores, other: Scores, overlap: float | None = None) -> PairedComparison:
    return PairedTestFamily(np.array([own]), np.array([other]), overlap).summarize_test(0)


@given(varied)
def test_on_this_data_it_is_scipys_paired_test(scores: Scores) -> None:
    own, other = scores
    found, theirs = compare_pair(own, other), stats.ttest_rel(own, other)
    here, ends = found.on_this_data, theirs.confidence_interval(0.95)
    assert found.difference == pytest.approx(own.mean() - other.mean(), abs=1e-12)
    assert here.p == pytest.approx(theirs.pvalue, rel=1e-6)
    assert here.p_holm == here.p
    assert (here.ci_low, here.ci_high) == pytest.approx((ends.low, ends.high), abs=1e-9)
    assert found.for_new_data is None


@given(varied, st.floats(0.01, 1))
def test_for_new_data_it_is_nadeaus_and_bengios(scores: Scores, overlap: float) -> None:
    """As their equation has it, with the variance s^2 times (1 / n + n2 / n1)."""
    own, other = scores
    found = compare_pair(own, other, overlap).for_new_data
    assert found is not None
    n, d = len(own), own - other
    error = math.sqrt((1 / n + overlap) * np.var(d, ddof=1))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, n - 1), rel=1e-6)
    assert found.ci_low is not None
    half = stats.t.ppf(0.975, n - 1) * error
    assert (found.ci_low, found.ci_high) == pytest.approx(
        (d.mean() - half, d.mean() + half), abs=1e-9
    )


@given(arrays(np.float64, (5, 6), elements=st.floats(-10, 10, width=16)), st.floats(0.01, 1))
def test_new_data_never_tell_more_than_this_data(scores: Scores, overlap: float) -> None:
    family = PairedTestFamily(scores[1:], np.repeat(scores[:1], 4, axis=0), overlap)
    for i in range(4):
        found = family.summarize_test(i)
        here, new = found.on_this_data, found.for_new_data
        assert new is not None
        assert new.p_holm >= here.p_holm >= here.p
        assert new.p >= here.p
        if here.ci_low is not None and here.ci_high is not None:
            assert new.ci_low is not None
            assert new.ci_low <= here.ci_low <= here.ci_high <= new.ci_high
            # An interval has zero in it where the p-value of its test is above 0.05.
            assert (here.ci_low <= 0 <= here.ci_high) == (here.p >= 0.05)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([0.0] * 5, 1.0), ([0.01], 1.0), ([0.01] * 2, 0.5), ([-0.01] * 10, 2 / 1024), ([0.0], 1.0)],
)
def test_without_spread_there_is_no_interval_and_the_sign_test(
    differences: list[float], p: float
) -> None:
    others = np.linspace(0.5, 0.9, len(differences))
    found = compare_pair(others + differences, others, 0.4)
    here, new = found.on_this_data, found.for_new_data
    assert here.p == pytest.approx(p)
    signs = [difference > 0 for difference in differences]
    if differences[0]:
        assert here.p == pytest.approx(stats.binomtest(sum(signs), len(signs)).pvalue)
    assert new is not None
    assert new.p == 1
    for reading in (here, new):
        assert (reading.ci_low, reading.ci_high, reading.min_detectable, reading.seeds_needed) == (
            None,
        ) * 4


def test_differences_of_rounding_are_none() -> None:
    found = compare_pair(np.array([0.1 + 0.2, 0.7, 0.8]), np.array([0.3, 0.7, 0.8]))
    assert (found.difference, found.prob_better, found.on_this_data.p) == (0.0, 0.5, 1.0)


def test_the_probability_of_improvement_counts_ties_half() -> None:
    found = compare_pair(np.array([0.3, 0.2, 0.1, 0.6]), np.array([0.1, 0.1, 0.1, 0.9]))
    assert found.prob_better == (2 + 0.5) / 4


def test_the_correlation_is_of_the_pairs() -> None:
    own, other = np.random.default_rng(0).random((2, 9))
    assert compare_pair(own, other).correlation == pytest.approx(
        stats.pearsonr(own, other).statistic
    )
    assert compare_pair(own, np.full(9, 0.5)).correlation is None
    assert compare_pair(own[:2], other[:2]).correlation is None


def test_holms_correction_is_over_the_family() -> None:
    numbers = np.random.default_rng(0)
    own, other = numbers.normal([[0.5], [1.0], [1.5]], 1.0, (3, 8)), numbers.normal(0, 1, (3, 8))
    family = PairedTestFamily(own, other)
    p = sorted(stats.ttest_rel(own, other, axis=1).pvalue)
    found = sorted(family.summarize_test(i).on_this_data.p_holm for i in range(3))
    assert found == pytest.approx(
        [3 * p[0], max(3 * p[0], 2 * p[1]), max(3 * p[0], 2 * p[1], p[2])]
    )


def test_an_open_pair_says_how_many_seeds_and_a_settled_one_does_not() -> None:
    numbers = np.random.default_rng(0)
    noise = numbers.normal(0, 1, 10)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    here = compare_pair(noise + 0.5, np.zeros(10)).on_this_data
    assert here.seeds_needed == 34  # as G*Power has it for an effect of 0.5
    assert here.min_detectable == pytest.approx(0.996, abs=1e-3)  # 10 seeds see 3.15 / sqrt(10)
    assert compare_pair(noise + 2, np.zeros(10)).on_this_data.seeds_needed is None
    assert compare_pair(noise + 0.5, np.zeros(10), 0.4).for_new_data.seeds_needed is None


def test_many_intervals_at_once_are_each_their_own() -> None:
    values = np.random.default_rng(0).random((6, 3))
    low, high = compute_confidence_interval(values)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert low == pytest.approx(theirs.low)
    assert high == pytest.approx(theirs.high)


@given(st.lists(st.floats(0, 1), max_size=6))
def test_it_is_the_closed_test_of_bonferronis(p: list[float]) -> None:
    """Rejected is what is in rejected sets alone, each tested by its smallest p times its size."""
    everyone = range(len(p))
    sets = [s for size in range(1, len(p) + 1) for s in combinations(everyone, size)]
    closed = [max(min(1, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in everyone]
    assert_allclose(adjust_by_holm(np.array(p)), closed, rtol=1e-12)


MANY = 20_000


@pytest.mark.parametrize("level", [0.05, 0.05 / 11])
@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_the_smallest_visible_difference_is_seen_as_often_as_it_says(
    seeds: int, level: float
) -> None:
    difference = compute_min_detectable(seeds, level) / math.sqrt(seeds)
    samples = np.random.default_rng(0).normal(difference, 1.0, (MANY, seeds))
    seen = stats.ttest_1samp(samples, 0, axis=1).pvalue < level
    assert seen.mean() == pytest.approx(POWER, abs=4 * math.sqrt(0.8 * 0.2 / MANY))


@pytest.mark.parametrize("overlap", [0.0, 0.1])
def test_so_many_seeds_see_a_difference_and_one_less_does_not(overlap: float) -> None:
    def power(effect: float, seeds: int) -> float:
        limit = stats.t.isf(0.025, seeds - 1)
        return float(stats.nct.sf(limit, seeds - 1, effect / math.sqrt(1 / seeds + overlap)))

    for effect in (1.0, 1.5, 3.0):
        seeds = count_seeds_needed(effect, 0.05, overlap)
        assert seeds is not None
        assert power(effect, seeds) >= POWER - 1e-6
        assert power(effect, seeds - 1) < POWER


def test_no_number_of_seeds_does_where_the_floor_is_too_high() -> None:
    # Infinitely many seeds see (1.960 + 0.842) standard errors, of which each is sqrt(0.4).
    floor = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) * math.sqrt(0.4)
    assert count_seeds_needed(floor * 0.999, 0.05, 0.4) is None
    assert count_seeds_needed(floor * 1.001, 0.05, 0.4) is not None
    assert count_seeds_needed(0.0, 0.05) is None
    least = 2.801612 / math.sqrt(MAX_SEEDS)
    assert count_seeds_needed(least * 0.999, 0.05) is None
    assert count_seeds_needed(least * 1.001, 0.05) is not None
