"""Paired tests against SciPy's tests and the formulas of the papers."""

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
    MAX_SEEDS_NEEDED,
    POWER,
    PairedComparison,
    PairedTestFamily,
    adjust_by_holm,
    compute_confidence_interval,
    compute_min_detectable,
    count_seeds_needed,
)

Scores = NDArray[np.float64]
varying_scores = arrays(np.float64, (2, 7), elements=st.floats(-10, 10, width=16)).filter(
    lambda scores: np.ptp(scores[0] - scores[1]) > 1e-3
)


def compare_pair(
    scores: Scores, others: Scores, test_train_ratio: float | None = None
) -> PairedComparison:
    family = PairedTestFamily(np.array([scores]), np.array([others]), test_train_ratio)
    return family.summarize_test(0)


@given(varying_scores)
def test_estimates_on_this_data_equal_scipys_paired_test(both: Scores) -> None:
    scores, others = both
    paired, expected = compare_pair(scores, others), stats.ttest_rel(scores, others)
    here, ends = paired.on_this_data, expected.confidence_interval(0.95)
    assert paired.difference == pytest.approx(scores.mean() - others.mean(), abs=1e-12)
    assert here.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert here.p_holm == here.p
    assert (here.ci_low, here.ci_high) == pytest.approx((ends.low, ends.high), abs=1e-9)
    assert paired.for_new_data is None


@given(varying_scores, st.floats(0.01, 1))
def test_estimates_for_new_data_equal_nadeaus_and_bengios(both: Scores, ratio: float) -> None:
    """Their equation has the variance s^2 times (1 / n + n2 / n1)."""
    scores, others = both
    estimate = compare_pair(scores, others, ratio).for_new_data
    assert estimate is not None
    n, d = len(scores), scores - others
    error = math.sqrt((1 / n + ratio) * np.var(d, ddof=1))
    assert estimate.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, n - 1), rel=1e-6)
    assert estimate.ci_low is not None
    half_width = stats.t.ppf(0.975, n - 1) * error
    assert (estimate.ci_low, estimate.ci_high) == pytest.approx(
        (d.mean() - half_width, d.mean() + half_width), abs=1e-9
    )


@given(arrays(np.float64, (5, 6), elements=st.floats(-10, 10, width=16)), st.floats(0.01, 1))
def test_estimates_for_new_data_are_never_narrower(scores: Scores, ratio: float) -> None:
    family = PairedTestFamily(scores[1:], np.repeat(scores[:1], 4, axis=0), ratio)
    for i in range(4):
        paired = family.summarize_test(i)
        here, new = paired.on_this_data, paired.for_new_data
        assert new is not None
        assert new.p_holm >= here.p_holm >= here.p
        assert new.p >= here.p
        if here.ci_low is not None and here.ci_high is not None:
            assert new.ci_low is not None
            assert new.ci_low <= here.ci_low <= here.ci_high <= new.ci_high
            # The interval contains 0 if and only if the p-value is 0.05 or more.
            assert (here.ci_low <= 0 <= here.ci_high) == (here.p >= 0.05)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([0.0] * 5, 1.0), ([0.01], 1.0), ([0.01] * 2, 0.5), ([-0.01] * 10, 2 / 1024), ([0.0], 1.0)],
)
def test_equal_differences_have_the_sign_test_and_no_interval(
    differences: list[float], p: float
) -> None:
    others = np.linspace(0.5, 0.9, len(differences))
    paired = compare_pair(others + differences, others, 0.4)
    here, new = paired.on_this_data, paired.for_new_data
    assert here.p == pytest.approx(p)
    signs = [difference > 0 for difference in differences]
    if differences[0]:
        assert here.p == pytest.approx(stats.binomtest(sum(signs), len(signs)).pvalue)
    assert new is not None
    assert new.p == 1
    for estimate in (here, new):
        assert (estimate.ci_low, estimate.ci_high) == (None, None)
        assert (estimate.min_detectable, estimate.seeds_needed) == (None, None)


def test_differences_by_rounding_count_as_zero() -> None:
    paired = compare_pair(np.array([0.1 + 0.2, 0.7, 0.8]), np.array([0.3, 0.7, 0.8]))
    assert (paired.difference, paired.prob_better, paired.on_this_data.p) == (0.0, 0.5, 1.0)


def test_the_probability_of_improvement_counts_ties_half() -> None:
    paired = compare_pair(np.array([0.3, 0.2, 0.1, 0.6]), np.array([0.1, 0.1, 0.1, 0.9]))
    assert paired.prob_better == (2 + 0.5) / 4


