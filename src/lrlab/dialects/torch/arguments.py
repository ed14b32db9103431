"""Reading torch's arguments: as those of every library, but one value is for all groups."""

from typing import Any

from lrlab.dialects import arguments
from lrlab.errors import ScheduleError
from lrlab.schedules import Rate
from lrlab.schedules.parameters import Number, Positive


def number(function: str, **argument: Any) -> float:
    """The value of one argument that must be a number for all groups."""
    value: float = arguments.read(function, Number, **_for_all(function, argument))
    return value


def positive(function: str, **argument: Any) -> float:
    """The value of one argument that must be a number above 0 for all groups."""
    value: float = arguments.read(function, Positive, **_for_all(function, argument))
    return value


def level(function: str, **argument: Any) -> float | Rate:
    """The level of one argument that must be an absolute rate for all groups."""
    return arguments.absolute(function, **_for_all(function, argument))


def _for_all(function: str, argument: dict[str, Any]) -> dict[str, Any]:
    """The argument, unless it is a list of one value per parameter group.

    Raises:
        ScheduleError: it is.
    """
    ((name, value),) = argument.items()
    if isinstance(value, list | tuple):
        raise ScheduleError(
            f"{function}: {name} must be one number, got {arguments.short(value)}: a schedule is "
            "for all parameter groups. Give each group its own lr and write levels as factors of "
            "it, as in Cosine(45, end=0.01)."
        )
    return argument
