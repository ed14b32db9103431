"""Small helpers that all packages share: checks of numbers and names, texts of objects."""

import math
import re
from numbers import Integral, Real

MAX_MAGNITUDE = 1e100
"""The largest number in data: float64 must hold sums of squares."""

_MEMORY_ADDRESS_PATTERN = re.compile(r" at 0x[0-9a-f]+", re.IGNORECASE)


def to_finite_float(value: object) -> float | None:
    """Return ``value`` as a finite float, or None if it is not a number (``True`` is not)."""
    if type(value) is float:  # a fast path for the most frequent type
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
    """Return a name that can be part of a file name, or raise ``error``."""
    if not isinstance(name, str) or not name.strip() or set(name) & set('/\\:*?"<>|\n'):
        raise error(
            f'name must be text without / \\ : * ? " < > |, got {name!r}; such as "my-data".'
        )
    return name


def strip_memory_address(text: str) -> str:
    """Return the ``repr`` of an object without its address, which differs between processes.

    >>> strip_memory_address("<function f at 0x7f3a>")
    '<function f>'
    """
    return _MEMORY_ADDRESS_PATTERN.sub("", text)
