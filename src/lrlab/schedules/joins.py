"""One schedule after another: from the base rate again (``>>``) or from where the first ended."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.base import PRECEDENCE_SEQUENTIAL, PRECEDENCE_SUM, Array, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.reaction import MetricState
from lrlab.schedules.shape import parenthesize

__all__ = ["Continued", "Sequential"]

_ARBITRARY_HORIZON = Horizon(total_steps=1e9, steps_per_epoch=1e6)
"""Any horizon with everything known will do to ask whether something ends at all."""


@dataclass(frozen=True, repr=False)
class Sequential(Schedule):
    """One schedule after another; written ``a >> b >> c``.

    Each part's own clock starts where the part before it ends, and its levels are factors of the
    same base rate. Every part but the last must have an end.

    Args:
        schedules: the parts, two or more.

    Raises:
        ScheduleError: a part that is not the last never ends.

    >>> from lrlab.schedules import Linear, Constant
    >>> (Constant(1.0, over=2) >> Linear(1.0, 0.0, over=2))([0, 1, 2, 3, 4])
    array([1. , 1. , 1. , 0.5, 0. ])
    """

    schedules: tuple[Schedule, ...]
    precedence: ClassVar[int] = PRECEDENCE_SEQUENTIAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", flatten_parts(Sequential, self.schedules))
        for part in self.schedules[:-1]:
            require_end(part)

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    @cached_property
    def starts(self) -> Array:
        """The step at which each part begins, of shape (parts,), once durations are bound."""
        lengths = [part.compute_length(Horizon()) for part in self.schedules[:-1]]
        return np.cumsum([0.0, *lengths])

    def evaluate(self, t: Array, base: float) -> Array:
        first, last = int(self._find_active_part(t.min())), int(self._find_active_part(t.max()))
        if first == last:  # which is so for a single step and for most pieces of a long array
            return self.schedules[first].evaluate(t - self.starts[first], base)
        active = self._find_active_part(t)
        rates: Array = np.empty_like(t)
        for i in range(first, last + 1):
            in_part = active == i
            if in_part.any():
                rates[in_part] = self.schedules[i].evaluate(t[in_part] - self.starts[i], base)
        return rates

    def _find_active_part(self, t: Any) -> Any:
        """The number of the part that rules, at a step or at each of many."""
        return self.starts[1:].searchsorted(t, side="right")

    @property
    def has_end(self) -> bool:
        return self.schedules[-1].has_end

    def compute_length(self, horizon: Horizon) -> float:
        return sum(part.compute_length(horizon) for part in self.schedules)

    def bind_to_horizon(self, horizon: Horizon) -> "Sequential":
        parts = []
        for part in self.schedules:
            bound = part.bind_to_horizon(horizon)
            parts.append(bound)
            horizon = horizon.advance(part.compute_length(horizon), bound.compute_length(Horizon()))
        return self.replace_children(tuple(parts))

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        return (t - float(self.starts[index]), base) if self._find_active_part(t) == index else None

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.schedules else type(self)(children)

    def __repr__(self) -> str:
        return " >> ".join(parenthesize(part, PRECEDENCE_SUM) for part in self.schedules)


@dataclass(frozen=True, repr=False)
class Continued(Schedule):
    """One schedule after another without a jump; written ``a.then(b, join="continue")``.

    The base rate of ``second`` is the rate at which ``first`` ends, so its factors are factors of
    that.

    Args:
        first: a schedule with an end.
        second: what goes on from there, on its own clock.

    Raises:
        ScheduleError: ``first`` never ends.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0.5, over=2).then(Linear(1, 0, over=2), join="continue")([0, 1, 2, 3, 4])
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    first: Schedule
    second: Schedule

    def __post_init__(self) -> None:
        for part in self.children():
            if not isinstance(part, Schedule):
                raise ScheduleError(f"Continued needs two schedules, got {part!r}.")
        require_end(self.first)

    def children(self) -> tuple[Schedule, ...]:
        return self.first, self.second

    @cached_property
    def _start(self) -> float:
        return self.first.compute_length(Horizon())

    def evaluate(self, t: Array, base: float) -> Array:
        start = self._start
        before = t < start
        rates = np.empty_like(t)
        if before.any():
            rates[before] = self.first.evaluate(t[before], base)
        if not before.all():
            last_rate = self._compute_last_rate(self.first, base)
            rates[~before] = self.second.evaluate(t[~before] - start, last_rate)
        return rates

    def _compute_last_rate(self, first: Schedule, base: float) -> float:
        return float(first.evaluate(np.array([self._start], dtype=np.float64), base)[0])

    @property
    def has_end(self) -> bool:
        return self.second.has_end

    def compute_length(self, horizon: Horizon) -> float:
        return self.first.compute_length(horizon) + self.second.compute_length(horizon)

    def bind_to_horizon(self, horizon: Horizon) -> "Continued":
        first = self.first.bind_to_horizon(horizon)
        after = horizon.advance(self.first.compute_length(horizon), first.compute_length(Horizon()))
        return self.replace_children((first, self.second.bind_to_horizon(after)))

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        before = t < self._start
        if index == 0:
            return (t, base) if before else None
        return None if before else (t - self._start, self._compute_last_rate(self.first.with_state(state[0]), base))

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.children() else type(self)(*children)

    def __repr__(self) -> str:
        return f'{parenthesize(self.first, self.precedence)}.then({self.second}, join="continue")'


def require_end(part: Schedule) -> None:
    """Refuses to let anything follow what never ends."""
    if math.isinf(part.compute_length(_ARBITRARY_HORIZON)):
        raise ScheduleError(
            f"{part} has no end of its own, so nothing can follow it: give it a duration "
            f"(over=...) or say when to stop, {parenthesize(part, Schedule.precedence)}.until(30) "
            ">> ..."
        )


def flatten_parts(composition: type[Schedule], schedules: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
    """The parts with their own parts in their place: grouping has no meaning, nor any text."""
    parts = schedules if isinstance(schedules, tuple) else ()
    if len(parts) < 2 or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(f"{composition.__name__} needs two schedules or more, got {schedules!r}.")
    groups = (part.children() if isinstance(part, composition) else (part,) for part in schedules)
    return tuple(part for group in groups for part in group)
