"""Checks of arguments that all packages share: numbers and names; plurals for their messages."""

import math
from numbers import Integral, Real

MAX_MAGNITUDE = 1e100
"""Bound for data and scores: their squares must fit float64."""


def to_finite_float(value: object) -> float | None:
    """Return ``value`` as a finite float, or None if it is not a number (``True`` is not)."""
    if type(value) is float:  # by far the most frequent, and the general way is slow
        return value + 0.0 if math.isfinite(value) else None  # -0.0 becomes 0.0, to print alike
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:  # an int beyond every float
        return None
    return number + 0.0 if math.isfinite(number) else None


def to_integer(value: object) -> int | None:
    """Return ``value`` as an int, or None if it is not an integer (``True`` and 3.0 are not).

    An int beyond every float is refused too: no text of a schedule could hold it.
    """
    if not isinstance(value, Integral) or to_finite_float(value) is None:
        return None
    return int(value)


def to_int_if_whole(number: float) -> float:
    """Return a whole number as an int, so that 30.0 prints as 30; any other unchanged."""
    return int(number) if number.is_integer() else number


def is_positive(value: object) -> bool:
    """Whether ``value`` is a finite number above 0."""
    return (to_finite_float(value) or 0) > 0


def check_name(name: object, error: type[Exception]) -> str:
    """Return a name that may become the name of a file.

    Raises:
        error: it is empty, not a text, or holds a character that files cannot have.
    """
    if not isinstance(name, str) or not name.strip() or set(name) & set('/\\:*?"<>|\n'):
        raise error(f'a name must be a text without / and the like, got {name!r}; try "mine".')
    return name


def pluralize(number: int, word: str) -> str:
    """Return a number of things in words: ``1 column``, ``2 columns``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
