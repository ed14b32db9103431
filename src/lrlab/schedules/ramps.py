"""Ramps: from one level to another over a duration, along a curve."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.base import Array
from lrlab.schedules.curves import half_cosine, square_sine_in_place
from lrlab.schedules.durations import Horizon
from lrlab.schedules.levels import Absolute, resolve_level
from lrlab.schedules.parameters import RexBeta, PositiveLevel, Level, DurationOrInfinite, Number, DurationOrRemaining, Positive
from lrlab.schedules.shape import Primitive

__all__ = ["Constant", "Cosine", "Geometric", "Linear", "Polynomial", "Ramp", "Rex", "Tanh"]


class Ramp(Primitive):
    """From ``start`` to ``end`` along a curve c(p) with c(0) = 0 and c(1) = 1.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - c(p)) + end * c(p)

    A subclass has the fields ``start``, ``end`` and ``over`` and gives ``decay``, which is 1 - c of
    the time that is left. Both ends are exact, and past the end the ramp holds ``end``; of no
    duration, it is there at once.
    """

    start: float | Absolute | None
    end: float | Absolute
    over: float | str | None

    @abstractmethod
    def decay(self, remaining: Array) -> Array:
        """What is left of the way when the share q in [0, 1] of the time is left: 1 - c(1 - q)."""

    def compute_remaining(self, t: Array, scale: float = 1.0) -> Array:
        """How much of the ramp is still to come at ``t``, from ``scale`` to 0."""
        over = self.compute_length(Horizon())
        if not over:
            return np.zeros_like(t)
        remaining = over - t
        if remaining.min() < 0:
            np.maximum(remaining, 0.0, out=remaining)
        # In place here and below: less memory traffic for a long array.
        if scale == 1:
            remaining /= over
        else:
            remaining *= scale / over
        return remaining

    def compute_decay(self, t: Array) -> Array:
        """What is left of the way from start to end at ``t``."""
        return self.decay(self.compute_remaining(t))

    def evaluate(self, t: Array, base: float) -> Array:
        assert self.start is not None
        start, end = resolve_level(self.start, base), resolve_level(self.end, base)
        decay = self.compute_decay(t)
        if end:
            return start * decay + end * (1 - decay)
        if start != 1:  # most ramps fall from 1 to 0
            decay *= start
        return decay


@dataclass(frozen=True, repr=False)
class Constant(Primitive):
    """One level throughout::

        rate(t) = level

    Args:
        level: a factor of the base rate, 0 or more, or an absolute ``Rate``.
        over: how long it lasts when something follows it; without, it never ends.

    Raises:
        ScheduleError: ``level`` or ``over`` is negative or not finite.

    Source: torch's ConstantLR is ``Constant(factor, over=total_iters) >> Constant(1.0)``.

    >>> (Constant(0.5, over=2) >> Constant(1.0))([0, 1, 2, 3])
    array([0.5, 0.5, 1. , 1. ])
    """

    level: Level
    _: KW_ONLY
    over: DurationOrInfinite = None

    def evaluate(self, t: Array, base: float) -> Array:
        return np.full_like(t, resolve_level(self.level, base))


@dataclass(frozen=True, repr=False)
class Linear(Ramp):
    """A straight line from ``start`` to ``end``.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - p) + end * p

    Args:
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``. Neither has a
            default, because the libraries differ (torch's is 1/3 to 1, Composer's 1 to 0).
        over: duration; the rest of the training when left out.

    Raises:
        ScheduleError: a level or the duration is negative or not finite.

    Source: torch.optim.lr_scheduler.LinearLR, which is ``Linear(1/3, 1, over=5)`` by default; to
    zero, "D2Z", Bergsma et al. 2025, arXiv:2502.15938.

    >>> Linear(1.0, 0.5, over=30)([0, 15, 30, 49])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    start: Level
    end: Level
    _: KW_ONLY
    over: DurationOrRemaining = None

    def decay(self, remaining: Array) -> Array:
        return remaining


