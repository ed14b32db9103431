"""What a linter looks at: a bound schedule and the training it is for, as far as that is known."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrlab.schedules.base import Array, Schedule
from lrlab.schedules.durations import Horizon

DEFAULT_TOTAL_STEPS = 1000
"""How far a schedule is looked at whose training is not known."""

_MAX_SAMPLES = 10_000
"""At how many steps a long training is looked at."""


@dataclass(frozen=True)
class LintContext:
    """What is looked at: a bound schedule and the training it is for, as far as that is known.

    Args:
        schedule: bound.
        unbound: before it was bound.
        base, total_steps, steps_per_epoch: as ``lint`` is given them.
    """

    schedule: Schedule
    unbound: Schedule
    base: float | None
    total_steps: float | None
    steps_per_epoch: float | None

    @property
    def base_or_one(self) -> float:
        """The base rate, or 1 where it plays no part."""
        return 1.0 if self.base is None else self.base

    def compute_rate(self, t: float) -> float:
        """The rate at a step."""
        return self.schedule(t, base=self.evaluation_base)

    @property
    def evaluation_base(self) -> float | None:
        return self.base if self.base is not None or self.schedule.is_relative else 0.1

    @cached_property
    def rates(self) -> Array:
        """The rates at every step of training, or at many of them."""
        end = self.total_steps if self.total_steps is not None else min(self.end_step, DEFAULT_TOTAL_STEPS)
        steps = np.unique(np.linspace(0, max(0, end - 1), _MAX_SAMPLES).round())
        return self.schedule(steps, base=self.evaluation_base)

    @property
    def peak_rate(self) -> float:
        """The highest rate."""
        return float(self.rates.max())

    @property
    def last_rate(self) -> float:
        """The last rate that training uses."""
        return float(self.rates[-1])

    @cached_property
    def end_step(self) -> float:
        """The step at which the schedule ends, infinite if it never does."""
        return self.schedule.compute_length(Horizon())
