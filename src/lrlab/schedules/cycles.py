"""Cycles: something repeated, and waves."""

import math
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from lrlab.schedules.core import Array, Primitive, Wrapper, check_rates
from lrlab.schedules.durations import ROUNDING_SLACK, Horizon
from lrlab.schedules.fields import AtLeastOne, Level, Period, Positive, RepeatCount, resolve_level

__all__ = ["CosineWave", "PolynomialCycle", "Repeat"]


_MAX_LOG_GROWTH = 600.0
"""The logarithm of the longest that repetitions may grow to."""


@dataclass(frozen=True, repr=False)
class Repeat(Wrapper):
    """A schedule again and again; written ``a.repeat(times, growth=..., decay=...)``::

        rate(t) = decay ** n * a((t - s(n)) / growth ** n),    s(n) <= t < s(n + 1)

    Repetition n = 0, 1, ... begins at s(n) = L * (1 + growth + ... + growth ** (n - 1)), where L is
    the length of ``a``. A schedule that takes the rest of the training shares it among ``times``.

    Args:
        schedule: what is repeated; it has an end and reads no metric.
        times: how often, from 1 to a billion; without end when left out.
        growth: how many times as long each repetition is as the one before, 1 or more.
        decay: how many times as high, above 0. It multiplies all of it, an absolute floor too.

    Raises:
        ScheduleError: an argument is out of its domain; or, when it is evaluated, the rate has
            outgrown float64.

    Source: warm restarts, Loshchilov and Hutter 2017, arXiv:1608.03983; the ``t_mult`` and
    ``m_mult`` of TensorFlow.

    >>> from lrlab.schedules import Cosine
    >>> Cosine(2).repeat(2, growth=2, decay=0.5)([0, 1, 2, 3, 4, 5, 6, 7]).round(3)
    array([1.   , 0.5  , 0.5  , 0.427, 0.25 , 0.073, 0.   , 0.   ])
    """

    times: RepeatCount = None
    _: KW_ONLY
    growth: AtLeastOne = 1.0
    decay: Positive = 1.0
    method_name: ClassVar[str] = "repeat"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.schedule.needs_metric:
            raise self.make_error(f"what is repeated must read no metric, got {self.schedule}.")
        if self.times is not None and self.times * math.log(self.growth) > _MAX_LOG_GROWTH:
            raise self.make_error(
                f"growth={self.growth!r} over {self.times} times is longer than float64 can count."
            )
        if not self.schedule.has_end:
            raise self.make_error(
                f"what is repeated must have an end, got {self.schedule}; say when with .until(30)."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        period = self.schedule.compute_length(Horizon())
        if not period:  # where no step of training is left, all repetitions are over at once
            last = self.decay ** (0 if self.times is None else self.times - 1)
            return last * self.schedule.evaluate(t, base)
        with np.errstate(over="ignore", invalid="ignore"):  # checked() says which step it was
            n = self._find_repetition(t / period * ROUNDING_SLACK)
            inner_t = np.maximum(0.0, t - period * self._compute_starts(n)) / np.power(
                self.growth, n
            )
            rates = np.power(self.decay, n) * self.schedule.evaluate(inner_t, base)
        return check_rates(rates, t, self)

    def _find_repetition(self, x: Array) -> Array:
        """The number of the repetition in which x, counted in lengths of the first, lies."""
        if self.growth == 1:
            n = np.floor(x)
        else:
            n = np.floor(np.log(x * (self.growth - 1) + 1) / math.log(self.growth))
            n -= self._compute_starts(n) > x  # the logarithms may be off by their last bits
            n += self._compute_starts(n + 1) <= x
        return n if self.times is None else np.minimum(n, self.times - 1)

    def _compute_starts(self, n: Array | int) -> Any:
        """Where repetition n begins, counted in lengths of the first."""
        return n if self.growth == 1 else (np.power(self.growth, n) - 1) / (self.growth - 1)

    @property
    def has_end(self) -> bool:
        return self.times is not None

    def compute_length(self, horizon: Horizon) -> float:
        if self.times is None:
            return math.inf
        return self.schedule.compute_length(self.to_inner_horizon(horizon)) * float(
            self._compute_starts(self.times)
        )

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return (
            horizon
            if self.times is None
            else horizon.scale_remaining(1 / self._compute_starts(self.times))
        )


@dataclass(frozen=True, repr=False)
class CosineWave(Primitive):
    """Falls and climbs along a whole cosine, without end::

        rate(t) = low + (high - low) * (1 + cos(2 * pi * t / period)) / 2

    Args:
        period: the duration from one peak to the next, above 0.
        high, low: factors of the base rate, 0 or more, or an absolute ``Rate``.

    Raises:
        ScheduleError: ``period`` is not above 0, or a level is negative or not finite.

    Source: torch's CosineAnnealingLR past its ``T_max``, which is half the period; the
    ``num_cycles`` of transformers.

    >>> CosineWave(4)([0, 1, 2, 3, 4]).round(3)
    array([1. , 0.5, 0. , 0.5, 1. ])
    """

    period: Period
    _: KW_ONLY
    high: Level = 1.0
    low: Level = 0.0

    def evaluate(self, t: Array, base: float) -> Array:
        # Whole turns are taken off first: a cosine of a large number is off by its last bits.
        turn = np.mod(t / Horizon().to_period(self.period), 1.0)
        c = (1 + np.cos(2 * np.pi * turn)) / 2
        return resolve_level(self.high, base) * c + resolve_level(self.low, base) * (1 - c)


@dataclass(frozen=True, repr=False)
class PolynomialCycle(Primitive):
    """A polynomial decay whose duration is lengthened each time its end is passed::

        rate(t) = end + (start - end) * (1 - t / D) ** power
        D = period * max(1, ceil(t / period))

    So it touches ``end`` at every multiple of ``period``, climbs at once, and falls more slowly
    each time.

    Args:
        power: the exponent, above 0; 1 is a straight line.
        period: the duration of the first fall, above 0.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``.

    Raises:
        ScheduleError: ``power`` or ``period`` is not above 0, or a level is negative or not finite.

    Source: the ``cycle=True`` of PolynomialDecay in TensorFlow, Keras and Paddle.

    >>> PolynomialCycle(1, period=2)([0, 1, 2, 3, 4, 5]).round(3)
    array([1.   , 0.5  , 0.   , 0.25 , 0.   , 0.167])
    """

    power: Positive
    _: KW_ONLY
    period: Period
    start: Level = 1.0
    end: Level = 0.0

    def evaluate(self, t: Array, base: float) -> Array:
        period = Horizon().to_period(self.period)
        falls = np.maximum(1.0, np.ceil(t / period / ROUNDING_SLACK))
        remaining = np.maximum(0.0, 1 - t / (period * falls))
        c = np.power(remaining, self.power)
        return resolve_level(self.start, base) * c + resolve_level(self.end, base) * (1 - c)
