"""What torch's arguments have in common: one value for all groups, and rates that are absolute."""

from collections.abc import Mapping
from typing import Any, TypeVar

from lrlab.errors import ScheduleError
from lrlab.schedules import Custom, Rate, Schedule
from lrlab.schedules.numbers import real, whole

V = TypeVar("V")


def number(name: str, value: Any) -> float:
    """``value`` as the one number that it must be.

    Raises:
        ScheduleError: it is none, or a list of one per parameter group.
    """
    if isinstance(value, list | tuple):
        raise ScheduleError(
            f"{name} must be one number, got {short(value)}: a schedule is for all parameter "
            "groups. Give each group its own lr and write levels as factors of it, as in "
            "Cosine(45, end=0.01)."
        )
    read = real(value)
    if read is None:
        raise ScheduleError(f"{name} must be a number, got {short(value)}.")
    return read


def positive(name: str, value: Any) -> float:
    """``value`` as the one number above 0 that it must be."""
    read = number(name, value)
    if read <= 0:
        raise ScheduleError(f"{name} must be above 0, got {value!r}.")
    return read


def count(name: str, value: Any, least: int = 1) -> int:
    """``value`` as the whole number of ``least`` or more that it must be."""
    read = whole(value)
    if read is None or real(value) is None or read < least:
        raise ScheduleError(f"{name} must be a whole number of {least} or more, got {value!r}.")
    return read


def level(name: str, value: Any) -> float | Rate:
    """The level of an absolute rate; 0 is a factor as well, which keeps a schedule relative."""
    rate = number(name, value)
    return Rate(rate) if rate else 0.0


def function(name: str, value: Any) -> Schedule:
    """The schedule of one Python function."""
    if not callable(value):
        raise ScheduleError(
            f"{name} must be one function, got {short(value)}; in a text write "
            'a formula instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(value)


def choice(name: str, value: Any, known: Mapping[str, V]) -> V:
    """The entry of that name."""
    if not isinstance(value, str) or value not in known:
        texts = " or ".join(f'"{text}"' for text in known)
        raise ScheduleError(f"{name} must be {texts}, got {value!r}.")
    return known[value]


def short(value: Any) -> str:
    """The text of a value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
