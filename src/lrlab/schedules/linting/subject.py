"""What a linter looks at: a bound schedule and the training it is for, as far as that is known."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrlab.schedules.base import Array, Schedule
from lrlab.schedules.durations import Horizon

STEPS = 1000
"""How far a schedule is looked at whose training is not known."""

_SAMPLES = 10_000
"""At how many steps a long training is looked at."""


@dataclass(frozen=True)
class Subject:
    """What is looked at: a bound schedule and the training it is for, as far as that is known.

    Args:
        schedule: bound.
        written: before it was bound.
        base, total, epoch: as ``lint`` is given them.
    """

    schedule: Schedule
    written: Schedule
    base: float | None
    total: float | None
    epoch: float | None

    @property
    def rate(self) -> float:
        """The base rate, or 1 where it plays no part."""
        return 1.0 if self.base is None else self.base

    def at(self, t: float) -> float:
        """The rate at a step."""
        return self.schedule(t, base=self.given_base)

    @property
    def given_base(self) -> float | None:
        return self.base if self.base is not None or self.schedule.relative else 0.1

    @cached_property
    def rates(self) -> Array:
        """The rates at every step of training, or at many of them."""
        end = self.total if self.total is not None else min(self.end, STEPS)
        steps = np.unique(np.linspace(0, max(0, end - 1), _SAMPLES).round())
        return self.schedule(steps, base=self.given_base)

    @property
    def peak(self) -> float:
        """The highest rate."""
        return float(self.rates.max())

    @property
    def last(self) -> float:
        """The last rate that training uses."""
        return float(self.rates[-1])

    @cached_property
    def end(self) -> float:
        """The step at which the schedule ends, infinite if it never does."""
        return self.schedule.length(Horizon())
