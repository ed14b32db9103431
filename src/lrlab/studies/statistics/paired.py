"""Holm's correction: many tests, and one chance in twenty that any of them is wrong."""

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats


def adjust_by_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p-values of a family of tests, adjusted for there being many.

    With m of them in rising order::

        adjusted(i) = max over j <= i of min(1, (m - j + 1) * p(j))

    Those below 0.05 may all be called real: the chance that any of them is not is 5 % at most,
    however the tests depend on each other.

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


POWER = 0.8
"""How often what is there shall be seen: the usual choice, four times in five."""

MAX_SEEDS = 100_000
"""No study has more."""


@lru_cache(maxsize=4096)  # one study asks for the same ones over and over
def compute_min_detectable(seed_count: int, alpha: float) -> float:
    """The smallest difference that is seen in 80 % of studies, in standard errors.

    It is the noncentrality d of Student's t with n - 1 degrees of freedom for which
    P(T > t) = 0.8, where t is the two-sided limit of the test. (That T falls below -t instead has
    no chance to speak of.)

    Args:
        seed_count: n, 2 or more.
        alpha: of the two-sided test.

    >>> round(compute_min_detectable(30, 0.05), 3)
    2.899
    """
    limit = -special.stdtrit(seed_count - 1, alpha / 2)
    return float(special.nctdtrinc(seed_count - 1, 1 - POWER, limit))


def count_seeds_needed(
    effect_size: float, alpha: float, test_train_ratio: float = 0.0
) -> int | None:
    """How many seeds see a difference in 80 % of studies.

    With n seeds its standard error is sqrt(1 / n + overlap) standard deviations. Where splits
    overlap that does not fall to zero, and no number of seeds may do.

    Args:
        effect_size: the difference in standard deviations of the differences, 0 or more.
        alpha: of the two-sided test.
        test_train_ratio: test rows per row not tested, where each seed draws its own split.

    Returns:
        The smallest number, 2 or more; None where none up to 100 000 does.

    >>> count_seeds_needed(0.5, 0.05), count_seeds_needed(0.5, 0.05, test_train_ratio=0.4)
    (34, None)
    """

    def is_detectable(seeds: int) -> bool:
        return effect_size >= compute_min_detectable(seeds, alpha) * math.sqrt(
            1 / seeds + test_train_ratio
        )

    numbers = range(2, MAX_SEEDS + 1)
    index = bisect_left(numbers, True, key=is_detectable)
    return numbers[index] if index < len(numbers) else None


CONFIDENCE = 0.95
ALPHA = 0.05
"""Below it an adjusted p-value tells two schedules apart."""

