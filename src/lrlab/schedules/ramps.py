"""Primitives from one level to another over a duration: lines, cosines, warm-ups, cooldowns."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated

import numpy as np

from lrlab._checks import to_finite_float
from lrlab.schedules.core import Array, Primitive
from lrlab.schedules.fields import (
    Absolute,
    AdamBeta,
    DurationOrRemaining,
    FieldSpec,
    Level,
    Number,
    OptionalLevel,
    Period,
    Positive,
    PositiveLevel,
    RexBeta,
    resolve_level,
)

__all__ = [
    "Cooldown",
    "Cosine",
    "ExponentialWarmup",
    "Geometric",
    "Linear",
    "LogWarmup",
    "Polynomial",
    "RadamWarmup",
    "Rex",
    "Tanh",
    "Warmup",
]


def half_cosine(p: Array) -> Array:
    """Return (1 - cos(pi * p)) / 2, which is flat at both ends."""
    return square_sine_in_place(p * (np.pi / 2))


def square_sine_in_place(x: Array) -> Array:
    """Return sin(x)**2, computed in place of ``x``.

    As tan(x)**2 / (1 + tan(x)**2), because NumPy has a vectorized tangent in float64 but no
    vectorized sine (five times as fast on AVX-512).
    """
    np.square(np.tan(x, out=x), out=x)
    return np.divide(x, 1 + x, out=x)


CURVES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda p: p,
    "cosine": half_cosine,
    "sqrt": np.sqrt,
    "square": np.square,
    "mirror": lambda p: 2 * p - half_cosine(p),
    "halving": lambda p: 2 - 2 * np.exp2(-p),
}
"""Curves c(p) of the progress p, with c(0) = 0 and c(1) = 1.

``"mirror"`` is the cosine mirrored at the straight line, ``"halving"`` is 1 minus Megatron's
2 * 0.5**p - 1.
"""

_ALIASES = {"1-sqrt": "sqrt", "1-square": "square"}
"""Names of cooldowns in papers."""

_NAMED_POWERS = {1.0: "linear", 0.5: "sqrt", 2.0: "square"}


def _convert_curve(value: object) -> str | float | None:
    if isinstance(value, str):
        name = _ALIASES.get(value, value)
        return name if name in CURVES else None
    power = to_finite_float(value)
    return None if power is None or power <= 0 else _NAMED_POWERS.get(power, power)


Curve = Annotated[
    str | float,
    FieldSpec(f"one of {', '.join(CURVES)} or a positive number k for p**k", _convert_curve),
]
"""The name of a curve, or the exponent k of the curve p**k."""


def evaluate_curve(curve: str | float, p: Array) -> Array:
    """Return the value of the curve of that name or exponent at ``p``."""
    return CURVES[curve](p) if isinstance(curve, str) else np.power(p, curve)


class Ramp(Primitive):
    """From ``start`` to ``end`` along a curve c(p) with c(0) = 0 and c(1) = 1.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - c(p)) + end * c(p)

    A subclass has the fields ``start``, ``end`` and ``over`` and defines ``decay``, which is 1 - c
    as a function of the remaining fraction of the duration. Both ends are exact; past the end the
    ramp holds ``end``, and with a duration of 0 it starts there.
    """

    start: float | Absolute | None
    end: float | Absolute
    over: float | str | None

    @abstractmethod
    def decay(self, remaining: Array) -> Array:
        """Return 1 - c(1 - q), given the remaining fraction q in [0, 1] of the duration."""

    def compute_remaining(self, t: Array, scale: float = 1.0) -> Array:
        """Return the remaining fraction of the duration at ``t``, times ``scale``."""
        over = self.to_steps(self.over)
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
        """Return 1 - c at ``t``: 1 at the start, 0 at the end."""
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
class Linear(Ramp):
    """A straight line from ``start`` to ``end``.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - p) + end * p

    Args:
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates. No defaults,
            because libraries differ (torch's are 1/3 and 1, Composer's 1 and 0).
        over: duration; the rest of the training if omitted.

    Raises:
        ScheduleError: a level or the duration is negative or not finite.

    Source: torch.optim.lr_scheduler.LinearLR, which is ``Linear(1/3, 1, over=5)`` by default; to
    zero, "D2Z", Bergsma et al. 2025, arXiv:2502.15938.

    >>> Linear(1.0, 0.5, over=30)([0, 15, 30, 49])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    gallery_example = "Linear(1.0, 0.1)"
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
        over: duration; the rest of the training if omitted.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates; from the base
            rate to 0 by default, as in the paper.
        power: an exponent above 0; above 1 it falls sooner. 1 in the paper.
        k: an exponent above 0; above 1 it falls later (k-decay). 1 in the paper.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or an exponent is not
            above 0.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, one period; ``power`` is optax's
    ``exponent``; ``k`` Zhang and Li 2020, arXiv:2004.05909.

    >>> Cosine(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.854, 0.5  , 0.146, 0.   ])
    """

    gallery_example = "Cosine()"
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
        if self.power == self.k == 1:  # a fast path for most cosines
            return square_sine_in_place(self.compute_remaining(t, np.pi / 2))
        return super().compute_decay(t)


@dataclass(frozen=True, repr=False)
class Polynomial(Ramp):
    """From ``start`` to ``end`` along a power of the remaining duration.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 - p**k) ** power

    Args:
        power: an exponent above 0; 1 is a straight line, and above 1 it falls sooner.
        over: duration; the rest of the training if omitted.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates.
        k: an exponent above 0; above 1 it falls later (k-decay).

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or an exponent is not
            above 0.

    Source: torch's PolynomialLR, TensorFlow's PolynomialDecay; Chen et al. 2017, arXiv:1606.00915,
    section 4.1 ("poly", power 0.9); ``k`` Zhang and Li 2020, arXiv:2004.05909.

    >>> Polynomial(2, over=4)([0, 1, 2, 3, 4])
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    ])
    """

    gallery_example = "Polynomial(2)"
    power: Positive
    _: KW_ONLY
    over: DurationOrRemaining = None
    start: Level = 1.0
    end: Level = 0.0
    k: Positive = 1.0

    def decay(self, remaining: Array) -> Array:
        decay: Array = np.power(
            remaining if self.k == 1 else 1 - np.power(1 - remaining, self.k), self.power
        )
        return decay


@dataclass(frozen=True, repr=False)
class Geometric(Ramp):
    """From ``start`` to ``end`` by equal factors: straight on a logarithmic axis.

    With p = t / over in [0, 1]::

        rate(t) = start ** (1 - p) * end ** p

    Args:
        start, end: factors of the base rate above 0, or ``Absolute`` rates above 0.
        over: duration; the rest of the training if omitted.

    Raises:
        ScheduleError: a level is not above 0, or the duration is negative or not finite.

    Source: the range test of Smith 2017, arXiv:1506.01186, as fastai's ``lr_find`` runs it.

    >>> Geometric(1.0, 0.01, over=4)([0, 1, 2, 4]).round(3)
    array([1.   , 0.316, 0.1  , 0.01 ])
    """

    gallery_example = "Geometric(1.0, 0.01)"
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
        over: duration; the rest of the training if omitted.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates.
        beta: from 0, a straight line, to below 2, where it stays high until the very end. 1 in
            the paper, 0.9 in its code.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or ``beta`` is out of its
            domain.

    Source: Chen et al. 2022, arXiv:2107.04197.

    >>> Rex(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.857, 0.667, 0.4  , 0.   ])
    """

    gallery_example = "Rex()"
    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    beta: RexBeta = 1.0

    def decay(self, remaining: Array) -> Array:
        return remaining / (0.5 + (1 - self.beta * (1 - remaining)) / 2)


