"""Reading what another library's function is given, by the rules of the shapes' own parameters.

Every reader takes the name of the function and one argument by its name, which its error names.
"""

from typing import Annotated, Any, get_args

from lrlab.errors import ScheduleError
from lrlab.schedules import Custom, Rate, Schedule
from lrlab.schedules.kinds import Kind
from lrlab.schedules.numbers import real, whole


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
        raise ScheduleError(f"{function}: {name} must be {rules.rule}, got {short(value)}.")
    return found


def count(function: str, least: int = 0, **argument: Any) -> int:
    """The value of one argument that must be a whole number of ``least`` or more.

    Raises:
        ScheduleError: it is not, or it is beyond every float.

    >>> count("ConcatScheduler", least=1, duration=3)
    3
    """
    ((name, value),) = argument.items()
    number = whole(value)
    if number is None or number < least or real(value) is None:
        raise ScheduleError(
            f"{function}: {name} must be a whole number of {least} or more, got {short(value)}."
        )
    return number


def absolute(function: str, **argument: Any) -> float | Rate:
    """The level of an absolute rate; that of 0 is the factor 0, which keeps a schedule relative.

    Raises:
        ScheduleError: the value is no rate of 0 or more.

    >>> absolute("SchedLin", start=0.1), absolute("SchedLin", end=0)
    (Rate(0.1), 0.0)
    """
    rate = read(function, _RATE, **argument)
    return Rate(rate) if rate else 0.0


def _rate(value: Any) -> float | None:
    number = real(value)
    return number if number is not None and number >= 0 else None


_RATE = Annotated[float, Kind("a rate of 0 or more", _rate)]


def schedule_of(function: str, **argument: Any) -> Schedule:
    """The value of an argument that must be a schedule.

    Raises:
        ScheduleError: it is none.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, Schedule):
        raise ScheduleError(f"{function}: {name} must be a schedule, got {short(value)}.")
    return value


def function_of(function: str, **argument: Any) -> Schedule:
    """The schedule of an argument that must be a Python function of the step.

    Raises:
        ScheduleError: it is none.
    """
    ((name, value),) = argument.items()
    if not callable(value):
        raise ScheduleError(
            f"{function}: {name} must be one function, got {short(value)}; in a text write a "
            'formula instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(value)


def one_of(function: str, *known: str, **argument: Any) -> str:
    """The value of an argument that must be one of a few texts.

    Raises:
        ScheduleError: it is none of them.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, str) or value not in known:
        rule = " or ".join(f'"{text}"' for text in known)
        raise ScheduleError(f"{function}: {name} must be {rule}, got {short(value)}.")
    return value


def short(value: Any) -> str:
    """The text of a value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
