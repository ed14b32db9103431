"""What a parameter of a shape may be: a kind reads a value, refuses it by a rule, or binds it.

A shape names the kind in its annotation (``over: Over = None``); ``Shape`` does the rest. Types
are those that a caller may write, before the kind has read them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from lrlab.schedules.durations import Horizon, read_duration
from lrlab.schedules.levels import Rate
from lrlab.schedules.numbers import real


@dataclass(frozen=True)
class Kind:
    """A kind of parameter.

    Args:
        rule: what a value must be, as it ends the sentence "over must be ...".
        read: the value in its one spelling, or None when the rule refuses it.
        bind: the value in steps, given a horizon and the text of the schedule it belongs to.
        optional: whether None is a value too.
    """

    rule: str
    read: Callable[[Any], Any]
    bind: Callable[[Any, Horizon, str], Any] | None = None
    optional: bool = False

    def __repr__(self) -> str:
        return self.rule  # which is what help() shows of a parameter


def _level(value: Any) -> float | Rate | None:
    if isinstance(value, Rate):
        return value
    factor = real(value)
    return None if factor is None or factor < 0 else factor


def _positive(value: Any) -> float | None:
    number = real(value)
    return None if number is None or number <= 0 else number


def _period(value: Any) -> float | str | None:
    duration = read_duration(value)
    return None if duration in (0, "0ep", "0%") else duration


def _bind_over(value: Any, horizon: Horizon, whose: str) -> float:
    return horizon.rest(whose) if value is None else horizon.steps(value)


def _bind_limit(value: Any, horizon: Horizon, whose: str) -> float | None:
    return None if value is None else horizon.steps(value)


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

Positive = Annotated[float, Kind("a number above 0", _positive)]
"""A pure number above 0."""

Over = Annotated[float | str | None, Kind(_DURATION, read_duration, bind=_bind_over, optional=True)]
"""How long a shape lasts; left out, it takes the rest of the training."""

Limit = Annotated[
    float | str | None, Kind(_DURATION, read_duration, bind=_bind_limit, optional=True)
]
"""How long a shape lasts; left out, it never ends."""

Duration = Annotated[float | str, Kind(_DURATION, read_duration, bind=_bind_limit)]
"""A length of time: steps, ``"5ep"`` or ``"10%"``."""

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
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(float(value))
    return repr(value)
