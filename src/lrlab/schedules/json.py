"""Schedules as JSON: one object per schedule, with its type and every one of its arguments."""

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import isabstract
from typing import Any, NoReturn

from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules.base import Schedule
from lrlab.schedules.formulas import Custom
from lrlab.schedules.levels import Absolute
from lrlab.schedules.text import reject_functions

__all__ = ["from_json", "to_json"]

MAX_LENGTH = 100_000
MAX_DEPTH = 100


def to_json(schedule: Schedule, indent: int | None = None) -> str:
    """The schedule as JSON: an object with its ``"type"`` and all its arguments, defaults too.

    Args:
        schedule: any schedule without a Python function in it.
        indent: spaces per level; one line when left out.

    Raises:
        ScheduleError: it holds a Python function, or is too long or too deep to be read back.

    >>> from lrlab.schedules import Constant, Warmup
    >>> to_json(Constant(0.5, over="2ep"))
    '{"type": "Constant", "level": 0.5, "over": "2ep"}'
    """
    reject_functions(schedule)
    text = json.dumps(_tree(schedule, 0), indent=indent, allow_nan=False)
    _refuse_length(text)
    return text


def from_json(text: str) -> Schedule:
    """The schedule that ``to_json`` wrote; ``from_json(to_json(s)) == s``.

    Args:
        text: JSON of at most 100 000 characters, nested at most 100 deep. Arguments with a default
            may be left out.

    Raises:
        ScheduleError: the text is no JSON, or none of a schedule; the message names the place.

    >>> from_json('{"type": "Cosine", "over": 45, "end": 0.01}')
    Cosine(45, end=0.01)
    """
    _refuse_length(text)
    try:
        tree = json.loads(text, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        if isinstance(error, ScheduleError):
            raise
        said = str(error) if isinstance(error, json.JSONDecodeError) else "too deep or too large"
        raise ScheduleError(f"a schedule's JSON cannot be read: {said}.") from None
    schedule = _value(tree, "$", 0)
    if not isinstance(schedule, Schedule):
        raise ScheduleError(
            'a schedule\'s JSON must be an object such as {"type": "Cosine", "over": 45}.'
        )
    return schedule


def _tree(value: Any, depth: int) -> Any:
    _refuse_depth(depth)
    if isinstance(value, Schedule | Absolute):
        assert dataclasses.is_dataclass(value)
        names = [f.name for f in dataclasses.fields(value)]
        fields = {name: _tree(getattr(value, name), depth + 1) for name in names}
        return {"type": type(value).__name__, **fields}
    return [_tree(item, depth + 1) for item in value] if isinstance(value, tuple) else value


def _value(tree: Any, place: str, depth: int) -> Any:
    _refuse_depth(depth)
    if isinstance(tree, list):
        return tuple(_value(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(tree))
    if not isinstance(tree, dict):
        return tree
    given = dict(tree)
    name = given.pop("type", None)
    known = _types()
    if not isinstance(name, str) or name not in known:
        hint = format_suggestion(str(name), known) or f"; known are {', '.join(sorted(known))}."
        _refuse(place, f"type must be that of a schedule, got {name!r}{hint}")
    kind = known[name]
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for word in given:
        if word not in fields:
            _refuse(place, f"{name} has no argument {word}{format_suggestion(word, fields) or '.'}")
    missing = [
        word for word, f in fields.items() if word not in given and f.default is dataclasses.MISSING
    ]
    if missing:
        _refuse(place, f"{name} needs {', '.join(missing)}.")
    values = {word: _value(item, f"{place}.{word}", depth + 1) for word, item in given.items()}
    try:
        return kind(**values)
    except ScheduleError as error:
        return _refuse(place, str(error))


@cache
def _types() -> Mapping[str, Any]:
    """All schedules and ``Rate`` by name; a function cannot be written, so ``Custom`` is none."""
    from lrlab.schedules import EXPORTS

    named = {
        name: getattr(import_module(f"lrlab.schedules.{room}"), name)
        for room, names in EXPORTS.items()
        for name in names
    }
    return {
        name: value
        for name, value in named.items()
        if dataclasses.is_dataclass(value) and not isabstract(value) and value is not Custom
    }


def _refuse_length(text: object) -> None:
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        raise ScheduleError(f"a schedule's JSON must be text of at most {MAX_LENGTH} characters.")


def _refuse_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ScheduleError(f"a schedule's JSON must be nested at most {MAX_DEPTH} deep.")


def _refuse(place: str, message: str) -> NoReturn:
    raise ScheduleError(f"at {place}: {message}")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ScheduleError("a schedule's JSON must name each argument once.")
    return found
