"""Decays: endless functions of t that start at the base rate."""

from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.base import Array, Shape
from lrlab.schedules.durations import Horizon
from lrlab.schedules.outcome import checked
from lrlab.schedules.parameters import Period, Positive

__all__ = ["Exponential", "InverseTime"]


class Decay(Shape):
    """An endless factor of the base rate, measured in steps of ``every``."""

    every: float | str

    def units(self, t: Array) -> Array:
        """Steps ``t`` counted in steps of ``every``."""
        with np.errstate(over="ignore"):
            return t / Horizon().period(self.every)


@dataclass(frozen=True, repr=False)
class Exponential(Decay):
    """Multiplied by ``gamma`` every step::

        rate(t) = gamma ** (t / every)

    Args:
        gamma: the factor, above 0; below 1 it decays, above 1 it grows without end.
        every: the duration over which the rate is multiplied once; 1 step unless told otherwise.
            ``"1ep"`` decays per epoch however often the scheduler is stepped.

    Raises:
        ScheduleError: ``gamma`` or ``every`` is not above 0, or the rate has outgrown float64.

    Source: torch.optim.lr_scheduler.ExponentialLR; ``every`` is Keras' ``decay_steps``.

    >>> Exponential(0.5)([0, 1, 2, 3])
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    gamma: Positive
    _: KW_ONLY
    every: Period = 1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # checked() says which step it was
            return checked(base * np.power(self.gamma, self.units(t)), t, self)


@dataclass(frozen=True, repr=False)
class InverseTime(Decay):
    """Falls as one over time::

        rate(t) = 1 / (1 + alpha * t / every)

    Args:
        alpha: how fast, above 0: after 1 / alpha steps the rate is half the base rate.
        every: the duration counted as one unit of time; 1 step unless told otherwise.

    Raises:
        ScheduleError: ``alpha`` or ``every`` is not above 0.

    Source: Robbins and Monro 1951; ``every`` is Keras' ``decay_steps``.

    >>> InverseTime(0.5)([0, 2, 6])
    array([1.  , 0.5 , 0.25])
    """

    alpha: Positive
    _: KW_ONLY
    every: Period = 1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # one over infinity is 0, as it should be
            return base / (1 + self.alpha * self.units(t))
