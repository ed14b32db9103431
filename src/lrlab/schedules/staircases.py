"""Staircases: constant for a while, then a jump."""

from dataclasses import dataclass

import numpy as np

from lrlab.schedules.base import Array, Shape
from lrlab.schedules.durations import Horizon
from lrlab.schedules.outcome import checked
from lrlab.schedules.parameters import Period, Positive

__all__ = ["Step"]


@dataclass(frozen=True, repr=False)
class Step(Shape):
    """Multiplied by ``gamma`` after every ``every`` steps::

        rate(t) = gamma ** floor(t / every)

    Args:
        every: the duration of one stair, above 0; the first jump acts at t = every.
        gamma: the factor of each jump, above 0; a tenth unless told otherwise, as in torch.

    Raises:
        ScheduleError: ``every`` or ``gamma`` is not above 0, or the rate has outgrown float64.

    Source: torch.optim.lr_scheduler.StepLR.

    >>> Step(2, 0.5)([0, 1, 2, 3, 4])
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    every: Period
    gamma: Positive = 0.1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # checked() says which step it was
            stairs = np.floor(t / Horizon().period(self.every))
            return checked(base * np.power(self.gamma, stairs), t, self)
