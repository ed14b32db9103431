"""Schedules as text: ``parse`` reads the expression that ``repr`` prints, and never runs code.

The language is Python's own, cut down: calls of the names it is given, methods of schedules,
``>>``, ``*`` and ``+`` between schedules, arithmetic between numbers, texts, lists, dictionaries,
None, True and False.
"""

import inspect
from typing import Any

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    cycles,
    decays,
    formulas,
    grammar,
    levels,
    noise,
    ramps,
    reactive,
    recipes,
    staircases,
    warmups,
)
from lrlab.schedules.base import Schedule
from lrlab.schedules.formulas import Custom
from lrlab.schedules.reading import TEXT_DESCRIPTION, Builders, Parser
from lrlab.schedules.shape import Wrapper

__all__ = ["parse", "to_text"]


def _is_wrapper(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Wrapper)  # written as a.method(...)


_MODULES = (
    levels,
    ramps,
    warmups,
    decays,
    staircases,
    cycles,
    noise,
    reactive,
    formulas,
    recipes,
)

BUILTIN_BUILDERS: Builders = {
    name: value
    for room in _MODULES
    for name in room.__all__
    if not (inspect.isabstract(value := getattr(room, name)) or _is_wrapper(value))
}
"""What ``parse`` knows by itself, by name: shapes, ``Rate`` and recipes."""


def parse(text: str, builders: Builders = BUILTIN_BUILDERS) -> Schedule:
    """The schedule that a text describes; ``parse(repr(s)) == s``.

    Args:
        text: an expression such as ``Warmup(5) >> Cosine(45, end=0.01)``, at most 5 000
            characters long and nested at most 50 deep.
        builders: what may be called, by (dotted) name.

    Raises:
        ScheduleError: the text is no such expression, or a schedule in it refuses its arguments;
            the message shows the place.

    >>> parse("Warmup(5) >> Cosine(45, end=0.01)")
    Warmup(5) >> Cosine(45, end=0.01)
    """
    value = Parser(text, builders).parse()
    if not isinstance(value, Schedule):
        several = isinstance(value, tuple) and any(isinstance(v, Schedule) for v in value)
        remedy = "join them with >>" if several else "try Constant(1.0)"
        raise ScheduleError(f"one schedule is needed, got {text.strip()[:100]}; {remedy}.")
    return value


def to_text(schedule: Schedule) -> str:
    """The text of a schedule, as ``repr`` prints it, for where it must be read back.

    Raises:
        ScheduleError: it holds a Python function, which no text can, or is too long or too deep
            to be read back.
    """
    reject_functions(schedule)
    text = repr(schedule)
    grammar.parse_expression(text, TEXT_DESCRIPTION)
    return text


def reject_functions(schedule: Schedule) -> None:
    """Refuses what holds a Python function, which neither text nor JSON can.

    Raises:
        ScheduleError: it holds one.
    """
    if not isinstance(schedule, Schedule):
        raise ScheduleError(f"only a schedule can be written as text, got {schedule!r}.")
    for part in schedule.walk():
        if isinstance(part, Custom):
            raise ScheduleError(
                f"{part} holds a Python function and cannot be written as text; "
                'a formula can: Formula("1 / (1 + 0.01*t)").'
            )
