"""Paired tests of scores over seeds: differences, intervals, p-values by Holm, and power."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

CONFIDENCE = 0.95

POWER = 0.8
"""Probability of detecting a true difference; 80 % is the usual choice."""

ALPHA = 0.05
"""A difference is clear if its adjusted p-value is below this."""

MAX_SEEDS_NEEDED = 100_000
"""More seeds than this are never asked for: a study may not have more."""

_RELATIVE_TOLERANCE = 1e-12
"""Differences that are smaller than this, relative to the scores, count as zero."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class DifferenceEstimate:
    """The uncertainty of a mean difference, in one of two senses.

    *On this data* only the seeds vary: it covers what other seeds would give with the same rows.
    *For new data like it* the rows vary, too.

    Args:
        ci_low, ci_high: ends of the 95 % interval of this difference alone, in units of the metric;
            None if the variation is unknown: with one seed, or the same difference for all seeds.
        p: of the two-sided test for no difference.
        p_holm: the p-value adjusted by Holm for all tests of the family.
        min_detectable: the smallest difference that this number of seeds detects in 80 % of
            studies, at Holm's strictest level (0.05 / tests); None as ``ci_low``.
        seeds_needed: for a pair without a clear difference, the number of seeds that would show the
            difference in 80 % of studies at the same level, if it and its standard deviation are as
            measured; None if no number up to 100 000 would, and for a clear difference.
    """

    ci_low: float | None
    ci_high: float | None
    p: float
    p_holm: float
    min_detectable: float | None = None
    seeds_needed: int | None = None

    @property
    def significant(self) -> bool:
        """Whether the difference is clear."""
        return self.p_holm < ALPHA

    @property
    def is_lost_by_correction(self) -> bool:
        """Whether the difference would be clear if this were the only comparison, but is not."""
        return self.p < ALPHA <= self.p_holm

    def contains(self, difference: float) -> bool | None:
        """Return whether the interval contains a difference; None without an interval."""
        if self.ci_low is None or self.ci_high is None:
            return None
        return self.ci_low <= difference <= self.ci_high


@dataclass(frozen=True)
class PairedComparison:
    """A schedule compared with another, seed by seed; positive differences mean it is better.

    Args:
        difference: mean difference in units of the metric.
        prob_better: fraction of the seeds with which it is better; ties count half.
        correlation: Pearson's correlation of the paired scores: the closer to 1, the more pairing
            helps; None below 3 seeds, and if one of the two has the same score for every seed.
        on_this_data: the estimate as seeds vary.
        for_new_data: the estimate as rows vary, too; None if all seeds have the same test rows.

    Source: for the probability of improvement Bouthillier et al. 2021, arXiv:2103.03098.
    """

    difference: float
    prob_better: float
    correlation: float | None
    on_this_data: DifferenceEstimate
    for_new_data: DifferenceEstimate | None

    @property
    def estimates(self) -> tuple[DifferenceEstimate, ...]:
        """The estimates of this comparison, that on this data first."""
        new = () if self.for_new_data is None else (self.for_new_data,)
        return (self.on_this_data, *new)


class PairedTestFamily:
    """A family of paired tests; Holm's correction covers all of them.

    With differences of n seeds, their mean m and standard deviation s, and v = 1 / n on this data
    or v = 1 / n + test_train_ratio for new data like it::

        t = m / (s * sqrt(v)),   interval = m -+ t(0.975, n - 1) * s * sqrt(v)

    If all differences are equal, s is unknown: p is then that of the sign test, 2 / 2^n, on this
    data, and 1 for new data.

    Args:
        scores: of shape (tests, seeds), greater is better.
        reference_scores: what they are compared with, of the same shape.
        test_train_ratio: test rows per remaining row, if each seed draws its own split.

    Source: on this data Student's paired t-test; for new data the corrected resampled t-test of
    Nadeau and Bengio 2003, Machine Learning 52, 239-281: splits of the same rows share most of
    them, so n splits say less than n new data sets would.

    >>> pairs = PairedTestFamily(np.array([[0.9, 0.8, 0.9]]), np.array([[0.8, 0.8, 0.7]]))
    >>> pair = pairs.summarize_test(0)
    >>> round(pair.difference, 3), round(pair.prob_better, 3), round(pair.on_this_data.p, 3)
    (0.1, 0.833, 0.225)
    """

    def __init__(
        self,
        scores: FloatArray,
        reference_scores: FloatArray,
        test_train_ratio: float | None = None,
    ) -> None:
        rounding = _RELATIVE_TOLERANCE * np.maximum(np.abs(scores), np.abs(reference_scores)).max(
            axis=1, keepdims=True
        )
        differences = scores - reference_scores
        differences[np.abs(differences) <= rounding] = 0
        self._scores, self._reference_scores = scores, reference_scores
        self._differences = differences
        self._test_count, self._seed_count = scores.shape
        self._mean_difference = differences.mean(axis=1)
        self._varies = np.ptp(differences, axis=1) > rounding[:, 0]
        self._sd = np.zeros(self._test_count)
        if self._varies.any():
            self._sd[self._varies] = differences[self._varies].std(axis=1, ddof=1)
        self._test_train_ratios = (0.0,) if test_train_ratio is None else (0.0, test_train_ratio)
        self._p_values = [self._compute_p_values(ratio) for ratio in self._test_train_ratios]
        self._p_values[0][~self._varies & (self._mean_difference != 0)] = 2.0 ** (
            1 - self._seed_count
        )
        self._p_holm = [adjust_by_holm(p) for p in self._p_values]

    @property
    def doubled_one_sided_p(self) -> list[FloatArray]:
        """Twice the one-sided p-values on this data and for new data, each of shape (tests,).

        They exceed 1 if the mean difference is negative.
        """
        return [np.where(self._mean_difference > 0, p, 2 - p) for p in self._p_values]

    @property
    def significant(self) -> NDArray[np.bool_]:
        """Whether each pair differs clearly on this data, shape (tests,)."""
        return self._p_holm[0] < ALPHA

    def summarize_test(self, test_index: int) -> PairedComparison:
        """Return the comparison of one pair."""
        on_this_data, *new = (
            self._estimate_difference(test_index, i) for i in range(len(self._test_train_ratios))
        )
        return PairedComparison(
            difference=float(self._mean_difference[test_index]),
            prob_better=float((1 + np.sign(self._differences[test_index]).mean()) / 2),
            correlation=_compute_correlation(
                self._scores[test_index], self._reference_scores[test_index]
            ),
            on_this_data=on_this_data,
            for_new_data=new[0] if new else None,
        )

    def _compute_p_values(self, test_train_ratio: float) -> FloatArray:
        """Return two-sided p-values, 1 where nothing varies."""
        varies, p = self._varies, np.ones(self._test_count)
        standard_error = self._sd[varies] * math.sqrt(1 / self._seed_count + test_train_ratio)
        p[varies] = 2 * stats.t.sf(
            np.abs(self._mean_difference[varies]) / standard_error, self._seed_count - 1
        )
        return p

    def _estimate_difference(self, test_index: int, ratio_index: int) -> DifferenceEstimate:
        p = float(self._p_values[ratio_index][test_index])
        p_holm = float(self._p_holm[ratio_index][test_index])
        if not self._varies[test_index]:
            return DifferenceEstimate(None, None, p, p_holm)
        n, alpha = self._seed_count, ALPHA / self._test_count
        test_train_ratio = self._test_train_ratios[ratio_index]
        mean, sd = float(self._mean_difference[test_index]), float(self._sd[test_index])
        standard_error = sd * math.sqrt(1 / n + test_train_ratio)
        half_width = _compute_t_quantile(n) * standard_error
        seeds_needed = (
            None if p_holm < ALPHA else count_seeds_needed(abs(mean) / sd, alpha, test_train_ratio)
        )
        return DifferenceEstimate(
            mean - half_width,
            mean + half_width,
            p,
            p_holm,
            compute_min_detectable(n, alpha) * standard_error,
            seeds_needed,
        )


