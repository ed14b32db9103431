"""How a parameter is read: a kind takes a value, refuses it by a rule, or binds it to a horizon."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lrlab.schedules.durations import MOST_STEPS, Horizon, read_duration
from lrlab.schedules.levels import Rate, resolve
from lrlab.schedules.numbers import real, tidy, whole


@dataclass(frozen=True)
class Kind:
    """A kind of parameter.

    Args:
        rule: what a value must be, as it ends the sentence "over must be ...".
        read: the value in its one spelling, or None when the rule refuses it.
        bind: the value in steps, given a horizon and the schedule it belongs to.
        optional: whether None is a value too.
        fills: whether None means the rest of the training.
    """

    rule: str
    read: Callable[[Any], Any]
    bind: Callable[[Any, Horizon, object], Any] | None = None
    optional: bool = False
    fills: bool = False

    def __repr__(self) -> str:
        return self.rule  # which is what help() shows of a parameter


def level(value: Any) -> float | Rate | None:
    if isinstance(value, Rate):
        return value
    factor = real(value)
    return None if factor is None or factor < 0 else factor


def within(allowed: Callable[[float], bool]) -> Callable[[Any], float | None]:
    """The reading of a number that must be allowed."""

    def read(value: Any) -> float | None:
        number = real(value)
        return number if number is not None and allowed(number) else None

    return read


def height(value: Any) -> float | Rate | None:
    read = level(value)
    return read if read is not None and resolve(read, 1.0) > 0 else None


def count(value: Any) -> int | None:
    number = whole(value)
    # An int beyond every float is none that a rate could be computed with.
    return None if number is None or number < 0 or real(value) is None else number


def several(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...] | None]:
    """The reading of a list, one value at a time."""

    def read_all(values: Any) -> tuple[Any, ...] | None:
        if not isinstance(values, Iterable) or isinstance(values, str | bytes):
            return None
        try:
            items = tuple(read(value) for value in values)
        except TypeError:  # an array or tensor of no dimension
            return None
        return None if not items or any(item is None for item in items) else items

    return read_all


def ascending(values: Any) -> tuple[Any, ...] | None:
    times = several(read_duration)(values)
    steps = [time for time in times or () if not isinstance(time, str)]
    return times if steps == sorted(steps) else None


def offset(value: Any) -> float | str | None:
    number = real(value)
    return read_duration(value) if number is None else tidy(number)


def period(value: Any) -> float | str | None:
    duration = read_duration(value)
    if isinstance(duration, str):
        return None if duration in ("0ep", "0%") else duration
    # One of next to no length would leave no number for steps counted in it.
    return None if duration is None or duration < 1 / MOST_STEPS else duration


def bind_over(value: Any, horizon: Horizon, whose: object) -> float:
    return horizon.rest(whose) if value is None else horizon.steps(value)


def bind_limit(value: Any, horizon: Horizon, whose: object) -> float | None:
    return None if value is None else horizon.steps(value)


def one_of(*texts: str) -> Kind:
    """The kind of a text that is one of a few."""
    rule = " or ".join(f'"{text}"' for text in texts)
    return Kind(rule, lambda value: value if isinstance(value, str) and value in texts else None)


def shown(value: object) -> str:
    """A parameter's value as text: texts in double quotes, so that a shell may use single ones."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return repr(value)
