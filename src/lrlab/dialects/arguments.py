"""Reading what another library's function is given, by the rules of the shapes' own parameters."""

from typing import Annotated, Any, get_args

from lrlab.errors import ScheduleError
from lrlab.schedules import Rate, Schedule
from lrlab.schedules.kinds import Kind
from lrlab.schedules.numbers import real


def _fraction(value: Any) -> float | None:
    number = real(value)
    return number if number is not None and 0 <= number <= 1 else None


Fraction = Annotated[float, Kind("a number from 0 to 1", _fraction)]
"""A part of a whole, which may be all of it."""


def read(function: str, kind: Any, **argument: Any) -> Any:
    """The value of one argument, in its one spelling.

    Args:
        function: whose argument it is.
        kind: one of ``lrlab.schedules.parameters``, such as ``Positive``.
        argument: the name and the value.

    Raises:
        ScheduleError: the value breaks the rule of the kind.

    >>> from lrlab.schedules.parameters import Positive
    >>> read("StepLR", Positive, gamma=0)
    Traceback (most recent call last):
    lrlab.errors.ScheduleError: StepLR: gamma must be a number above 0, got 0.
    """
    ((name, value),) = argument.items()
    (rules,) = [part for part in get_args(kind) if isinstance(part, Kind)]
    if value is None and rules.optional:
        return None
    found = rules.read(value)
    if found is None:
        raise ScheduleError(f"{function}: {name} must be {rules.rule}, got {value!r}.")
    return found


def absolute(value: Any) -> float | Rate:
    """The level of an absolute rate; that of 0 is the factor 0, which keeps a schedule relative.

    Raises:
        ScheduleError: ``value`` is no rate of 0 or more.
    """
    return 0.0 if real(value) == 0 else Rate(value)


def schedule_of(function: str, **argument: Any) -> Schedule:
    """The value of an argument that must be a schedule.

    Raises:
        ScheduleError: it is none.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, Schedule):
        raise ScheduleError(f"{function}: {name} must be a schedule, got {value!r}.")
    return value


def one_of(function: str, *known: str, **argument: Any) -> str:
    """The value of an argument that must be one of a few texts.

    Raises:
        ScheduleError: it is none of them.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, str) or value not in known:
        rule = " or ".join(f'"{text}"' for text in known)
        raise ScheduleError(f"{function}: {name} must be {rule}, got {value!r}.")
    return value
