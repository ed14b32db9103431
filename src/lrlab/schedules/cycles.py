"""Primitives that go up and down: a cosine wave and a polynomial cycle."""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.core import Array, Primitive
from lrlab.schedules.durations import ROUNDING_SLACK
from lrlab.schedules.fields import Level, Period, Positive, resolve_level

__all__ = ["CosineWave", "PolynomialCycle"]


@dataclass(frozen=True, repr=False)
class CosineWave(Primitive):
    """Falls and climbs along a whole cosine, without end::

        rate(t) = low + (high - low) * (1 + cos(2 * pi * t / period)) / 2

    Args:
        period: the duration from one peak to the next, above 0.
        high, low: factors of the base rate, 0 or more, or ``Absolute`` rates.

    Raises:
        ScheduleError: ``period`` is not above 0, or a level is negative or not finite.

    Source: torch's CosineAnnealingLR past its ``T_max``, which is half the period; the
    ``num_cycles`` of transformers.

    >>> CosineWave(4)([0, 1, 2, 3, 4]).round(3)
    array([1. , 0.5, 0. , 0.5, 1. ])
    """

    gallery_example = "CosineWave(40)"
    period: Period
    _: KW_ONLY
    high: Level = 1.0
    low: Level = 0.0

    def evaluate(self, t: Array, base: float) -> Array:
        # Whole turns are subtracted first: the cosine of a large number is less exact.
        turn = np.mod(t / self.to_steps(self.period), 1.0)
        c = (1 + np.cos(2 * np.pi * turn)) / 2
        return resolve_level(self.high, base) * c + resolve_level(self.low, base) * (1 - c)


@dataclass(frozen=True, repr=False)
class PolynomialCycle(Primitive):
    """A polynomial decay whose duration grows each time its end is passed::

        rate(t) = end + (start - end) * (1 - t / D) ** power
        D = period * max(1, ceil(t / period))

    It touches ``end`` at every multiple of ``period``, jumps up, and falls more slowly each time.

    Args:
        power: the exponent, above 0; 1 is a straight line.
        period: the duration of the first fall, above 0.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates.

    Raises:
        ScheduleError: ``power`` or ``period`` is not above 0, or a level is negative or not finite.

    Source: the ``cycle=True`` of PolynomialDecay in TensorFlow, Keras and Paddle.

    >>> PolynomialCycle(1, period=2)([0, 1, 2, 3, 4, 5]).round(3)
    array([1.   , 0.5  , 0.   , 0.25 , 0.   , 0.167])
    """

    gallery_example = "PolynomialCycle(2, period=30)"
    power: Positive
    _: KW_ONLY
    period: Period
    start: Level = 1.0
    end: Level = 0.0

    def evaluate(self, t: Array, base: float) -> Array:
        period = self.to_steps(self.period)
        falls = np.maximum(1.0, np.ceil(t / period / ROUNDING_SLACK))
        remaining = np.maximum(0.0, 1 - t / (period * falls))
        c = np.power(remaining, self.power)
        return resolve_level(self.start, base) * c + resolve_level(self.end, base) * (1 - c)
