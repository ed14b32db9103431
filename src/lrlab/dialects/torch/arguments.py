"""Reading torch's arguments: as those of every library, but one value is for all groups."""

from typing import Any

from lrlab.dialects import arguments
from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute
from lrlab.schedules.parameters import Number, Positive


def _check_scalar(func_name: str, **argument: Any) -> float:
    """The value of one argument that must be a number for all groups."""
    value: float = arguments.check_argument(func_name, Number, **_reject_list(func_name, argument))
    return value


def _check_positive_scalar(func_name: str, **argument: Any) -> float:
    """The value of one argument that must be a number above 0 for all groups."""
    value: float = arguments.check_argument(func_name, Positive, **_reject_list(func_name, argument))
    return value


def _check_absolute_scalar(func_name: str, **argument: Any) -> float | Absolute:
    """The level of one argument that must be an absolute rate for all groups."""
    return arguments.check_absolute(func_name, **_reject_list(func_name, argument))


def _reject_list(func_name: str, argument: dict[str, Any]) -> dict[str, Any]:
    """The argument, unless it is a list of one value per parameter group.

    Raises:
        ScheduleError: it is.
    """
    ((name, value),) = argument.items()
    if isinstance(value, list | tuple):
        raise ScheduleError(
            f"{func_name}: {name} must be one number, got {arguments.shorten(value)}: a schedule is "
            "for all parameter groups. Give each group its own lr and write levels as factors of "
            "it, as in Cosine(45, end=0.01)."
        )
    return argument
