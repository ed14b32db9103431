"""Paired differences and what they allow to say, on this data and for new data like it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from lrlab.studies.statistics.holm import holm
from lrlab.studies.statistics.power import seeds_to_see, visible

CONFIDENCE = 0.95
ALPHA = 0.05
"""Below it an adjusted p-value tells two schedules apart."""

_ROUNDING = 1e-12
"""Relative to the scores; differences smaller than that are none."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """How sure a mean difference is, in one of two senses.

    *On this data* only seeds vary: what other seeds would give with the same rows. *For new data
    like it* the rows vary too.

    Args:
        low, high: ends of the 95 % interval of this difference alone, in units of the metric; None
            where the seeds do not show how they vary: one seed, or the same difference in all.
        p: of the two-sided test that there is no difference.
        adjusted: the same by Holm, for all tests of the study that belong together.
        visible: the smallest difference that this number of seeds would have told apart in 80 % of
            studies, at the strictest level of Holm (0.05 / tests); None as ``low``.
        seeds: of a pair that is not told apart, how many seeds would tell it apart in 80 % of
            studies if the true difference and its spread are those found, at the same level; None
            where no number up to 100 000 does, and where the pair is told apart.
    """

    low: float | None
    high: float | None
    p: float
    adjusted: float
    visible: float | None = None
    seeds: int | None = None

    @property
    def told(self) -> bool:
        """Whether the two can be told apart."""
        return self.adjusted < ALPHA


@dataclass(frozen=True)
class Versus:
    """A schedule beside another, seed by seed; differences are positive where it is better.

    Args:
        mean: of the differences, in units of the metric.
        probability: that it is better with the same seed; ties count half.
        correlation: Pearson's, of the scores of the pairs: the nearer to 1, the more pairing
            helps; None where one of them has the same score with every seed, and below 3 seeds.
        on_this_data: as seeds vary.
        for_new_data: as rows vary too; None where every seed has the same test rows.

    Source: for the probability of improvement Bouthillier et al. 2021, arXiv:2103.03098.
    """

    mean: float
    probability: float
    correlation: float | None
    on_this_data: Reading
    for_new_data: Reading | None

    @property
    def readings(self) -> tuple[Reading, ...]:
        """Those there are."""
        new = () if self.for_new_data is None else (self.for_new_data,)
        return (self.on_this_data, *new)


class Family:
    """Paired tests that belong together: Holm's correction is over all of them.

    With differences d of n seeds, of mean m and standard deviation s, and v = 1 / n on this data
    or v = 1 / n + overlap for new data like it::

        t = m / (s * sqrt(v)),   interval = m -+ t(0.975, n - 1) * s * sqrt(v)

    Where all differences are the same there is no s: on this data p is then the sign test's,
    2 / 2^n, and for new data it is 1.

    Args:
        own: scores of shape (tests, seeds), more is better.
        others: what they are compared with, of the same shape.
        overlap: test rows per row not tested, where each seed draws its own split.

    Source: on this data Student's paired t-test; for new data the corrected resampled t-test of
    Nadeau and Bengio 2003, Machine Learning 52, 239-281: splits of the same rows share most of
    them, so that many splits say less than their number suggests.

    >>> pairs = Family(np.array([[0.9, 0.8, 0.9]]), np.array([[0.8, 0.8, 0.7]]))
    >>> found = pairs.versus(0)
    >>> round(found.mean, 3), round(found.probability, 3), round(found.on_this_data.p, 3)
    (0.1, 0.833, 0.225)
    """

    def __init__(self, own: Numbers, others: Numbers, overlap: float | None = None) -> None:
        rounding = _ROUNDING * np.maximum(np.abs(own), np.abs(others)).max(axis=1, keepdims=True)
        differences = own - others
        differences[np.abs(differences) <= rounding] = 0
        self._own, self._others, self._differences = own, others, differences
        self._tests, self._seeds = own.shape
        self._mean = differences.mean(axis=1)
        self._varies = np.ptp(differences, axis=1) > rounding[:, 0]
        self._sd = np.zeros(self._tests)
        if self._varies.any():
            self._sd[self._varies] = differences[self._varies].std(axis=1, ddof=1)
        self._overlaps = (0.0,) if overlap is None else (0.0, overlap)
        self._p = [self._tested(extra) for extra in self._overlaps]
        self._p[0][~self._varies & (self._mean != 0)] = 2.0 ** (1 - self._seeds)
        self._adjusted = [holm(p) for p in self._p]

    @property
    def p_of_gain(self) -> list[Numbers]:
        """For each reading the p-values, shape (tests,); above 1 where the mean is below zero, the
        more so the surer that is.
        """
        return [np.where(self._mean > 0, p, 2 - p) for p in self._p]

    @property
    def told(self) -> NDArray[np.bool_]:
        """Which pairs can be told apart on this data, shape (tests,)."""
        return self._adjusted[0] < ALPHA

    def versus(self, test: int) -> Versus:
        """All of one test."""
        this, *new = (self._reading(test, i) for i in range(len(self._overlaps)))
        return Versus(
            mean=float(self._mean[test]),
            probability=float((1 + np.sign(self._differences[test]).mean()) / 2),
            correlation=_correlation(self._own[test], self._others[test]),
            on_this_data=this,
            for_new_data=new[0] if new else None,
        )

    def _tested(self, overlap: float) -> Numbers:
        """Two-sided p-values, 1 where nothing varies."""
        varies, p = self._varies, np.ones(self._tests)
        error = self._sd[varies] * math.sqrt(1 / self._seeds + overlap)
        p[varies] = 2 * stats.t.sf(np.abs(self._mean[varies]) / error, self._seeds - 1)
        return p

    def _reading(self, test: int, which: int) -> Reading:
        p, adjusted = float(self._p[which][test]), float(self._adjusted[which][test])
        if not self._varies[test]:
            return Reading(None, None, p, adjusted)
        n, overlap, level = self._seeds, self._overlaps[which], ALPHA / self._tests
        mean, sd = float(self._mean[test]), float(self._sd[test])
        error = sd * math.sqrt(1 / n + overlap)
        half = _limit(n) * error
        seeds = None if adjusted < ALPHA else seeds_to_see(abs(mean) / sd, level, overlap)
        return Reading(mean - half, mean + half, p, adjusted, visible(n, level) * error, seeds)


def interval(values: Numbers) -> tuple[Numbers, Numbers]:
    """Both ends of Student's interval of the mean over the first axis, two values or more of it.

    With n values of standard deviation s: mean -+ t(n - 1) * s / sqrt(n), t for 95 %.

    >>> low, high = interval(np.array([1.0, 2.0, 3.0]))
    >>> round(float(low), 3), round(float(high), 3)
    (-0.484, 4.484)
    """
    mean = values.mean(axis=0)
    half = _limit(len(values)) * stats.sem(values, axis=0)
    return mean - half, mean + half


def _limit(seeds: int) -> float:
    return float(special.stdtrit(seeds - 1, (1 + CONFIDENCE) / 2))


def _correlation(own: Numbers, others: Numbers) -> float | None:
    if len(own) < 3 or any(np.ptp(x) <= _ROUNDING * np.abs(x).max() for x in (own, others)):
        return None
    return float(np.clip(np.corrcoef(own, others)[0, 1], -1, 1))
