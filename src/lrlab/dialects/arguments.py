"""Checks of the arguments of other libraries' functions, by the rules of lrlab's fields.

Each check takes the name of the function and one argument, ``name=value``; its error names both.
"""

from typing import Annotated, Any, get_args

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import ScheduleError, shorten_repr
from lrlab.schedules import Absolute, Custom, Schedule
from lrlab.schedules.fields import FieldSpec, make_number_converter

Fraction = Annotated[
    float, FieldSpec("a number from 0 to 1", make_number_converter(lambda x: 0 <= x <= 1))
]
"""A fraction of a whole, 0 and 1 included."""

_NonNegativeRate = Annotated[
    float, FieldSpec("a non-negative rate", make_number_converter(lambda x: x >= 0))
]


def check_argument(func_name: str, field_type: Any, **argument: Any) -> Any:
    """Return the value of an argument, converted as a field of that type converts it.

    Args:
        func_name: name of the function in the error.
        field_type: a type of ``lrlab.schedules.fields``, such as ``Positive``.
        argument: name and value of the argument.

    Raises:
        ScheduleError: the value breaks the rule of the type.

    >>> from lrlab.schedules.fields import Positive
    >>> check_argument("StepLR", Positive, gamma=0)
    Traceback (most recent call last):
    lrlab.errors.ScheduleError: StepLR: gamma must be a positive number, got 0.
    """
    ((name, value),) = argument.items()
    (field_spec,) = [part for part in get_args(field_type) if isinstance(part, FieldSpec)]
    if value is None and field_spec.optional:
        return None
    checked = field_spec.convert(value)
    if checked is None:
        raise ScheduleError(
            f"{func_name}: {name} must be {field_spec.rule}, got {shorten_repr(value)}."
        )
    return checked


def check_count(func_name: str, minimum: int = 0, **argument: Any) -> int:
    """Return the value of an argument that must be a whole number of ``minimum`` or more.

    Raises:
        ScheduleError: it is not, or it is larger than any float.

    >>> check_count("ConcatScheduler", minimum=1, duration=3)
    3
    """
    ((name, value),) = argument.items()
    number = to_integer(value)
    if number is None or number < minimum or to_finite_float(value) is None:
        raise ScheduleError(
            f"{func_name}: {name} must be a whole number of {minimum} or more, got "
            f"{shorten_repr(value)}."
        )
    return number


def check_absolute(func_name: str, **argument: Any) -> float | Absolute:
    """Return the level of an argument that must be a non-negative rate.

    Raises:
        ScheduleError: it is not.

    >>> check_absolute("SchedLin", start=0.1), check_absolute("SchedLin", end=0)
    (Absolute(0.1), 0.0)
    """
    return to_absolute(check_argument(func_name, _NonNegativeRate, **argument))


def to_absolute(rate: float) -> float | Absolute:
    """Return an absolute level; that of 0 is the factor 0.0, which leaves a schedule relative."""
    return Absolute(rate) if rate else 0.0


def check_schedule(func_name: str, **argument: Any) -> Schedule:
    """Return the value of an argument that must be a schedule.

    Raises:
        ScheduleError: it is not.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, Schedule):
        raise ScheduleError(f"{func_name}: {name} must be a schedule, got {shorten_repr(value)}.")
    return value


def check_function(func_name: str, **argument: Any) -> Schedule:
    """Return the ``Custom`` schedule of an argument that must be a Python function of the step.

    Raises:
        ScheduleError: it is not.
    """
    ((name, value),) = argument.items()
    if not callable(value):
        raise ScheduleError(
            f"{func_name}: {name} must be one function, got {shorten_repr(value)}; in a text write "
            'a formula instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(value)


def check_choice(func_name: str, *choices: str, **argument: Any) -> str:
    """Return the value of an argument that must be one of ``choices``.

    Raises:
        ScheduleError: it is not.
    """
    ((name, value),) = argument.items()
    if not isinstance(value, str) or value not in choices:
        rule = " or ".join(f'"{choice}"' for choice in choices)
        raise ScheduleError(f"{func_name}: {name} must be {rule}, got {shorten_repr(value)}.")
    return value
