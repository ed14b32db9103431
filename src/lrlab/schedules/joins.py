"""One schedule after another: from the base rate again (``>>``) or from where the first ended."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.base import SEQUENCE, SUM, Array, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.reaction import State
from lrlab.schedules.shape import enclosed

__all__ = ["Continued", "Sequence"]

SOME_HORIZON = Horizon(total=1e9, epoch=1e6)
"""Any horizon with everything known will do to ask whether something ends at all."""


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
    precedence: ClassVar[int] = SEQUENCE

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", flat(Sequence, self.schedules))
        for part in self.schedules[:-1]:
            must_end(part)

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    @cached_property
    def starts(self) -> Array:
        """The step at which each part begins, of shape (parts,), once durations are bound."""
        lengths = [part.length(Horizon()) for part in self.schedules[:-1]]
        return np.cumsum([0.0, *lengths])

    def evaluate(self, t: Array, base: float) -> Array:
        first, last = int(self._ruling(t.min())), int(self._ruling(t.max()))
        if first == last:  # which is so for a single step and for most pieces of a long array
            return self.schedules[first].evaluate(t - self.starts[first], base)
        ruling = self._ruling(t)
        rates: Array = np.empty_like(t)
        for i in range(first, last + 1):
            here = ruling == i
            if here.any():
                rates[here] = self.schedules[i].evaluate(t[here] - self.starts[i], base)
        return rates

    def _ruling(self, t: Any) -> Any:
        """The number of the part that rules, at a step or at each of many."""
        return self.starts[1:].searchsorted(t, side="right")

    @property
    def ends(self) -> bool:
        return self.schedules[-1].ends

    def length(self, horizon: Horizon) -> float:
        return sum(part.length(horizon) for part in self.schedules)

    def within(self, horizon: Horizon) -> "Sequence":
        parts = []
        for part in self.schedules:
            bound = part.within(horizon)
            parts.append(bound)
            horizon = horizon.after(part.length(horizon), bound.length(Horizon()))
        return self.rebuilt(tuple(parts))

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        return (t - float(self.starts[child]), base) if self._ruling(t) == child else None

    def rebuilt(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.schedules else type(self)(children)

    def __repr__(self) -> str:
        return " >> ".join(enclosed(part, SUM) for part in self.schedules)


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
        must_end(self.first)

    def children(self) -> tuple[Schedule, ...]:
        return self.first, self.second

    @cached_property
    def _start(self) -> float:
        return self.first.length(Horizon())

    def evaluate(self, t: Array, base: float) -> Array:
        start = self._start
        before = t < start
        rates = np.empty_like(t)
        if before.any():
            rates[before] = self.first.evaluate(t[before], base)
        if not before.all():
            ended = self._ended(self.first, base)
            rates[~before] = self.second.evaluate(t[~before] - start, ended)
        return rates

    def _ended(self, first: Schedule, base: float) -> float:
        return float(first.evaluate(np.array([self._start], dtype=np.float64), base)[0])

    @property
    def ends(self) -> bool:
        return self.second.ends

    def length(self, horizon: Horizon) -> float:
        return self.first.length(horizon) + self.second.length(horizon)

    def within(self, horizon: Horizon) -> "Continued":
        first = self.first.within(horizon)
        after = horizon.after(self.first.length(horizon), first.length(Horizon()))
        return self.rebuilt((first, self.second.within(after)))

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        before = t < self._start
        if child == 0:
            return (t, base) if before else None
        return None if before else (t - self._start, self._ended(self.first.given(state[0]), base))

    def rebuilt(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.children() else type(self)(*children)

    def __repr__(self) -> str:
        return f'{enclosed(self.first, self.precedence)}.then({self.second}, join="continue")'


def must_end(part: Schedule) -> None:
    """Refuses to let anything follow what never ends."""
    if math.isinf(part.length(SOME_HORIZON)):
        raise ScheduleError(
            f"{part} has no end of its own, so nothing can follow it: give it a duration "
            f"(over=...) or say when to stop, {enclosed(part, Schedule.precedence)}.until(30) "
            ">> ..."
        )


def flat(kind: type[Schedule], schedules: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
    """The parts with their own parts in their place: grouping has no meaning, nor any text."""
    parts = schedules if isinstance(schedules, tuple) else ()
    if len(parts) < 2 or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(f"{kind.__name__} needs two schedules or more, got {schedules!r}.")
    groups = (part.children() if isinstance(part, kind) else (part,) for part in schedules)
    return tuple(part for group in groups for part in group)