def test_the_correlation_is_pearsons() -> None:
    scores, others = np.random.default_rng(0).random((2, 9))
    expected = stats.pearsonr(scores, others).statistic
    assert compare_pair(scores, others).correlation == pytest.approx(expected)
    assert compare_pair(scores, np.full(9, 0.5)).correlation is None
    assert compare_pair(scores[:2], others[:2]).correlation is None


def test_holms_correction_is_over_the_family() -> None:
    rng = np.random.default_rng(0)
    scores, others = rng.normal([[0.5], [1.0], [1.5]], 1.0, (3, 8)), rng.normal(0, 1, (3, 8))
    family = PairedTestFamily(scores, others)
    p = sorted(stats.ttest_rel(scores, others, axis=1).pvalue)
    p_holm = sorted(family.summarize_test(i).on_this_data.p_holm for i in range(3))
    assert p_holm == pytest.approx(
        [3 * p[0], max(3 * p[0], 2 * p[1]), max(3 * p[0], 2 * p[1], p[2])]
    )


def test_only_pairs_without_a_clear_difference_have_a_number_of_seeds() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 10)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    here = compare_pair(noise + 0.5, np.zeros(10)).on_this_data
    assert here.seeds_needed == 34  # as G*Power gives for an effect size of 0.5
    assert here.min_detectable == pytest.approx(0.996, abs=1e-3)  # 3.15 / sqrt(10)
    assert compare_pair(noise + 2, np.zeros(10)).on_this_data.seeds_needed is None
    assert compare_pair(noise + 0.5, np.zeros(10), 0.4).for_new_data.seeds_needed is None


def test_intervals_of_several_columns_equal_scipys() -> None:
    values = np.random.default_rng(0).random((6, 3))
    low, high = compute_confidence_interval(values)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert low == pytest.approx(expected.low)
    assert high == pytest.approx(expected.high)


@given(st.lists(st.floats(0, 1), max_size=6))
def test_holms_correction_is_the_closed_test_of_bonferroni_tests(p: list[float]) -> None:
    """A test is rejected if all sets with it are, by their smallest p-value times their size."""
    tests = range(len(p))
    sets = [s for size in range(1, len(p) + 1) for s in combinations(tests, size)]
    closed = [max(min(1, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in tests]
    assert_allclose(adjust_by_holm(np.array(p)), closed, rtol=1e-12)


SAMPLES = 20_000


@pytest.mark.parametrize("level", [0.05, 0.05 / 11])
@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_the_smallest_detectable_difference_is_detected_with_the_promised_power(
    seeds: int, level: float
) -> None:
    difference = compute_min_detectable(seeds, level) / math.sqrt(seeds)
    samples = np.random.default_rng(0).normal(difference, 1.0, (SAMPLES, seeds))
    is_detected = stats.ttest_1samp(samples, 0, axis=1).pvalue < level
    assert is_detected.mean() == pytest.approx(POWER, abs=4 * math.sqrt(0.8 * 0.2 / SAMPLES))


@pytest.mark.parametrize("ratio", [0.0, 0.1])
def test_one_seed_less_than_needed_is_too_few(ratio: float) -> None:
    def compute_power(effect: float, seeds: int) -> float:
        limit = stats.t.isf(0.025, seeds - 1)
        return float(stats.nct.sf(limit, seeds - 1, effect / math.sqrt(1 / seeds + ratio)))

    for effect in (1.0, 1.5, 3.0):
        seeds = count_seeds_needed(effect, 0.05, ratio)
        assert seeds is not None
        assert compute_power(effect, seeds) >= POWER - 1e-6
        assert compute_power(effect, seeds - 1) < POWER


def test_for_new_data_no_number_of_seeds_may_be_enough() -> None:
    # Infinitely many seeds detect (1.960 + 0.842) standard errors, and one is sqrt(0.4).
    smallest = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) * math.sqrt(0.4)
    assert count_seeds_needed(smallest * 0.999, 0.05, 0.4) is None
    assert count_seeds_needed(smallest * 1.001, 0.05, 0.4) is not None
    assert count_seeds_needed(0.0, 0.05) is None
    smallest = 2.801612 / math.sqrt(MAX_SEEDS_NEEDED)
    assert count_seeds_needed(smallest * 0.999, 0.05) is None
    assert count_seeds_needed(smallest * 1.001, 0.05) is not None
