"""A schedule on another clock: cut, begun later, slowed down, or read only now and then."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lrlab.schedules.base import Array
from lrlab.schedules.durations import ROUNDING_SLACK, Horizon
from lrlab.schedules.parameters import Duration, Offset, Period, Positive
from lrlab.schedules.reaction import MetricState
from lrlab.schedules.shape import Wrapper

__all__ = ["Shift", "Staircase", "Stretch", "Until"]


@dataclass(frozen=True, repr=False)
class Until(Wrapper):
    """A schedule up to a step, then holding the value it has there; written ``a.until(at)``::

        rate(t) = a(min(t, at))

    Args:
        schedule: what is cut.
        at: the duration after which nothing changes any more.

    Raises:
        ScheduleError: ``at`` is no duration.

    >>> from lrlab.schedules import Exponential
    >>> Exponential(0.5).until(2)([0, 1, 2, 3])
    array([1.  , 0.5 , 0.25, 0.25])
    """

    at: Duration
    method_name: ClassVar[str] = "until"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.minimum(t, self.compute_length(Horizon())), base)

    @property
    def has_end(self) -> bool:
        return True

    def compute_length(self, horizon: Horizon) -> float:
        return horizon.to_exact_steps(self.at)

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        return (t, base) if t < self.compute_length(Horizon()) else None


@dataclass(frozen=True, repr=False)
class Shift(Wrapper):
    """A schedule begun later, holding its first value till then; written ``a.shift(by)``::

        rate(t) = a(max(0, t - by))

    Args:
        schedule: what is shifted.
        by: a duration, or a negative number of steps to begin in the middle.

    Raises:
        ScheduleError: ``by`` is neither.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=2).shift(1)([0, 1, 2, 3])
    array([1. , 1. , 0.5, 0. ])
    """

    by: Offset
    method_name: ClassVar[str] = "shift"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.maximum(0.0, t - Horizon().to_exact_steps(self.by)), base)

    def compute_length(self, horizon: Horizon) -> float:
        return max(0.0, horizon.to_exact_steps(self.by) + self.schedule.compute_length(self.to_inner_horizon(horizon)))

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return horizon.advance(horizon.to_exact_steps(self.by), horizon.to_steps(self.by))

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        inner_t = t - Horizon().to_exact_steps(self.by)
        return (inner_t, base) if inner_t >= 0 else None


@dataclass(frozen=True, repr=False)
class Stretch(Wrapper):
    """A schedule that takes its time; written ``a.stretch(by)``::

        rate(t) = a(t / by)

    Durations inside are stretched whatever their unit; a schedule that takes the rest of the
    training still ends with it.

    Args:
        schedule: what is slowed down.
        by: a number above 0; below 1, it is faster.

    Raises:
        ScheduleError: ``by`` is not above 0.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=2).stretch(2)([0, 1, 2, 3, 4])
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    by: Positive
    method_name: ClassVar[str] = "stretch"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(t / self.by, base)

    def compute_length(self, horizon: Horizon) -> float:
        return self.by * self.schedule.compute_length(self.to_inner_horizon(horizon))

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return horizon.scale_remaining(1 / self.by)

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        return t / self.by, base


@dataclass(frozen=True, repr=False)
class Staircase(Wrapper):
    """A schedule read only once in ``every`` steps; written ``a.staircase(every)``::

        rate(t) = a(every * floor(t / every))

    Args:
        schedule: what is read.
        every: a duration above 0; ``"1ep"`` changes the rate once an epoch.

    Raises:
        ScheduleError: ``every`` is no duration above 0.

    Source: the ``staircase`` of TensorFlow, Keras and optax, for any schedule.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=4).staircase(2)([0, 1, 2, 3, 4, 5])
    array([1. , 1. , 0.5, 0.5, 0. , 0. ])
    """

    every: Period
    method_name: ClassVar[str] = "staircase"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(self._round_down_to_stair(t), base)

    def _round_down_to_stair(self, t: Any) -> Any:
        """The step at which the schedule is read, for a step or for each of many."""
        every = Horizon().to_period(self.every)
        return every * np.floor(t / every * ROUNDING_SLACK)

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        return float(self._round_down_to_stair(t)), base