_RELATIVE_TOLERANCE = 1e-12
"""Relative to the scores; differences smaller than that are none."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class DifferenceEstimate:
    """How sure a mean difference is, in one of two senses.

    *On this data* only seeds vary: what other seeds would give with the same rows. *For new data
    like it* the rows vary too.

    Args:
        ci_low, ci_high: ends of the 95 % interval of this difference alone, in units of the metric; None
            where the seeds do not show how they vary: one seed, or the same difference in all.
        p: of the two-sided test that there is no difference.
        p_holm: the same by Holm, for all tests of the study that belong together.
        min_detectable: the smallest difference that this number of seeds would have told apart in 80 % of
            studies, at the strictest level of Holm (0.05 / tests); None as ``ci_low``.
        seeds_needed: of a pair that is not told apart, how many seeds would tell it apart in 80 % of
            studies if the true difference and its spread are those found, at the same level; None
            where no number up to 100 000 does, and where the pair is told apart.
    """

    ci_low: float | None
    ci_high: float | None
    p: float
    p_holm: float
    min_detectable: float | None = None
    seeds_needed: int | None = None

    @property
    def significant(self) -> bool:
        """Whether the two can be told apart."""
        return self.p_holm < ALPHA


@dataclass(frozen=True)
class PairedComparison:
    """A schedule beside another, seed by seed; differences are positive where it is better.

    Args:
        difference: of the differences, in units of the metric.
        prob_better: that it is better with the same seed; ties count half.
        correlation: Pearson's, of the scores of the pairs: the nearer to 1, the more pairing
            helps; None where one of them has the same score with every seed, and below 3 seeds.
        on_this_data: as seeds vary.
        for_new_data: as rows vary too; None where every seed has the same test rows.

    Source: for the probability of improvement Bouthillier et al. 2021, arXiv:2103.03098.
    """

    difference: float
    prob_better: float
    correlation: float | None
    on_this_data: DifferenceEstimate
    for_new_data: DifferenceEstimate | None

    @property
    def estimates(self) -> tuple[DifferenceEstimate, ...]:
        """Those there are."""
        new = () if self.for_new_data is None else (self.for_new_data,)
        return (self.on_this_data, *new)


class PairedTestFamily:
    """Paired tests that belong together: Holm's correction is over all of them.

    With differences d of n seeds, of mean m and standard deviation s, and v = 1 / n on this data
    or v = 1 / n + overlap for new data like it::

        t = m / (s * sqrt(v)),   interval = m -+ t(0.975, n - 1) * s * sqrt(v)

    Where all differences are the same there is no s: on this data p is then the sign test's,
    2 / 2^n, and for new data it is 1.

    Args:
        scores: scores of shape (tests, seeds), more is better.
        reference_scores: what they are compared with, of the same shape.
        test_train_ratio: test rows per row not tested, where each seed draws its own split.

    Source: on this data Student's paired t-test; for new data the corrected resampled t-test of
    Nadeau and Bengio 2003, Machine Learning 52, 239-281: splits of the same rows share most of
    them, so that many splits say less than their number suggests.

    >>> pairs = PairedTestFamily(np.array([[0.9, 0.8, 0.9]]), np.array([[0.8, 0.8, 0.7]]))
    >>> found = pairs.summarize_test(0)
    >>> round(found.difference, 3), round(found.prob_better, 3), round(found.on_this_data.p, 3)
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
        self._scores, self._reference_scores, self._differences = (
            scores,
            reference_scores,
            differences,
        )
        self._test_count, self._seed_count = scores.shape
        self._mean_difference = differences.mean(axis=1)
        self._varies = np.ptp(differences, axis=1) > rounding[:, 0]
        self._sd = np.zeros(self._test_count)
        if self._varies.any():
            self._sd[self._varies] = differences[self._varies].std(axis=1, ddof=1)
        self._test_train_ratios = (0.0,) if test_train_ratio is None else (0.0, test_train_ratio)
        self._p_values = [self._compute_p_values(extra) for extra in self._test_train_ratios]
        self._p_values[0][~self._varies & (self._mean_difference != 0)] = 2.0 ** (
            1 - self._seed_count
        )
        self._p_holm = [adjust_by_holm(p) for p in self._p_values]

    @property
    def doubled_one_sided_p(self) -> list[FloatArray]:
        """For each reading the p-values, shape (tests,); above 1 where the mean is below zero, the
        more so the surer that is.
        """
        return [np.where(self._mean_difference > 0, p, 2 - p) for p in self._p_values]

    @property
    def significant(self) -> NDArray[np.bool_]:
        """Which pairs can be told apart on this data, shape (tests,)."""
        return self._p_holm[0] < ALPHA

    def summarize_test(self, test_index: int) -> PairedComparison:
        """All of one test."""
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
        """Two-sided p-values, 1 where nothing varies."""
        varies, p = self._varies, np.ones(self._test_count)
        standard_error = self._sd[varies] * math.sqrt(1 / self._seed_count + test_train_ratio)
        p[varies] = 2 * stats.t.sf(
            np.abs(self._mean_difference[varies]) / standard_error, self._seed_count - 1
        )
        return p

    def _estimate_difference(self, test_index: int, ratio_index: int) -> DifferenceEstimate:
        p, p_holm = (
            float(self._p_values[ratio_index][test_index]),
            float(self._p_holm[ratio_index][test_index]),
        )
        if not self._varies[test_index]:
            return DifferenceEstimate(None, None, p, p_holm)
        n, test_train_ratio, alpha = (
            self._seed_count,
            self._test_train_ratios[ratio_index],
            ALPHA / self._test_count,
        )
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
    """Both ends of Student's interval of the mean over the first axis, two values or more of it.

    With n values of standard deviation s: mean -+ t(n - 1) * s / sqrt(n), t for 95 %.

    >>> low, high = compute_confidence_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(float(low), 3), round(float(high), 3)
    (-0.484, 4.484)
    """
    mean = values.mean(axis=0)
    half_width = _compute_t_quantile(len(values)) * stats.sem(values, axis=0)
    return mean - half_width, mean + half_width


def _compute_t_quantile(seed_count: int) -> float:
    return float(special.stdtrit(seed_count - 1, (1 + CONFIDENCE) / 2))


def _compute_correlation(scores: FloatArray, reference_scores: FloatArray) -> float | None:
    if len(scores) < 3 or any(
        np.ptp(x) <= _RELATIVE_TOLERANCE * np.abs(x).max() for x in (scores, reference_scores)
    ):
        return None
    return float(np.clip(np.corrcoef(scores, reference_scores)[0, 1], -1, 1))