def compute_confidence_interval(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return both ends of Student's interval of the mean over the first axis, of length 2 or more.

    With n values of standard deviation s: mean -+ t(n - 1) * s / sqrt(n), t for 95 %.

    >>> low, high = compute_confidence_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(float(low), 3), round(float(high), 3)
    (-0.484, 4.484)
    """
    mean = values.mean(axis=0)
    half_width = _compute_t_quantile(len(values)) * stats.sem(values, axis=0)
    return mean - half_width, mean + half_width


def adjust_by_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust the p-values of a family of tests for their number, by Holm.

    With m p-values in ascending order::

        adjusted(i) = max over j <= i of min(1, (m - j + 1) * p(j))

    If all adjusted p-values below 0.05 are called significant, the probability of any false one is
    at most 5 %, however the tests depend on each other.

    Args:
        p_values: shape (tests,).

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70. (SciPy has only corrections of
    the false discovery rate.)

    >>> adjust_by_holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return adjusted


@lru_cache(maxsize=4096)  # a study repeats the same arguments
def compute_min_detectable(seed_count: int, alpha: float) -> float:
    """Return the smallest difference detected in 80 % of studies, in standard errors.

    It is the noncentrality d of Student's t with n - 1 degrees of freedom for which
    P(T > t) = 0.8, where t is the two-sided limit of the test. (P(T < -t) is negligible.)

    Args:
        seed_count: n, 2 or more.
        alpha: level of the two-sided test.

    >>> round(compute_min_detectable(30, 0.05), 3)
    2.899
    """
    limit = -special.stdtrit(seed_count - 1, alpha / 2)
    return float(special.nctdtrinc(seed_count - 1, 1 - POWER, limit))


def count_seeds_needed(
    effect_size: float, alpha: float, test_train_ratio: float = 0.0
) -> int | None:
    """Return the number of seeds that detects a difference in 80 % of studies.

    With n seeds its standard error is sqrt(1 / n + test_train_ratio) standard deviations. With a
    ratio above 0 this does not fall to zero, so possibly no number of seeds is enough.

    Args:
        effect_size: the difference in standard deviations of the differences, 0 or more.
        alpha: level of the two-sided test.
        test_train_ratio: test rows per remaining row, if each seed draws its own split.

    Returns:
        The smallest number, 2 or more; None if none up to 100 000 is enough.

    >>> count_seeds_needed(0.5, 0.05), count_seeds_needed(0.5, 0.05, test_train_ratio=0.4)
    (34, None)
    """

    def is_detectable(seeds: int) -> bool:
        return effect_size >= compute_min_detectable(seeds, alpha) * math.sqrt(
            1 / seeds + test_train_ratio
        )

    numbers = range(2, MAX_SEEDS_NEEDED + 1)
    index = bisect_left(numbers, True, key=is_detectable)
    return numbers[index] if index < len(numbers) else None


def _compute_t_quantile(seed_count: int) -> float:
    return float(special.stdtrit(seed_count - 1, (1 + CONFIDENCE) / 2))


def _compute_correlation(scores: FloatArray, reference_scores: FloatArray) -> float | None:
    if len(scores) < 3 or any(
        np.ptp(x) <= _RELATIVE_TOLERANCE * np.abs(x).max() for x in (scores, reference_scores)
    ):
        return None
    return float(np.clip(np.corrcoef(scores, reference_scores)[0, 1], -1, 1))
