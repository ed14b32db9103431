"""A schedule on another clock: cut, begun later, slowed down, or read only now and then."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lrlab.schedules.base import Array
from lrlab.schedules.durations import LAST_BITS, Horizon
from lrlab.schedules.parameters import Duration, Offset, Period, Positive
from lrlab.schedules.reaction import State
from lrlab.schedules.shape import Changed

__all__ = ["Shift", "Staircase", "Stretch", "Until"]


@dataclass(frozen=True, repr=False)
class Until(Changed):
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
    method: ClassVar[str] = "until"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.minimum(t, self.length(Horizon())), base)

    @property
    def ends(self) -> bool:
        return True

    def length(self, horizon: Horizon) -> float:
        return horizon.length(self.at)

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        return (t, base) if t < self.length(Horizon()) else None


@dataclass(frozen=True, repr=False)
class Shift(Changed):
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
    method: ClassVar[str] = "shift"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.maximum(0.0, t - Horizon().length(self.by)), base)

    def length(self, horizon: Horizon) -> float:
        return max(0.0, horizon.length(self.by) + self.schedule.length(self.inner(horizon)))

    def inner(self, horizon: Horizon) -> Horizon:
        return horizon.after(horizon.length(self.by), horizon.steps(self.by))

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        own = t - Horizon().length(self.by)
        return (own, base) if own >= 0 else None


@dataclass(frozen=True, repr=False)
class Stretch(Changed):
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
    method: ClassVar[str] = "stretch"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(t / self.by, base)

    def length(self, horizon: Horizon) -> float:
        return self.by * self.schedule.length(self.inner(horizon))

    def inner(self, horizon: Horizon) -> Horizon:
        return horizon.shared(1 / self.by)

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        return t / self.by, base


@dataclass(frozen=True, repr=False)
class Staircase(Changed):
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
    method: ClassVar[str] = "staircase"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(self._read_at(t), base)

    def _read_at(self, t: Any) -> Any:
        """The step at which the schedule is read, for a step or for each of many."""
        every = Horizon().period(self.every)
        return every * np.floor(t / every * LAST_BITS)

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        return float(self._read_at(t)), base
