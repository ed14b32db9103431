"""Types of a schedule's arguments, with their checks: levels (``Absolute``), durations, numbers.

Each type is annotated with a ``FieldSpec``, which checks, converts and binds an argument.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from lrlab._checks import to_finite_float, to_int_if_whole, to_integer
from lrlab.errors import ScheduleError
from lrlab.schedules.durations import MAX_STEPS, Horizon, convert_duration

__all__ = ["Absolute"]


@dataclass(frozen=True, repr=False)
class Absolute:
    """An absolute rate, where a plain number would be a factor of the base rate.

    Args:
        value: the rate itself, 0 or more, whatever the base rate is.

    Raises:
        ScheduleError: ``value`` is negative or not a finite number.

    >>> from lrlab.schedules import Linear
    >>> Linear(1.0, Absolute(0.001), over=10)(10, base=0.1)
    0.001
    """

    gallery_example = "Linear(1.0, Absolute(0.02))"
    value: float

    def __post_init__(self) -> None:
        number = to_finite_float(self.value)
        if number is None or number < 0:
            raise ScheduleError(f"Absolute: value must be a non-negative rate, got {self.value!r}.")
        object.__setattr__(self, "value", number)

    def __repr__(self) -> str:
        return f"Absolute({self.value!r})"


def resolve_level(level: float | Absolute, base: float) -> float:
    """Return the rate that a level stands for, given the base rate."""
    return level.value if isinstance(level, Absolute) else base * level


@dataclass(frozen=True)
class FieldSpec:
    """How an argument is checked, converted and bound.

    Args:
        rule: what a value must be, as the end of the sentence "over must be ...".
        convert: returns the value in canonical form, or None if it breaks the rule.
        bind: returns the value in steps, given a horizon and the schedule that it belongs to.
        optional: whether None is allowed too.
        fills_remaining: whether None means the rest of the training.
    """

    rule: str
    convert: Callable[[Any], Any]
    bind: Callable[[Any, Horizon, object], Any] | None = None
    optional: bool = False
    fills_remaining: bool = False

    def __repr__(self) -> str:
        return self.rule  # help() shows it next to the parameter


def format_value(value: object) -> str:
    """Return an argument as text; strings get double quotes, so that shells may use single ones."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(format_value, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return repr(value)


# Converters: each returns the value in canonical form, or None if it is not allowed.


def convert_level(value: Any) -> float | Absolute | None:
    if isinstance(value, Absolute):
        return value
    factor = to_finite_float(value)
    return None if factor is None or factor < 0 else factor


def convert_positive_level(value: Any) -> float | Absolute | None:
    converted = convert_level(value)
    return converted if converted is not None and resolve_level(converted, 1.0) > 0 else None


def convert_count(value: Any) -> int | None:
    number = to_integer(value)
    return None if number is None or number < 0 else number


def convert_milestones(values: Any) -> tuple[Any, ...] | None:
    milestones = make_list_converter(convert_duration)(values)
    steps = [milestone for milestone in milestones or () if not isinstance(milestone, str)]
    return milestones if steps == sorted(steps) else None


def convert_offset(value: Any) -> float | str | None:
    number = to_finite_float(value)
    return convert_duration(value) if number is None else to_int_if_whole(number)


def convert_period(value: Any) -> float | str | None:
    duration = convert_duration(value)
    if isinstance(duration, str):
        return None if duration in ("0ep", "0%") else duration
    # The number of shorter periods in a training would overflow.
    return None if duration is None or duration < 1 / MAX_STEPS else duration


def make_number_converter(is_allowed: Callable[[float], bool]) -> Callable[[Any], float | None]:
    """Return a converter of numbers for which ``is_allowed`` is true."""

    def convert(value: Any) -> float | None:
        number = to_finite_float(value)
        return number if number is not None and is_allowed(number) else None

    return convert


def make_list_converter(convert: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...] | None]:
    """Return a converter of lists, given the converter of one item."""

    def convert_all(values: Any) -> tuple[Any, ...] | None:
        if not isinstance(values, Iterable) or isinstance(values, str | bytes):
            return None
        try:
            items = tuple(convert(value) for value in values)
        except TypeError:  # an array or tensor without dimensions
            return None
        return None if not items or any(item is None for item in items) else items

    return convert_all


def make_choice_spec(*choices: str) -> FieldSpec:
    """Return the spec of a string that must be one of ``choices``."""
    rule = " or ".join(f'"{choice}"' for choice in choices)
    return FieldSpec(
        rule, lambda value: value if isinstance(value, str) and value in choices else None
    )


def bind_or_fill_remaining(value: Any, horizon: Horizon, owner: object) -> float:
    return horizon.count_remaining_steps(owner) if value is None else horizon.to_steps(value)


def bind_if_given(value: Any, horizon: Horizon, owner: object) -> float | None:
    return None if value is None else horizon.to_steps(value)


# Levels.

_LEVEL_RULE = "a non-negative factor of the base rate, or an Absolute(...) rate"

