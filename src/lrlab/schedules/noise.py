"""A primitive of seeded noise, for products: a random factor around 1 at every step."""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.core import Array, Primitive
from lrlab.schedules.fields import NoiseAmount, NonNegativeInteger, StandardDeviation

__all__ = ["Noise"]


@dataclass(frozen=True, repr=False)
class Noise(Primitive):
    """A random factor around 1, new at every step, a pure function of seed and step::

        rate(t) = 1 + u(floor(t)),    -amount <= u <= amount

    Args:
        amount: the largest deviation, above 0 and at most 1.
        seed: seed of the noise; 0 by default.
        std: the standard deviation of a normal distribution truncated at ``amount``; the
            distribution is uniform if omitted.

    Raises:
        ScheduleError: an argument is out of its domain.

    Source: timm's ``lr_noise``; the numbers come from the mixing function of SplitMix64 (Steele,
    Lea and Flood 2014) of seed and step, because a generator's stream has no random access.

    >>> Noise(0.1)([0, 1, 2]).round(3)
    array([1.03 , 0.974, 0.978])
    """

    gallery_example = "Cosine() * Noise(0.3)"
    amount: NoiseAmount
    _: KW_ONLY
    seed: NonNegativeInteger = 0
    std: StandardDeviation = None

    def evaluate(self, t: Array, base: float) -> Array:
        uniform = _draw_uniform(self.seed, t)
        if self.std is None:
            return base * (1 + self.amount * (2 * uniform - 1))
        from statistics import NormalDist  # whose import takes longer than this module

        normal = NormalDist(0, self.std)
        low = normal.cdf(-self.amount)
        quantiles = low + uniform * (1 - 2 * low)
        deviations = np.array([normal.inv_cdf(quantile) for quantile in quantiles.tolist()])
        clipped: Array = np.clip(deviations, -self.amount, self.amount)
        return base * (1 + clipped)


def _draw_uniform(seed: int, t: Array) -> Array:
    """Return pseudo-random numbers above 0 and below 1, one for each step."""
    with np.errstate(over="ignore"):  # integers wrap around on purpose
        state = np.floor(t).astype(np.uint64)
        state = state + np.uint64(seed % 2**64) * np.uint64(0xD1342543DE82EF95)
        for _ in range(2):
            state = state + np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
