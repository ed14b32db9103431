"""How a parameter is read: a kind takes a value, refuses it by a rule, or binds it to a horizon."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lrlab.schedules.durations import MAX_STEPS, Horizon, convert_duration
from lrlab.schedules.levels import Absolute, resolve_level
from lrlab.schedules.numbers import to_finite_float, to_int_if_whole, to_integer


@dataclass(frozen=True)
class FieldSpec:
    """A kind of parameter.

    Args:
        rule: what a value must be, as it ends the sentence "over must be ...".
        convert: the value in its one spelling, or None when the rule refuses it.
        bind: the value in steps, given a horizon and the schedule it belongs to.
        optional: whether None is a value too.
        fills_remaining: whether None means the rest of the training.
    """

    rule: str
    convert: Callable[[Any], Any]
    bind: Callable[[Any, Horizon, object], Any] | None = None
    optional: bool = False
    fills_remaining: bool = False

    def __repr__(self) -> str:
        return self.rule  # which is what help() shows of a parameter


def convert_level(value: Any) -> float | Absolute | None:
    if isinstance(value, Absolute):
        return value
    factor = to_finite_float(value)
    return None if factor is None or factor < 0 else factor


def make_number_converter(is_allowed: Callable[[float], bool]) -> Callable[[Any], float | None]:
    """The reading of a number that must be allowed."""

    def convert(value: Any) -> float | None:
        number = to_finite_float(value)
        return number if number is not None and is_allowed(number) else None

    return convert


def convert_positive_level(value: Any) -> float | Absolute | None:
    converted = convert_level(value)
    return converted if converted is not None and resolve_level(converted, 1.0) > 0 else None


def convert_count(value: Any) -> int | None:
    number = to_integer(value)
    # An int beyond every float is none that a rate could be computed with.
    return None if number is None or number < 0 or to_finite_float(value) is None else number


def make_list_converter(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...] | None]:
    """The reading of a list, one value at a time."""

    def convert_all(values: Any) -> tuple[Any, ...] | None:
        if not isinstance(values, Iterable) or isinstance(values, str | bytes):
            return None
        try:
            items = tuple(convert(value) for value in values)
        except TypeError:  # an array or tensor of no dimension
            return None
        return None if not items or any(item is None for item in items) else items

    return convert_all


def convert_milestones(values: Any) -> tuple[Any, ...] | None:
    times = make_list_converter(convert_duration)(values)
    steps = [time for time in times or () if not isinstance(time, str)]
    return times if steps == sorted(steps) else None


def convert_offset(value: Any) -> float | str | None:
    number = to_finite_float(value)
    return convert_duration(value) if number is None else to_int_if_whole(number)


def convert_period(value: Any) -> float | str | None:
    duration = convert_duration(value)
    if isinstance(duration, str):
        return None if duration in ("0ep", "0%") else duration
    # One of next to no length would leave no number for steps counted in it.
    return None if duration is None or duration < 1 / MAX_STEPS else duration


def bind_or_fill_remaining(value: Any, horizon: Horizon, owner: object) -> float:
    return horizon.count_remaining_steps(owner) if value is None else horizon.to_steps(value)


def bind_if_given(value: Any, horizon: Horizon, owner: object) -> float | None:
    return None if value is None else horizon.to_steps(value)


def make_choice_spec(*choices: str) -> FieldSpec:
    """The kind of a text that is one of a few."""
    rule = " or ".join(f'"{text}"' for text in choices)
    return FieldSpec(rule, lambda value: value if isinstance(value, str) and value in choices else None)


def format_value(value: object) -> str:
    """A parameter's value as text: texts in double quotes, so that a shell may use single ones."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(format_value, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return repr(value)
