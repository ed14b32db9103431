"""Warm-ups to the base rate and cooldowns from it."""

import math
from dataclasses import KW_ONLY, dataclass
from functools import cached_property

import numpy as np

from lrlab.schedules.base import Array
from lrlab.schedules.curves import Curve, evaluate_curve
from lrlab.schedules.durations import Horizon
from lrlab.schedules.parameters import AdamBeta, Level, DurationOrRemaining, Period, StartLevel
from lrlab.schedules.ramps import Ramp
from lrlab.schedules.shape import Primitive

__all__ = ["Cooldown", "ExponentialWarmup", "LogWarmup", "RadamWarmup", "Warmup"]


@dataclass(frozen=True, repr=False)
class Warmup(Ramp):
    """Up to the base rate, reached at t = over.

    With W = over and a curve c::

        rate(t) = c((t + 1) / (W + 1))                       for t < W, then 1
        rate(t) = start * (1 - c(t / W)) + c(t / W)          when start is given

    Args:
        over: duration W; 0 steps means no warm-up.
        start: the level at t = 0, a factor of the base rate or a ``Rate``. Left out, it is
            c(1 / (W + 1)), so that the first step is not wasted; 0 is transformers' convention.
        curve: ``"linear"``, ``"cosine"``, ``"sqrt"``, ``"square"``, ``"mirror"``, ``"halving"``,
            or a number k for p**k (4 is darknet's ``burn_in``).

    Raises:
        ScheduleError: the level or the duration is negative or not finite, or there is no such
            curve.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2; the count (t + 1) / (W + 1) is
    torchtitan's and NeMo's.

    >>> Warmup(4)([0, 1, 2, 3, 4, 5])
    array([0.2, 0.4, 0.6, 0.8, 1. , 1. ])
    >>> Warmup(4, start=0.0, curve="square")([0, 1, 2, 3, 4])
    array([0.    , 0.0625, 0.25  , 0.5625, 1.    ])
    """

    over: DurationOrRemaining = None
    _: KW_ONLY
    start: StartLevel = None
    curve: Curve = "linear"

    end = 1.0

    def evaluate(self, t: Array, base: float) -> Array:
        if self.start is not None:
            return super().evaluate(t, base)
        over = self.compute_length(Horizon())
        return base * evaluate_curve(self.curve, np.minimum((t + 1) / (over + 1), 1.0))

    def decay(self, remaining: Array) -> Array:
        return 1 - evaluate_curve(self.curve, 1 - remaining)


@dataclass(frozen=True, repr=False)
class Cooldown(Ramp):
    """Down to zero at the end of training, along a curve.

    With p = t / over in [0, 1] and a curve c::

        rate(t) = start * (1 - c(p)) + end * c(p)

    Args:
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``.
        curve: ``"sqrt"`` (1 - sqrt(p), the best of those compared in the paper), ``"linear"``,
            ``"cosine"``, ``"square"``, ``"mirror"`` (the cosine mirrored at the straight line),
            ``"halving"`` (Megatron's 2 * 0.5**p - 1), or a number k for 1 - p**k.

    Raises:
        ScheduleError: a level or the duration is negative or not finite, or there is no such
            curve.

    Source: Hägele et al. 2024, arXiv:2405.18392, section 3; Megatron-LM's ``lr_wsd_decay_style``.

    >>> Cooldown(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.5  , 0.293, 0.134, 0.   ])
    """

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
        over: duration W.

    Raises:
        ScheduleError: ``over`` is negative or not finite.

    Source: DeepSpeed's WarmupLR.

    >>> LogWarmup(4)([0, 1, 3, 4]).round(3)
    array([0. , 0.5, 1. , 1. ])
    """

    over: DurationOrRemaining = None

    def evaluate(self, t: Array, base: float) -> Array:
        return base * np.minimum(1.0, np.log(t + 1) / math.log(max(2, self.compute_length(Horizon()))))


@dataclass(frozen=True, repr=False)
class ExponentialWarmup(Primitive):
    """Up towards the base rate, ever more slowly, without end; for products::

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

    tau: Period

    def evaluate(self, t: Array, base: float) -> Array:
        return base * -np.expm1(-(t + 1) / Horizon().to_period(self.tau))


@dataclass(frozen=True, repr=False)
class RadamWarmup(Primitive):
    """The rectification of RAdam as a warm-up, without end; for products.

    With R = 2 / (1 - beta2) - 1, r(n) = R - 2 * n * beta2**n / (1 - beta2**n), and n counted from
    the first whose r(n) is above 4::

        rate(t) = sqrt((r - 4) * (r - 2) * R / ((R - 4) * (R - 2) * r)),    r = r(n)

    Args:
        beta2: Adam's, between 0.6 and 1; Adam's default unless told otherwise.

    Raises:
        ScheduleError: ``beta2`` is not between 0.6 and 1.

    Source: Liu et al. 2020, arXiv:1908.03265; pytorch_warmup's RAdamWarmup.

    >>> RadamWarmup()([0, 10, 100, 10000]).round(3)
    array([0.017, 0.069, 0.221, 1.   ])
    """

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