@dataclass(frozen=True, repr=False)
class Tanh(Ramp):
    """From ``start`` to ``end`` along a hyperbolic tangent, which comes close to both.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 - tanh(lower * (1 - p) + upper * p)) / 2

    Args:
        over: duration; the rest of the training if omitted.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates.
        lower, upper: the interval of the tangent. The best in the paper are -6 and 3; timm has -7
            and 3.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or a bound is not finite.

    Source: Hsueh et al. 2019, arXiv:1806.01593, eq. 3.

    >>> Tanh(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.999, 0.953, 0.182, 0.002])
    """

    gallery_example = "Tanh()"
    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    lower: Number = -6.0
    upper: Number = 3.0

    def decay(self, remaining: Array) -> Array:
        return (1 - np.tanh(self.lower * remaining + self.upper * (1 - remaining))) / 2


@dataclass(frozen=True, repr=False)
class Warmup(Ramp):
    """Up to the base rate, reached at t = over.

    With W = over and a curve c::

        rate(t) = c((t + 1) / (W + 1))                       for t < W, then 1
        rate(t) = start * (1 - c(t / W)) + c(t / W)          if start is given

    Args:
        over: duration W; 0 steps means no warm-up.
        start: the level at t = 0, a factor of the base rate or an ``Absolute`` rate. If omitted, it
            is c(1 / (W + 1)), so that the first step is not wasted; 0 is transformers' convention.
        curve: ``"linear"``, ``"cosine"``, ``"sqrt"``, ``"square"``, ``"mirror"``, ``"halving"``,
            or a number k for p**k (4 is darknet's ``burn_in``).

    Raises:
        ScheduleError: the level or the duration is negative or not finite, or the curve is
            unknown.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2; the count (t + 1) / (W + 1) is
    torchtitan's and NeMo's.

    >>> Warmup(4)([0, 1, 2, 3, 4, 5])
    array([0.2, 0.4, 0.6, 0.8, 1. , 1. ])
    >>> Warmup(4, start=0.0, curve="square")([0, 1, 2, 3, 4])
    array([0.    , 0.0625, 0.25  , 0.5625, 1.    ])
    """

    gallery_example = "Warmup(30)"
    over: DurationOrRemaining = None
    _: KW_ONLY
    start: OptionalLevel = None
    curve: Curve = "linear"

    end = 1.0

    def evaluate(self, t: Array, base: float) -> Array:
        if self.start is not None:
            return super().evaluate(t, base)
        over = self.to_steps(self.over)
        return base * evaluate_curve(self.curve, np.minimum((t + 1) / (over + 1), 1.0))

    def decay(self, remaining: Array) -> Array:
        return 1 - evaluate_curve(self.curve, 1 - remaining)


