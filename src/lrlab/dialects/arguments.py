"""Reading what another library's function is given, by the rules of the shapes' own parameters.

Every reader takes the name of the function and one argument by its name, which its error names.
"""

from typing import Annotated, Any, get_args

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Custom, Schedule
from lrlab.schedules.fields import FieldSpec


def _convert_fraction(value: Any) -> float | None:
    number = to_finite_float(value)
    return number if number is not None and 0 <= number <= 1 else None


Fraction = Annotated[float, FieldSpec("a number from 0 to 1", _convert_fraction)]
"""A part of a whole, which may be all of it."""


def check_argument(func_name: str, field_type: Any, **argument: Any) -> Any:
    """The value of one argument, in its one spelling.

    Args:
        func_name: whose argument it is.
        field_type: one of ``lrlab.schedules.fields``, such as ``Positive``.
        argument: the name and the value.

    Raises:
        ScheduleError: the value breaks the rule of the kind.

    >>> from lrlab.schedules.fields import Positive
    >>> read("StepLR", Positive, gamma=0)
    Traceback (most recent call last):
    lrlab.errors.ScheduleError: StepLR: gamma must be a number above 0, got 0.
    """
    ((name, value),) = argument.items()
    (field_spec,) = [part for part in get_args(field_type) if isinstance(part, FieldSpec)]
    if value is None and field_spec.optional:
        return None
    checked = field_spec.convert(value)
    if checked is None:
        raise ScheduleError(f"{func_name}: {name} must be {field_spec.rule}, got {shorten(value)}.")
    return checked


def check_count(func_name: str, minimum: int = 0, **argument: Any) -> int:
    """The value of one argument that must be a whole number of ``minimum`` or more.

    Raises:
        ScheduleError: it is not, or it is beyond every float.

    >>> check_count("ConcatScheduler", least=1, duration=3)
    3
    """
    ((name, value),) = argument.items()
    number = to_integer(value)
    if number is None or number < minimum or to_finite_float(value) is None:
        raise ScheduleError(
            f"{func_name}: {name} must be a whole number of {minimum} or more, got {shorten(value)}."
        )
    return number


def check_absolute(func_name: str, **argument: Any) -> float | Absolute:
    """The level of an absolute rate; that of 0 is the factor 0, which keeps a schedule relative.

    Raises:
        ScheduleError: the value is no rate of 0 or more.

    >>> check_absolute("SchedLin", start=0.1), check_absolute("SchedLin", end=0)
    (Absolute(0.1), 0.0)
    """
    rate = check_argument(func_name, _NonNegativeRate, **argument)
    return Absolute(rate) if rate else 0.0


def _convert_rate(value: Any) -> float | None:
    number = to_finite_float(value)
    return number if number is not None and number >= 0 else None


_NonNegativeRate = Annotated[float, FieldSpec("a rate of 0 or more", _convert_rate)]


def check_schedule(func_name: str, **argument: Any) -> Schedule:
    """The value of an argument that must be a schedule.

    Raises:
        ScheduleError: it is none.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, Schedule):
        raise ScheduleError(f"{func_name}: {name} must be a schedule, got {shorten(value)}.")
    return value


def check_function(func_name: str, **argument: Any) -> Schedule:
    """The schedule of an argument that must be a Python function of the step.

    Raises:
        ScheduleError: it is none.
    """
    ((name, value),) = argument.items()
    if not callable(value):
        raise ScheduleError(
            f"{func_name}: {name} must be one function, got {shorten(value)}; in a text write a "
            'formula instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(value)


def check_choice(func_name: str, *choices: str, **argument: Any) -> str:
    """The value of an argument that must be one of a few texts.

    Raises:
        ScheduleError: it is none of them.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, str) or value not in choices:
        rule = " or ".join(f'"{text}"' for text in choices)
        raise ScheduleError(f"{func_name}: {name} must be {rule}, got {shorten(value)}.")
    return value


def shorten(value: Any) -> str:
    """The text of a value, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
