"""What every shape is: a frozen dataclass whose fields say what kind of parameter each is."""

import dataclasses
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf
from typing import Any, ClassVar, Self, get_args, get_type_hints

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.kinds import Kind, shown
from lrlab.schedules.levels import Rate

__all__ = ["Shape"]


@dataclass(frozen=True, repr=False)
class Shape(Schedule):
    """A primitive schedule: a frozen dataclass whose fields are annotated with a ``Kind``.

    A new shape is a frozen dataclass (``repr=False``) with ``evaluate``; reading, checking,
    binding, printing and parsing of its parameters follow from the annotations. It lasts as long
    as its field ``over`` says; where that is None or missing, it has no end of its own.
    """

    def __post_init__(self) -> None:
        for name, kind in kinds(type(self)).items():
            object.__setattr__(self, name, self._read(name, kind, getattr(self, name)))

    def _read(self, name: str, kind: Kind, value: Any) -> Any:
        if value is None and kind.optional:
            return None
        read = kind.read(value)
        if read is None:
            raise self.refusal(f"{name} must be {kind.rule}, got {value!r}.")
        return read

    def refusal(self, message: str) -> ScheduleError:
        """An error about an argument of this shape."""
        return ScheduleError(f"{type(self).__name__}: {message}")

    @cached_property
    def relative(self) -> bool:
        own = not any(_absolute(getattr(self, name)) for name in kinds(type(self)))
        return own and super().relative

    @property
    def ends(self) -> bool:
        kind = kinds(type(self)).get("over")
        return kind is not None and (kind.fills or getattr(self, "over", None) is not None)

    def length(self, horizon: Horizon) -> float:
        over: float | str | None = getattr(self, "over", None)
        return inf if over is None else horizon.length(over)

    def within(self, horizon: Horizon) -> Self:
        return self.changed(
            **{
                name: kind.bind(getattr(self, name), horizon, self)
                for name, kind in kinds(type(self)).items()
                if kind.bind is not None
            }
        )

    def changed(self, **values: Any) -> Self:
        """This shape with other values of some fields, or itself where they are the same."""
        same = all(getattr(self, name) == value for name, value in values.items())
        return self if same else dataclasses.replace(self, **values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.arguments()})"

    def arguments(self) -> str:
        """The text of the arguments, those with their default value left out."""
        fields = [f for f in dataclasses.fields(self) if f.name != "schedule"]
        # A subclass that makes a field keyword-only leaves it where it stood among the others.
        plain = [f for f in fields if not f.kw_only]
        changed = [f.name for f in fields if getattr(self, f.name) != f.default]
        last = max((i for i, f in enumerate(plain) if f.name in changed), default=-1)
        words = [shown(getattr(self, f.name)) for f in plain[: last + 1]]
        words += [
            f"{f.name}={shown(getattr(self, f.name))}"
            for f in fields
            if f.kw_only and f.name in changed
        ]
        return ", ".join(words)


@dataclass(frozen=True, repr=False)
class Changed(Shape):
    """One schedule, changed; written as a call of ``method`` on it: ``a.until(30)``."""

    schedule: Schedule
    method: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.schedule, Schedule):
            raise self.refusal(f"schedule must be a schedule, got {self.schedule!r}.")

    def children(self) -> tuple[Schedule, ...]:
        return (self.schedule,)

    def rebuilt(self, children: tuple[Schedule, ...]) -> Self:
        (schedule,) = children
        return self.changed(schedule=schedule)

    def inner(self, horizon: Horizon) -> Horizon:
        """The horizon of the schedule inside."""
        return horizon

    @cached_property
    def ends(self) -> bool:
        return self.schedule.ends

    def length(self, horizon: Horizon) -> float:
        return self.schedule.length(self.inner(horizon))

    def within(self, horizon: Horizon) -> Self:
        own = super().within(horizon)
        return own.changed(schedule=self.schedule.within(own.inner(horizon)))

    def __repr__(self) -> str:
        return f"{enclosed(self.schedule, self.precedence)}.{self.method}({self.arguments()})"


def enclosed(schedule: Schedule, precedence: int) -> str:
    """The text of ``schedule``, in parentheses where it binds less tightly than its place asks."""
    text = repr(schedule)
    return text if schedule.precedence >= precedence else f"({text})"


def _absolute(value: object) -> bool:
    return isinstance(value, Rate) or (isinstance(value, tuple) and any(map(_absolute, value)))


@cache
def kinds(shape: type[Shape]) -> dict[str, Kind]:
    """The fields of a shape that are parameters, and what each may be."""
    hints = get_type_hints(shape, include_extras=True)
    names = [f.name for f in dataclasses.fields(shape)]
    found = {
        name: [arg for arg in get_args(hints[name]) if isinstance(arg, Kind)] for name in names
    }
    return {name: kinds[0] for name, kinds in found.items() if kinds}
