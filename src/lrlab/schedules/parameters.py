"""What the parameters of shapes may be, by name.

A shape names the kind in its annotation (``over: Over = None``); ``Shape`` does the rest. Types
are those that a caller may write, before the kind has read them.
"""

from collections.abc import Sequence
from typing import Annotated

from lrlab.schedules.durations import read_duration
from lrlab.schedules.kinds import (
    Kind,
    ascending,
    bind_limit,
    bind_over,
    count,
    height,
    level,
    offset,
    one_of,
    period,
    several,
    within,
)
from lrlab.schedules.levels import Rate
from lrlab.schedules.numbers import real

_DURATION = 'a duration of 0 or more: steps, epochs such as "5ep" or a share such as "10%"'

Level = Annotated[
    float | Rate,
    Kind("a factor of the base rate, 0 or more, or an absolute Rate(...)", level),
]
"""A height of a schedule: a factor of the base rate, or an absolute ``Rate``."""

Start = Annotated[
    float | Rate | None,
    Kind("a factor of the base rate, 0 or more, or an absolute Rate(...)", level, optional=True),
]
"""A ``Level`` that the shape works out itself when it is left out."""

Bound = Start
"""A ``Level`` that is no bound when it is left out."""

Levels = Annotated[
    Sequence[float | Rate],
    Kind("a list of levels: factors of the base rate, 0 or more, or Rate(...)", several(level)),
]
"""Several levels."""

Height = Annotated[
    float | Rate,
    Kind("a factor of the base rate above 0, or a Rate(...) above 0", height),
]
"""A ``Level`` above 0."""

Number = Annotated[float, Kind("a number", real)]
"""Any pure number."""

NotNegative = Annotated[float, Kind("a number of 0 or more", within(lambda x: x >= 0))]
"""A pure number of 0 or more."""

Share = Annotated[float, Kind("a number from 0 to below 1", within(lambda x: 0 <= x < 1))]
"""A part of a whole."""

Positive = Annotated[float, Kind("a number above 0", within(lambda x: x > 0))]
"""A pure number above 0."""

Growth = Annotated[float, Kind("a number of 1 or more", within(lambda x: x >= 1))]
"""A pure number of 1 or more."""

Beta = Annotated[float, Kind("a number from 0 to below 2", within(lambda x: 0 <= x < 2))]
"""Rex's."""

AdamBeta = Annotated[float, Kind("a number above 0.6 and below 1", within(lambda x: 0.6 < x < 1))]
"""Adam's beta2, where RAdam's rectification is defined."""

Mode = Annotated[str, one_of("min", "max")]
"""Whether less or more of a metric is better."""

ThresholdMode = Annotated[str, one_of("rel", "abs")]
"""Whether a threshold is a share or a difference."""

Flag = Annotated[
    bool, Kind("True or False", lambda value: value if isinstance(value, bool) else None)
]
"""Yes or no."""

Amount = Annotated[float, Kind("a number above 0, at most 1", within(lambda x: 0 < x <= 1))]
"""How far noise goes."""

Deviation = Annotated[
    float | None, Kind("a number above 0", within(lambda x: x > 0), optional=True)
]
"""A standard deviation; none when left out."""

Count = Annotated[int, Kind("a whole number of 0 or more", count)]
"""How often something happens."""

PowerOfTwo = Annotated[
    int,
    Kind(
        "a power of two up to a million",
        lambda value: n if (n := count(value)) and n <= 2**20 and not n & (n - 1) else None,
    ),
]
"""A power of two."""

Times = Annotated[
    int | None,
    Kind(
        "a whole number from 1 to a billion",
        lambda value: n if (n := count(value)) and n <= 10**9 else None,
        optional=True,
    ),
]
"""How often something happens; without end when left out."""

Over = Annotated[
    float | str | None,
    Kind(_DURATION, read_duration, bind=bind_over, optional=True, fills=True),
]
"""How long a shape lasts; left out, it takes the rest of the training."""

Limit = Annotated[
    float | str | None, Kind(_DURATION, read_duration, bind=bind_limit, optional=True)
]
"""How long a shape lasts; left out, it never ends."""

Duration = Annotated[float | str, Kind(_DURATION, read_duration, bind=bind_limit)]
"""A length of time: steps, ``"5ep"`` or ``"10%"``."""

Offset = Annotated[
    float | str,
    Kind("a duration, or a negative number of steps", offset, bind=bind_limit),
]
"""A length of time, back in time where it is below 0."""

Milestones = Annotated[
    Sequence[float | str],
    Kind(
        "a list of durations of 0 or more, in ascending order",
        ascending,
        bind=lambda values, horizon, whose: tuple(horizon.steps(value) for value in values),
    ),
]
"""Points in time, counted from the start of the shape."""

Period = Annotated[
    float | str,
    Kind(
        'a duration above 0: steps, epochs such as "5ep" or a share such as "10%"',
        period,
        bind=lambda value, horizon, whose: horizon.period(value),
    ),
]
"""A length of time that recurs, above 0."""