@dataclass(frozen=True, repr=False)
class Cooldown(Ramp):
    """Down to zero at the end of training, along a curve.

    With p = t / over in [0, 1] and a curve c::

        rate(t) = start * (1 - c(p)) + end * c(p)

    Args:
        over: duration; the rest of the training if omitted.
        start, end: factors of the base rate, 0 or more, or ``Absolute`` rates.
        curve: ``"sqrt"`` (1 - sqrt(p), the best of those compared in the paper), ``"linear"``,
            ``"cosine"``, ``"square"``, ``"mirror"`` (the cosine mirrored at the straight line),
            ``"halving"`` (Megatron's 2 * 0.5**p - 1), or a number k for 1 - p**k.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or the curve is
            unknown.

    Source: Hägele et al. 2024, arXiv:2405.18392, section 3; Megatron-LM's ``lr_wsd_decay_style``.

    >>> Cooldown(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.5  , 0.293, 0.134, 0.   ])
    """

    gallery_example = 'Constant(1.0, over="60%") >> Cooldown()'
    over: DurationOrRemaining = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0
    curve: Curve = "sqrt"

    def decay(self, remaining: Array) -> Array:
        return 1 - evaluate_curve(self.curve, 1 - remaining)


@dataclass(frozen=True, repr=False)
class LogWarmup(Primitive):
    """Up to the base rate along a logarithm, reached one step before the end.

    With W = over, at least 2::

        rate(t) = min(1, log(t + 1) / log(W))

    Args:
        over: duration W; 0 steps means no warm-up.

    Raises:
        ScheduleError: ``over`` is negative or not finite.

    Source: DeepSpeed's WarmupLR, whose first step has rate 0 even with a warm-up of 0 steps.

    >>> LogWarmup(4)([0, 1, 3, 4]).round(3)
    array([0. , 0.5, 1. , 1. ])
    """

    gallery_example = "LogWarmup(60)"
    over: DurationOrRemaining = None

    def evaluate(self, t: Array, base: float) -> Array:
        over = self.to_steps(self.over)
        return base * np.where(t < over, np.minimum(1.0, np.log(t + 1) / math.log(max(2, over))), 1)


@dataclass(frozen=True, repr=False)
class ExponentialWarmup(Primitive):
    """Up toward the base rate, ever more slowly, without end; for products::

        rate(t) = 1 - exp(-(t + 1) / tau)

    Args:
        tau: the duration after which the rate is at 63 % of the base rate, above 0.

    Raises:
        ScheduleError: ``tau`` is not above 0.

    Source: Ma and Yarats 2021, arXiv:1910.04209; with tau = 1 / (1 - beta2) it is their untuned
    exponential warm-up of Adam.

    >>> from lrlab.schedules import Cosine
    >>> (ExponentialWarmup(2) * Cosine(4))([0, 1, 2, 3, 4]).round(3)
    array([0.393, 0.54 , 0.388, 0.127, 0.   ])
    """

    gallery_example = "ExponentialWarmup(20)"
    tau: Period

    def evaluate(self, t: Array, base: float) -> Array:
        return base * -np.expm1(-(t + 1) / self.to_steps(self.tau))


@dataclass(frozen=True, repr=False)
class RadamWarmup(Primitive):
    """The rectification of RAdam as a warm-up, without end; for products.

    With R = 2 / (1 - beta2) - 1, r(n) = R - 2 * n * beta2**n / (1 - beta2**n), and n counted from
    the first whose r(n) is above 4::

        rate(t) = sqrt((r - 4) * (r - 2) * R / ((R - 4) * (R - 2) * r)),    r = r(n)

    Args:
        beta2: Adam's beta2, between 0.6 and 1; 0.999 by default, as in Adam.

    Raises:
        ScheduleError: ``beta2`` is not between 0.6 and 1.

    Source: Liu et al. 2020, arXiv:1908.03265; pytorch_warmup's RAdamWarmup.

    >>> RadamWarmup()([0, 10, 100, 10000]).round(3)
    array([0.017, 0.069, 0.221, 1.   ])
    """

    gallery_example = "RadamWarmup(0.98)"
    beta2: AdamBeta = 0.999

    @cached_property
    def _first_n(self) -> float:
        n = 1.0
        while self._compute_rho(np.array([n]))[0] <= 4:
            n += 1
        return n

    @property
    def _rho_inf(self) -> float:
        return 2 / (1 - self.beta2) - 1

    def _compute_rho(self, n: Array) -> Array:
        decay: Array = np.power(self.beta2, n)
        return self._rho_inf - 2 * n * decay / (1 - decay)

    def evaluate(self, t: Array, base: float) -> Array:
        rho_inf = self._rho_inf
        rho = self._compute_rho(t + self._first_n)
        scale = (rho_inf - 4) * (rho_inf - 2)
        return base * np.sqrt((rho - 4) * (rho - 2) * rho_inf / (scale * rho))