Level = Annotated[float | Absolute, FieldSpec(_LEVEL_RULE, convert_level)]
"""A value of a schedule: a factor of the base rate, or an ``Absolute`` rate."""

OptionalLevel = Annotated[
    float | Absolute | None, FieldSpec(_LEVEL_RULE, convert_level, optional=True)
]
"""A ``Level``, or None."""

PositiveLevel = Annotated[
    float | Absolute,
    FieldSpec(
        "a positive factor of the base rate, or a positive Absolute(...)", convert_positive_level
    ),
]
"""A ``Level`` above 0."""

Levels = Annotated[
    Sequence[float | Absolute],
    FieldSpec(
        "a list of levels: non-negative factors of the base rate, or Absolute(...)",
        make_list_converter(convert_level),
    ),
]
"""Several levels."""

# Durations.

_DURATION_RULE = (
    'a non-negative duration: steps, epochs such as "5ep" or a percentage such as "10%"'
)

Duration = Annotated[float | str, FieldSpec(_DURATION_RULE, convert_duration, bind=bind_if_given)]
"""A length of time: steps, ``"5ep"`` or ``"10%"``."""

DurationOrRemaining = Annotated[
    float | str | None,
    FieldSpec(
        _DURATION_RULE,
        convert_duration,
        bind=bind_or_fill_remaining,
        optional=True,
        fills_remaining=True,
    ),
]
"""The duration of a schedule; the rest of the training if omitted."""

DurationOrInfinite = Annotated[
    float | str | None,
    FieldSpec(_DURATION_RULE, convert_duration, bind=bind_if_given, optional=True),
]
"""The duration of a schedule; endless if omitted."""

Offset = Annotated[
    float | str,
    FieldSpec("a duration, or a negative number of steps", convert_offset, bind=bind_if_given),
]
"""A duration by which a schedule starts later; a negative number of steps starts it earlier."""

Period = Annotated[
    float | str,
    FieldSpec(
        'a positive duration: steps, epochs such as "5ep" or a percentage such as "10%"',
        convert_period,
        bind=lambda value, horizon, owner: horizon.to_period(value),
    ),
]
"""A recurring length of time, above 0."""

Milestones = Annotated[
    Sequence[float | str],
    FieldSpec(
        "a list of non-negative durations, in ascending order",
        convert_milestones,
        bind=lambda values, horizon, owner: tuple(horizon.to_steps(value) for value in values),
    ),
]
"""Points in time, counted from the start of the schedule."""

# Numbers.

Number = Annotated[float, FieldSpec("a number", to_finite_float)]
"""Any number."""

NonNegative = Annotated[
    float, FieldSpec("a non-negative number", make_number_converter(lambda x: x >= 0))
]
"""A non-negative number."""

Positive = Annotated[float, FieldSpec("a positive number", make_number_converter(lambda x: x > 0))]
"""A positive number."""

AtLeastOne = Annotated[
    float, FieldSpec("a number of at least 1", make_number_converter(lambda x: x >= 1))
]
"""A number of 1 or more."""

FractionBelowOne = Annotated[
    float, FieldSpec("a number from 0 to below 1", make_number_converter(lambda x: 0 <= x < 1))
]
"""A fraction, less than the whole."""

RexBeta = Annotated[
    float, FieldSpec("a number from 0 to below 2", make_number_converter(lambda x: 0 <= x < 2))
]
"""The parameter of ``Rex``."""

AdamBeta = Annotated[
    float, FieldSpec("a number above 0.6 and below 1", make_number_converter(lambda x: 0.6 < x < 1))
]
"""Adam's beta2, where RAdam's rectification is defined."""

NoiseAmount = Annotated[
    float, FieldSpec("a number above 0, at most 1", make_number_converter(lambda x: 0 < x <= 1))
]
"""The largest deviation of noise."""

StandardDeviation = Annotated[
    float | None,
    FieldSpec("a positive number", make_number_converter(lambda x: x > 0), optional=True),
]
"""A standard deviation, or None."""

NonNegativeInteger = Annotated[int, FieldSpec("a non-negative whole number", convert_count)]
"""A count."""

PowerOfTwo = Annotated[
    int,
    FieldSpec(
        "a power of two up to a million",
        lambda value: n if (n := convert_count(value)) and n <= 2**20 and not n & (n - 1) else None,
    ),
]
"""A power of two."""

RepeatCount = Annotated[
    int | None,
    FieldSpec(
        "a whole number from 1 to a billion",
        lambda value: n if (n := convert_count(value)) and n <= 10**9 else None,
        optional=True,
    ),
]
"""The number of repetitions; endless if omitted."""

# Choices.

Mode = Annotated[str, make_choice_spec("min", "max")]
"""Whether lower or higher values of a metric are better."""

ThresholdMode = Annotated[str, make_choice_spec("rel", "abs")]
"""Whether a threshold is a fraction of the best metric or a difference from it."""

Flag = Annotated[
    bool, FieldSpec("True or False", lambda value: value if isinstance(value, bool) else None)
]
"""A bool."""
