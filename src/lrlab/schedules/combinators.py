"""Schedules made of schedules: one after another (``>>``), multiplied (``*``), cut (``until``)."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, TypeGuard

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Array, Schedule, Shape
from lrlab.schedules.durations import Horizon
from lrlab.schedules.parameters import Duration, shown
from lrlab.schedules.ramps import Constant

# Any horizon with everything known will do to ask whether something ends at all.
_SOME_HORIZON = Horizon(total=100, epoch=1)


@dataclass(frozen=True, repr=False)
class Sequence(Schedule):
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
    precedence: ClassVar[int] = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", _flat(Sequence, self.schedules))
        for part in self.schedules[:-1]:
            if math.isinf(part.length(_SOME_HORIZON)):
                raise ScheduleError(
                    f"{part} has no end of its own, so nothing can follow it: give it a duration "
                    f"(over=...) or say when to stop, {enclosed(part, 3)}.until(30) >> ..."
                )

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    @cached_property
    def _starts(self) -> Array:
        lengths = [part.length(Horizon()) for part in self.schedules[:-1]]
        return np.cumsum([0.0, *lengths])

    def evaluate(self, t: Array, base: float) -> Array:
        starts = self._starts
        ruling = np.searchsorted(starts[1:], t, side="right")
        rates = np.empty_like(t)
        for i, part in enumerate(self.schedules):
            here = ruling == i
            if here.any():
                rates[here] = part.evaluate(t[here] - starts[i], base)
        return rates

    def length(self, horizon: Horizon) -> float:
        return sum(part.length(horizon) for part in self.schedules)

    def within(self, horizon: Horizon) -> "Sequence":
        parts = []
        for part in self.schedules:
            bound = part.within(horizon)
            parts.append(bound)
            horizon = horizon.after(part.length(horizon), bound.length(Horizon()))
        return Sequence(tuple(parts))

    def __repr__(self) -> str:
        return " >> ".join(enclosed(part, 2) for part in self.schedules)


@dataclass(frozen=True, repr=False)
class Product(Schedule):
    """Schedules multiplied step by step, all on one clock; written ``a * b``.

    Args:
        schedules: the factors, two or more; at most one with absolute levels.

    Raises:
        ScheduleError: two of them have absolute levels, whose product is no rate.

    >>> from lrlab.schedules import Exponential, Warmup
    >>> (Warmup(3) * Exponential(0.5))([0, 1, 2, 3])
    array([0.25  , 0.25  , 0.1875, 0.125 ])
    """

    schedules: tuple[Schedule, ...]
    precedence: ClassVar[int] = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", _flat(Product, self.schedules))
        absolute = [schedule for schedule in self.schedules if not schedule.relative]
        if len(absolute) > 1:
            raise ScheduleError(
                "a product needs at most one schedule with absolute rates, got "
                f"{absolute[0]} and {absolute[1]}: write the levels of the others as factors."
            )

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    def evaluate(self, t: Array, base: float) -> Array:
        rates = np.full_like(t, base if self.relative else 1.0)
        for schedule in self.schedules:
            rates = rates * schedule.evaluate(t, 1.0 if schedule.relative else base)
        return rates

    def length(self, horizon: Horizon) -> float:
        # A plain factor changes nothing over time, so it does not keep a product from ending.
        parts = [part for part in self.schedules if not _is_factor(part)]
        return max((part.length(horizon) for part in parts), default=math.inf)

    def within(self, horizon: Horizon) -> "Product":
        return Product(tuple(part.within(horizon) for part in self.schedules))

    def __repr__(self) -> str:
        texts = [
            shown(part.level) if _is_factor(part) else enclosed(part, 3) for part in self.schedules
        ]
        first, second = self.schedules[:2]
        if _is_factor(first) and _is_factor(second):  # two numbers would make a number
            texts[0] = repr(first)
        return " * ".join(texts)


@dataclass(frozen=True, repr=False)
class Until(Shape):
    """A schedule up to a step, then holding the value it has there; written ``a.until(at)``.

    Args:
        schedule: what is cut.
        at: the duration after which nothing changes any more.

    Raises:
        ScheduleError: ``at`` is no duration.

    >>> from lrlab.schedules import Exponential
    >>> Exponential(0.5).until(2)([0, 1, 2, 3])
    array([1.  , 0.5 , 0.25, 0.25])
    """

    schedule: Schedule
    at: Duration

    def children(self) -> tuple[Schedule, ...]:
        return (self.schedule,)

    @property
    def relative(self) -> bool:
        return self.schedule.relative

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.minimum(t, self.length(Horizon())), base)

    def length(self, horizon: Horizon) -> float:
        return horizon.length(self.at)

    def within(self, horizon: Horizon) -> "Until":
        return Until(self.schedule.within(horizon), horizon.steps(self.at))

    def __repr__(self) -> str:
        return f"{enclosed(self.schedule, 3)}.until({shown(self.at)})"


def product(first: Schedule | float, second: Schedule | float) -> Product:
    """``first * second``; a plain number is a constant factor."""
    return Product(tuple(s if isinstance(s, Schedule) else Constant(s) for s in (first, second)))


def enclosed(schedule: Schedule, precedence: int) -> str:
    """The text of ``schedule``, in parentheses where it binds less tightly than its place asks."""
    text = repr(schedule)
    return text if schedule.precedence >= precedence else f"({text})"


def _flat(
    kind: type[Sequence] | type[Product], schedules: tuple[Schedule, ...]
) -> tuple[Schedule, ...]:
    """The parts with their own parts in their place: grouping has no meaning, nor any text."""
    if len(schedules) < 2 or not all(isinstance(part, Schedule) for part in schedules):
        raise ScheduleError(f"{kind.__name__} needs two schedules or more, got {schedules!r}.")
    groups = (part.schedules if isinstance(part, kind) else (part,) for part in schedules)
    return tuple(part for group in groups for part in group)


def _is_factor(schedule: Schedule) -> TypeGuard[Constant]:
    return isinstance(schedule, Constant) and schedule.over is None and schedule.relative
