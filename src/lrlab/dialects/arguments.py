"""Checks on the arguments of other libraries' functions that no shape would make."""

from lrlab.errors import ScheduleError
from lrlab.schedules import Rate
from lrlab.schedules.numbers import real, tidy, whole


def absolute(rate: float) -> float | Rate:
    """The level of an absolute rate; 0 is a factor, which keeps a schedule relative."""
    level = Rate(rate)
    return level if level.value else 0.0


def steps(function: str, name: str, value: object) -> float:
    """``value`` when it is a number of steps, 0 or more.

    Raises:
        ScheduleError: it is not.
    """
    number = real(value)
    if number is None or number < 0:
        raise ScheduleError(f"{function}: {name} must be a number of 0 or more, got {value!r}.")
    return tidy(number)


def count(function: str, name: str, value: object, least: int = 0) -> int:
    """``value`` when it is a whole number of ``least`` or more.

    Raises:
        ScheduleError: it is not.
    """
    number = whole(value)
    if number is None or number < least:
        raise ScheduleError(
            f"{function}: {name} must be a whole number of {least} or more, got {value!r}."
        )
    return number


def above_zero(function: str, name: str, value: object) -> float:
    """``value`` when it is a number above 0.

    Raises:
        ScheduleError: it is not.
    """
    number = real(value)
    if number is None or number <= 0:
        raise ScheduleError(f"{function}: {name} must be a number above 0, got {value!r}.")
    return number
