"""What a parameter of a shape may be: a kind reads a value, refuses it by a rule, or binds it.

A shape names the kind in its annotation (``over: Over = None``); ``Shape`` does the rest. Types
are those that a caller may write, before the kind has read them.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from lrlab.schedules.durations import MOST_STEPS, Horizon, read_duration
from lrlab.schedules.levels import Rate, resolve
from lrlab.schedules.numbers import real, tidy, whole


@dataclass(frozen=True)
class Kind:
    """A kind of parameter.

    Args:
        rule: what a value must be, as it ends the sentence "over must be ...".
        read: the value in its one spelling, or None when the rule refuses it.
        bind: the value in steps, given a horizon and the schedule it belongs to.
        optional: whether None is a value too.
        fills: whether None means the rest of the training.
    """

    rule: str
    read: Callable[[Any], Any]
    bind: Callable[[Any, Horizon, object], Any] | None = None
    optional: bool = False
    fills: bool = False

    def __repr__(self) -> str:
        return self.rule  # which is what help() shows of a parameter


def _level(value: Any) -> float | Rate | None:
    if isinstance(value, Rate):
        return value
    factor = real(value)
    return None if factor is None or factor < 0 else factor


def _within(allowed: Callable[[float], bool]) -> Callable[[Any], float | None]:
    """The reading of a number that must be allowed."""

    def read(value: Any) -> float | None:
        number = real(value)
        return number if number is not None and allowed(number) else None

    return read


def _height(value: Any) -> float | Rate | None:
    level = _level(value)
    return level if level is not None and resolve(level, 1.0) > 0 else None


def _count(value: Any) -> int | None:
    number = whole(value)
    # An int beyond every float is none that a rate could be computed with.
    return None if number is None or number < 0 or real(value) is None else number


def _list(read: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...] | None]:
    """The reading of a list, one value at a time."""

    def read_all(values: Any) -> tuple[Any, ...] | None:
        if not isinstance(values, Iterable) or isinstance(values, str | bytes):
            return None
        try:
            items = tuple(read(value) for value in values)
        except TypeError:  # an array or tensor of no dimension
            return None
        return None if not items or any(item is None for item in items) else items

    return read_all


def _ascending(values: Any) -> tuple[Any, ...] | None:
    times = _list(read_duration)(values)
    steps = [time for time in times or () if not isinstance(time, str)]
    return times if steps == sorted(steps) else None


def _offset(value: Any) -> float | str | None:
    number = real(value)
    return read_duration(value) if number is None else tidy(number)


def _period(value: Any) -> float | str | None:
    duration = read_duration(value)
    if isinstance(duration, str):
        return None if duration in ("0ep", "0%") else duration
    # One of next to no length would leave no number for steps counted in it.
    return None if duration is None or duration < 1 / MOST_STEPS else duration


def _bind_over(value: Any, horizon: Horizon, whose: object) -> float:
    return horizon.rest(whose) if value is None else horizon.steps(value)


def _bind_limit(value: Any, horizon: Horizon, whose: object) -> float | None:
    return None if value is None else horizon.steps(value)


def _one_of(*texts: str) -> Kind:
    """The kind of a text that is one of a few."""
    rule = " or ".join(f'"{text}"' for text in texts)
    return Kind(rule, lambda value: value if isinstance(value, str) and value in texts else None)


_DURATION = 'a duration of 0 or more: steps, epochs such as "5ep" or a share such as "10%"'

Level = Annotated[
    float | Rate,
    Kind("a factor of the base rate, 0 or more, or an absolute Rate(...)", _level),
]
"""A height of a schedule: a factor of the base rate, or an absolute ``Rate``."""

Start = Annotated[
    float | Rate | None,
    Kind("a factor of the base rate, 0 or more, or an absolute Rate(...)", _level, optional=True),
]
"""A ``Level`` that the shape works out itself when it is left out."""

Bound = Annotated[
    float | Rate | None,
    Kind("a factor of the base rate, 0 or more, or an absolute Rate(...)", _level, optional=True),
]
"""A ``Level`` that is no bound when it is left out."""

Levels = Annotated[
    Sequence[float | Rate],
    Kind("a list of levels: factors of the base rate, 0 or more, or Rate(...)", _list(_level)),
]
"""Several levels."""

Height = Annotated[
    float | Rate,
    Kind("a factor of the base rate above 0, or a Rate(...) above 0", _height),
]
"""A ``Level`` above 0."""

Number = Annotated[float, Kind("a number", real)]
"""Any pure number."""

NotNegative = Annotated[float, Kind("a number of 0 or more", _within(lambda x: x >= 0))]
"""A pure number of 0 or more."""

Share = Annotated[float, Kind("a number from 0 to below 1", _within(lambda x: 0 <= x < 1))]
"""A part of a whole."""

Positive = Annotated[float, Kind("a number above 0", _within(lambda x: x > 0))]
"""A pure number above 0."""

Growth = Annotated[float, Kind("a number of 1 or more", _within(lambda x: x >= 1))]
"""A pure number of 1 or more."""

Beta = Annotated[float, Kind("a number from 0 to below 2", _within(lambda x: 0 <= x < 2))]
"""Rex's."""

