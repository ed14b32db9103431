"""Primitives that fall from the base rate without end: exponential, inverse time, power ..."""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.core import Array, Primitive, check_rates
from lrlab.schedules.fields import Duration, Period, Positive

__all__ = ["Exponential", "InverseSqrt", "InverseTime", "Power", "Sigmoid"]


class Decay(Primitive):
    """A decay without end whose unit of time is ``every``."""

    every: float | str

    def to_units(self, t: Array) -> Array:
        """Return steps ``t`` in units of ``every``."""
        with np.errstate(over="ignore"):
            return t / self.to_steps(self.every)


@dataclass(frozen=True, repr=False)
class Exponential(Decay):
    """Multiplied by ``gamma`` every step::

        rate(t) = gamma ** (t / every)

    ``Exponential(exp(-a))`` is exp(-a * t), ``Step(every, gamma)`` the staircase form, and
    ``.clip(low)`` adds a floor.

    Args:
        gamma: the factor, above 0; below 1 it decays, above 1 it grows without end.
        every: the duration over which the rate is multiplied once; 1 step by default.
            ``"1ep"`` decays per epoch however often the scheduler is stepped.

    Raises:
        ScheduleError: ``gamma`` or ``every`` is not above 0, or the rate overflows float64.

    Source: torch.optim.lr_scheduler.ExponentialLR; ``every`` is Keras' ``decay_steps``.

    >>> Exponential(0.5)([0, 1, 2, 3])
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    gallery_example = "Exponential(0.97)"
    gamma: Positive
    _: KW_ONLY
    every: Period = 1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # check_rates names the step
            return check_rates(base * np.power(self.gamma, self.to_units(t)), t, self)


@dataclass(frozen=True, repr=False)
class InverseTime(Decay):
    """Falls as one over time::

        rate(t) = 1 / (1 + alpha * t / every)

    The staircase form is ``.staircase(every)``.

    Args:
        alpha: how fast, above 0: after 1 / alpha steps the rate is half the base rate.
        every: the duration counted as one unit of time; 1 step by default.

    Raises:
        ScheduleError: ``alpha`` or ``every`` is not above 0.

    Source: Robbins and Monro 1951; ``every`` is Keras' ``decay_steps``.

    >>> InverseTime(0.5)([0, 2, 6])
    array([1.  , 0.5 , 0.25])
    """

    gallery_example = "InverseTime(0.1)"
    alpha: Positive
    _: KW_ONLY
    every: Period = 1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # one over infinity is 0, as it should be
            return base / (1 + self.alpha * self.to_units(t))


@dataclass(frozen=True, repr=False)
class InverseSqrt(Primitive):
    """Falls as one over the square root of time::

        rate(t) = sqrt(tau / (t + tau))

    After a warm-up over as many steps it is the schedule of the Transformer (``noam``).

    Args:
        tau: the time scale, a positive duration: after 3 * tau steps the rate is half the base
            rate.

    Raises:
        ScheduleError: ``tau`` is not above 0.

    Source: Vaswani et al. 2017, arXiv:1706.03762, section 5.3; transformers'
    get_inverse_sqrt_schedule; Zhai et al. 2022, arXiv:2106.04560 ("rsqrt").

    >>> InverseSqrt(4)([0, 5, 12])
    array([1.        , 0.66666667, 0.5       ])
    """

    gallery_example = "InverseSqrt(10)"
    tau: Period

    def evaluate(self, t: Array, base: float) -> Array:
        tau = self.to_steps(self.tau)
        return base * np.sqrt(tau / (t + tau))


@dataclass(frozen=True, repr=False)
class Power(Primitive):
    """The base rate at first, then a falling power of time::

        rate(t) = min(1, (t / after) ** -exponent)

    Args:
        exponent: how fast, above 0.
        after: the duration at the base rate, above 0; (c / a_max) ** (1 / exponent) for the
            paper's min(a_max, c * t**-exponent).

    Raises:
        ScheduleError: ``exponent`` or ``after`` is not above 0.

    Source: Shen et al. 2024, arXiv:2408.13359, eq. 4, whose exponent is 0.51.

    >>> Power(0.5, after=4)([0, 4, 16, 36]).round(3)
    array([1.   , 1.   , 0.5  , 0.333])
    """

    gallery_example = "Power(0.5, after=10)"
    exponent: Positive
    _: KW_ONLY
    after: Period

    def evaluate(self, t: Array, base: float) -> Array:
        return base * np.power(np.maximum(1.0, t / self.to_steps(self.after)), -self.exponent)


@dataclass(frozen=True, repr=False)
class Sigmoid(Primitive):
    """Falls along a logistic curve, to half the base rate at ``at``::

        rate(t) = 1 / (1 + exp(slope * (t - at)))

    Args:
        slope: how steeply, per step, above 0.
        at: the duration after which the rate is half the base rate.

    Raises:
        ScheduleError: ``slope`` is not above 0, ``at`` is not a duration.

    Source: darknet's ``SIG`` policy, Caffe's ``sigmoid``.

    >>> Sigmoid(0.5, at=10)([0, 8, 10, 12, 20]).round(3)
    array([0.993, 0.731, 0.5  , 0.269, 0.007])
    """

    gallery_example = "Sigmoid(0.15, at=50)"
    slope: Positive
    _: KW_ONLY
    at: Duration

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # one over infinity is 0, as it should be
            return base / (1 + np.exp(self.slope * (t - self.to_steps(self.at))))
