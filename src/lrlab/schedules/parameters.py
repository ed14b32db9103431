"""What the parameters of shapes may be, by name.

A shape names the kind in its annotation (``over: DurationOrRemaining = None``); ``Primitive`` does the rest. Types
are those that a caller may write, before the kind has read them.
"""

from collections.abc import Sequence
from typing import Annotated

from lrlab.schedules.durations import convert_duration
from lrlab.schedules.kinds import (
    FieldSpec,
    convert_milestones,
    bind_if_given,
    bind_or_fill_remaining,
    convert_count,
    convert_positive_level,
    convert_level,
    convert_offset,
    make_choice_spec,
    convert_period,
    make_list_converter,
    make_number_converter,
)
from lrlab.schedules.levels import Absolute
from lrlab.schedules.numbers import to_finite_float

_DURATION_RULE = 'a duration of 0 or more: steps, epochs such as "5ep" or a share such as "10%"'

Level = Annotated[
    float | Absolute,
    FieldSpec("a factor of the base rate, 0 or more, or an absolute Absolute(...)", convert_level),
]
"""A height of a schedule: a factor of the base rate, or an absolute ``Rate``."""

StartLevel = Annotated[
    float | Absolute | None,
    FieldSpec("a factor of the base rate, 0 or more, or an absolute Absolute(...)", convert_level, optional=True),
]
"""A ``Level`` that the shape works out itself when it is left out."""

Bound = StartLevel
"""A ``Level`` that is no bound when it is left out."""

Levels = Annotated[
    Sequence[float | Absolute],
    FieldSpec("a list of levels: factors of the base rate, 0 or more, or Absolute(...)", make_list_converter(convert_level)),
]
"""Several levels."""

PositiveLevel = Annotated[
    float | Absolute,
    FieldSpec("a factor of the base rate above 0, or a Absolute(...) above 0", convert_positive_level),
]
"""A ``Level`` above 0."""

Number = Annotated[float, FieldSpec("a number", to_finite_float)]
"""Any pure number."""

NonNegative = Annotated[float, FieldSpec("a number of 0 or more", make_number_converter(lambda x: x >= 0))]
"""A pure number of 0 or more."""

FractionBelowOne = Annotated[float, FieldSpec("a number from 0 to below 1", make_number_converter(lambda x: 0 <= x < 1))]
"""A part of a whole."""

Positive = Annotated[float, FieldSpec("a number above 0", make_number_converter(lambda x: x > 0))]
"""A pure number above 0."""

AtLeastOne = Annotated[float, FieldSpec("a number of 1 or more", make_number_converter(lambda x: x >= 1))]
"""A pure number of 1 or more."""

RexBeta = Annotated[float, FieldSpec("a number from 0 to below 2", make_number_converter(lambda x: 0 <= x < 2))]
"""Rex's."""

AdamBeta = Annotated[float, FieldSpec("a number above 0.6 and below 1", make_number_converter(lambda x: 0.6 < x < 1))]
"""Adam's beta2, where RAdam's rectification is defined."""

Mode = Annotated[str, make_choice_spec("min", "max")]
"""Whether less or more of a metric is better."""

ThresholdMode = Annotated[str, make_choice_spec("rel", "abs")]
"""Whether a threshold is a share or a difference."""

Flag = Annotated[
    bool, FieldSpec("True or False", lambda value: value if isinstance(value, bool) else None)
]
"""Yes or no."""

NoiseAmount = Annotated[float, FieldSpec("a number above 0, at most 1", make_number_converter(lambda x: 0 < x <= 1))]
"""How far noise goes."""

StandardDeviation = Annotated[
    float | None, FieldSpec("a number above 0", make_number_converter(lambda x: x > 0), optional=True)
]
"""A standard deviation; none when left out."""

NonNegativeInteger = Annotated[int, FieldSpec("a whole number of 0 or more", convert_count)]
"""How often something happens."""

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
"""How often something happens; without end when left out."""

DurationOrRemaining = Annotated[
    float | str | None,
    FieldSpec(_DURATION_RULE, convert_duration, bind=bind_or_fill_remaining, optional=True, fills_remaining=True),
]
"""How long a shape lasts; left out, it takes the rest of the training."""

DurationOrInfinite = Annotated[
    float | str | None, FieldSpec(_DURATION_RULE, convert_duration, bind=bind_if_given, optional=True)
]
"""How long a shape lasts; left out, it never ends."""

Duration = Annotated[float | str, FieldSpec(_DURATION_RULE, convert_duration, bind=bind_if_given)]
"""A length of time: steps, ``"5ep"`` or ``"10%"``."""

Offset = Annotated[
    float | str,
    FieldSpec("a duration, or a negative number of steps", convert_offset, bind=bind_if_given),
]
"""A length of time, back in time where it is below 0."""

Milestones = Annotated[
    Sequence[float | str],
    FieldSpec(
        "a list of durations of 0 or more, in ascending order",
        convert_milestones,
        bind=lambda values, horizon, whose: tuple(horizon.to_steps(value) for value in values),
    ),
]
"""Points in time, counted from the start of the shape."""

Period = Annotated[
    float | str,
    FieldSpec(
        'a duration above 0: steps, epochs such as "5ep" or a share such as "10%"',
        convert_period,
        bind=lambda value, horizon, whose: horizon.to_period(value),
    ),
]
"""A length of time that recurs, above 0."""
