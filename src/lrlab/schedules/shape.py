"""What every shape is: a frozen dataclass whose fields say what kind of parameter each is."""

import dataclasses
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf
from typing import Any, ClassVar, Self, get_args, get_type_hints

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.kinds import FieldSpec, format_value
from lrlab.schedules.levels import Absolute

__all__ = ["Primitive"]


@dataclass(frozen=True, repr=False)
class Primitive(Schedule):
    """A primitive schedule: a frozen dataclass whose fields are annotated with a ``Kind``.

    A new shape is a frozen dataclass (``repr=False``) with ``evaluate``; reading, checking,
    binding, printing and parsing of its parameters follow from the annotations. It lasts as long
    as its field ``over`` says; where that is None or missing, it has no end of its own.
    """

    def __post_init__(self) -> None:
        for name, kind in get_field_specs(type(self)).items():
            object.__setattr__(self, name, self._convert_value(name, kind, getattr(self, name)))

    def _convert_value(self, name: str, spec: FieldSpec, value: Any) -> Any:
        if value is None and spec.optional:
            return None
        converted = spec.convert(value)
        if converted is None:
            raise self.make_error(f"{name} must be {spec.rule}, got {value!r}.")
        return converted

    def make_error(self, message: str) -> ScheduleError:
        """An error about an argument of this shape."""
        return ScheduleError(f"{type(self).__name__}: {message}")

    @cached_property
    def is_relative(self) -> bool:
        has_only_factors = not any(_contains_absolute(getattr(self, name)) for name in get_field_specs(type(self)))
        return has_only_factors and super().is_relative

    @property
    def has_end(self) -> bool:
        spec = get_field_specs(type(self)).get("over")
        return spec is not None and (spec.fills_remaining or getattr(self, "over", None) is not None)

    def compute_length(self, horizon: Horizon) -> float:
        over: float | str | None = getattr(self, "over", None)
        return inf if over is None else horizon.to_exact_steps(over)

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        return self.replace(
            **{
                name: kind.bind(getattr(self, name), horizon, self)
                for name, kind in get_field_specs(type(self)).items()
                if kind.bind is not None
            }
        )

    def replace(self, **values: Any) -> Self:
        """This shape with other values of some fields, or itself where they are the same."""
        same = all(getattr(self, name) == value for name, value in values.items())
        return self if same else dataclasses.replace(self, **values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.format_arguments()})"

    def format_arguments(self) -> str:
        """The text of the arguments, those with their default value left out."""
        fields = [f for f in dataclasses.fields(self) if f.name != "schedule"]
        # A subclass that makes a field keyword-only leaves it where it stood among the others.
        positional = [f for f in fields if not f.kw_only]
        changed = [f.name for f in fields if getattr(self, f.name) != f.default]
        last = max((i for i, f in enumerate(positional) if f.name in changed), default=-1)
        texts = [format_value(getattr(self, f.name)) for f in positional[: last + 1]]
        texts += [
            f"{f.name}={format_value(getattr(self, f.name))}"
            for f in fields
            if f.kw_only and f.name in changed
        ]
        return ", ".join(texts)


@dataclass(frozen=True, repr=False)
class Wrapper(Primitive):
    """One schedule, changed; written as a call of ``method_name`` on it: ``a.until(30)``."""

    schedule: Schedule
    method_name: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.schedule, Schedule):
            raise self.make_error(f"schedule must be a schedule, got {self.schedule!r}.")

    def children(self) -> tuple[Schedule, ...]:
        return (self.schedule,)

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        (schedule,) = children
        return self.replace(schedule=schedule)

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        """The horizon of the schedule inside."""
        return horizon

    @cached_property
    def has_end(self) -> bool:
        return self.schedule.has_end

    def compute_length(self, horizon: Horizon) -> float:
        return self.schedule.compute_length(self.to_inner_horizon(horizon))

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        bound = super().bind_to_horizon(horizon)
        return bound.replace(schedule=self.schedule.bind_to_horizon(bound.to_inner_horizon(horizon)))

    def __repr__(self) -> str:
        return f"{parenthesize(self.schedule, self.precedence)}.{self.method_name}({self.format_arguments()})"


def parenthesize(schedule: Schedule, precedence: int) -> str:
    """The text of ``schedule``, in parentheses where it binds less tightly than its place asks."""
    text = repr(schedule)
    return text if schedule.precedence >= precedence else f"({text})"


def _contains_absolute(value: object) -> bool:
    return isinstance(value, Absolute) or (isinstance(value, tuple) and any(map(_contains_absolute, value)))


@cache
def get_field_specs(primitive: type[Primitive]) -> dict[str, FieldSpec]:
    """The fields of a shape that are parameters, and what each may be."""
    hints = get_type_hints(primitive, include_extras=True)
    names = [f.name for f in dataclasses.fields(primitive)]
    specs = {
        name: [arg for arg in get_args(hints[name]) if isinstance(arg, FieldSpec)] for name in names
    }
    return {name: kinds[0] for name, kinds in specs.items() if kinds}
