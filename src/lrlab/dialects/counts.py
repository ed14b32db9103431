"""Whole numbers among the arguments of other libraries' functions."""

from typing import Any

from lrlab.errors import ScheduleError
from lrlab.schedules.numbers import real, whole


def count(function: str, least: int = 0, **argument: Any) -> int:
    """The value of one argument that must be a whole number of ``least`` or more.

    Args:
        function: whose argument it is.
        least: the least that it may be.
        argument: the name and the value.

    Raises:
        ScheduleError: it is not, or it is beyond every float.

    >>> count("ConcatScheduler", least=1, duration=3)
    3
    """
    ((name, value),) = argument.items()
    number = whole(value)
    if number is None or number < least or real(value) is None:
        raise ScheduleError(
            f"{function}: {name} must be a whole number of {least} or more, got {value!r}."
        )
    return number