@dataclass(frozen=True, repr=False)
class Cosine(Ramp):
    """From ``start`` to ``end`` along half a cosine: flat at both ends.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * ((1 + cos(pi * p**k)) / 2) ** power

    Args:
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``; from the whole
            base rate to 0 unless told otherwise, as in the paper.
        power: an exponent above 0; above 1 it falls sooner. The paper has 1.
        k: an exponent above 0; above 1 it falls later (k-decay). The paper has 1.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or an exponent is not
            above 0.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, one period; ``power`` is optax's
    ``exponent``; ``k`` Zhang and Li 2020, arXiv:2004.05909.

    >>> Cosine(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.854, 0.5  , 0.146, 0.   ])
    """

    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    power: Positive = 1.0
    k: Positive = 1.0

    def decay(self, remaining: Array) -> Array:
        decay = half_cosine(remaining if self.k == 1 else 1 - np.power(1 - remaining, self.k))
        return decay if self.power == 1 else np.power(decay, self.power)

    def compute_decay(self, t: Array) -> Array:
        is_plain = self.power == self.k == 1  # as nearly always, and worth the shortest way
        return square_sine_in_place(self.compute_remaining(t, np.pi / 2)) if is_plain else super().compute_decay(t)


@dataclass(frozen=True, repr=False)
class Polynomial(Ramp):
    """From ``start`` to ``end`` along a power of what is left.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 - p**k) ** power

    Args:
        power: an exponent above 0; 1 is a straight line, and above 1 it falls sooner.
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``.
        k: an exponent above 0; above 1 it falls later (k-decay).

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or an exponent is not
            above 0.

    Source: torch's PolynomialLR, TensorFlow's PolynomialDecay; Chen et al. 2017, arXiv:1606.00915,
    section 4.1 ("poly", power 0.9); ``k`` Zhang and Li 2020, arXiv:2004.05909.

    >>> Polynomial(2, over=4)([0, 1, 2, 3, 4])
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    ])
    """

    power: Positive
    _: KW_ONLY
    over: DurationOrRemaining = None
    start: Level = 1.0
    end: Level = 0.0
    k: Positive = 1.0

    def decay(self, remaining: Array) -> Array:
        decay: Array = np.power(remaining if self.k == 1 else 1 - np.power(1 - remaining, self.k), self.power)
        return decay


@dataclass(frozen=True, repr=False)
class Geometric(Ramp):
    """From ``start`` to ``end`` by equal factors: straight on a logarithmic axis.

    With p = t / over in [0, 1]::

        rate(t) = start ** (1 - p) * end ** p

    Args:
        start, end: factors of the base rate above 0, or an absolute ``Rate`` above 0.
        over: duration; the rest of the training when left out.

    Raises:
        ScheduleError: a level is not above 0, or the duration is negative or not finite.

    Source: the range test of Smith 2017, arXiv:1506.01186, as fastai's ``lr_find`` runs it.

    >>> Geometric(1.0, 0.01, over=4)([0, 1, 2, 4]).round(3)
    array([1.   , 0.316, 0.1  , 0.01 ])
    """

    start: PositiveLevel
    end: PositiveLevel
    _: KW_ONLY
    over: DurationOrRemaining = None

    def decay(self, remaining: Array) -> Array:
        return remaining

    def evaluate(self, t: Array, base: float) -> Array:
        remaining = self.compute_remaining(t)
        start, end = resolve_level(self.start, base), resolve_level(self.end, base)
        return np.power(start, remaining) * np.power(end, 1 - remaining)


@dataclass(frozen=True, repr=False)
class Rex(Ramp):
    """Reflected exponential: falls slowly first, then ever faster.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 - p) / (1/2 + (1 - beta * p) / 2)

    Args:
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``.
        beta: from 0, a straight line, to below 2, where it stays high till the very end. The paper
            has 1, its code 0.9.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or ``beta`` is out of its
            domain.

    Source: Chen et al. 2022, arXiv:2107.04197.

    >>> Rex(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.857, 0.667, 0.4  , 0.   ])
    """

    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    beta: RexBeta = 1.0

    def decay(self, remaining: Array) -> Array:
        return remaining / (0.5 + (1 - self.beta * (1 - remaining)) / 2)


@dataclass(frozen=True, repr=False)
class Tanh(Ramp):
    """From ``start`` to ``end`` along a hyperbolic tangent, which comes near both and meets none.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 - tanh(lower * (1 - p) + upper * p)) / 2

    Args:
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``.
        lower, upper: the piece of the tangent that is used. The paper's best are -6 and 3; timm has
            -7 and 3.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or a bound is no number.

    Source: Hsueh et al. 2019, arXiv:1806.01593, eq. 3.

    >>> Tanh(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.999, 0.953, 0.182, 0.002])
    """

    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    lower: Number = -6.0
    upper: Number = 3.0

    def decay(self, remaining: Array) -> Array:
        return (1 - np.tanh(self.lower * remaining + self.upper * (1 - remaining))) / 2