AdamBeta = Annotated[float, Kind("a number above 0.6 and below 1", _within(lambda x: 0.6 < x < 1))]
"""Adam's beta2, where RAdam's rectification is defined."""

Mode = Annotated[str, _one_of("min", "max")]
"""Whether less or more of a metric is better."""

ThresholdMode = Annotated[str, _one_of("rel", "abs")]
"""Whether a threshold is a share or a difference."""

Flag = Annotated[
    bool, Kind("True or False", lambda value: value if isinstance(value, bool) else None)
]
"""Yes or no."""

Amount = Annotated[float, Kind("a number above 0, at most 1", _within(lambda x: 0 < x <= 1))]
"""How far noise goes."""

Deviation = Annotated[
    float | None, Kind("a number above 0", _within(lambda x: x > 0), optional=True)
]
"""A standard deviation; none when left out."""

Count = Annotated[int, Kind("a whole number of 0 or more", _count)]
"""How often something happens."""

PowerOfTwo = Annotated[
    int,
    Kind(
        "a power of two up to a million",
        lambda value: n if (n := _count(value)) and n <= 2**20 and not n & (n - 1) else None,
    ),
]
"""A power of two."""

Times = Annotated[
    int | None,
    Kind(
        "a whole number from 1 to a billion",
        lambda value: n if (n := _count(value)) and n <= 10**9 else None,
        optional=True,
    ),
]
"""How often something happens; without end when left out."""

Over = Annotated[
    float | str | None,
    Kind(_DURATION, read_duration, bind=_bind_over, optional=True, fills=True),
]
"""How long a shape lasts; left out, it takes the rest of the training."""

Limit = Annotated[
    float | str | None, Kind(_DURATION, read_duration, bind=_bind_limit, optional=True)
]
"""How long a shape lasts; left out, it never ends."""

Duration = Annotated[float | str, Kind(_DURATION, read_duration, bind=_bind_limit)]
"""A length of time: steps, ``"5ep"`` or ``"10%"``."""

Offset = Annotated[
    float | str,
    Kind("a duration, or a negative number of steps", _offset, bind=_bind_limit),
]
"""A length of time, back in time where it is below 0."""

Milestones = Annotated[
    Sequence[float | str],
    Kind(
        "a list of durations of 0 or more, in ascending order",
        _ascending,
        bind=lambda values, horizon, whose: tuple(horizon.steps(value) for value in values),
    ),
]
"""Points in time, counted from the start of the shape."""

Period = Annotated[
    float | str,
    Kind(
        'a duration above 0: steps, epochs such as "5ep" or a share such as "10%"',
        _period,
        bind=lambda value, horizon, whose: horizon.period(value),
    ),
]
"""A length of time that recurs, above 0."""


def shown(value: object) -> str:
    """A parameter's value as text: texts in double quotes, so that a shell may use single ones."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return repr(value)
