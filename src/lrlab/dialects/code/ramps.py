"""Ramps, warm-ups and cooldowns as formulas in t."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.code.parts import to_factor
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Cooldown,
    Cosine,
    Geometric,
    Linear,
    Polynomial,
    Ramp,
    Rex,
    Tanh,
    Warmup,
)
from lrlab.schedules.numbers import to_int_if_whole

CurveText = tuple[str, str]
"""The texts of the share c of the way and of what is left of it, 1 - c, each a product."""


def write_ramp(s: Any, t: str, base: float | None) -> str:
    """The formula of a ramp, ``t`` the text of its clock."""
    start, end = s.start, to_factor(s.end, base)
    if start is None:  # a warm-up that begins with a step of its own
        p = f"min({t} + 1, {s.over + 1!r}) / {s.over + 1!r}"
        return interpolate(0.0, 1.0, *write_curve(s.curve, p))
    if not s.over:
        return repr(end)
    p = f"min({t}, {s.over!r}) / {s.over!r}"
    start = to_factor(start, base)
    if isinstance(s, Geometric):
        power = f"{end / start!r} ** ({p})"
        return power if start == 1 else f"{start!r} * {power}"
    write_curve_of_ramp = next((share for kind, share in _RAMP_WRITERS.items() if isinstance(s, kind)), None)
    if write_curve_of_ramp is None:
        raise ScheduleError(f"there is no formula for {s}.")
    return interpolate(start, end, *write_curve_of_ramp(s, p))


def interpolate(start: float, end: float, progress: str, remaining: str) -> str:
    """From ``start`` to ``end``, with as few operations as these two need."""
    if start == end:
        return repr(start)
    low, height, text = (start, end - start, progress) if start < end else (end, start - end, remaining)
    risen = text if height == 1 else f"{height!r} * {text}"
    return risen if low == 0 else f"{low!r} + {risen}"


def write_curve(name: str | float, p: str) -> CurveText:
    """The share along the curve of that name or exponent at progress ``p``."""
    if isinstance(name, str):
        return _CURVE_WRITERS[name](p)
    return f"({p}) ** {name!r}", f"(1 - ({p}) ** {name!r})"


def _write_cosine(s: Any, p: str) -> CurveText:
    turn = f"cos(pi * {_write_power(p, s.k)})"
    if s.power == 1:
        return f"(1 - {turn}) / 2", f"(1 + {turn}) / 2"
    left = f"((1 + {turn}) / 2) ** {s.power!r}"
    return f"(1 - {left})", left


def _write_polynomial(s: Any, p: str) -> CurveText:
    left = _write_power(f"(1 - {_write_power(p, s.k)})", s.power)
    return f"(1 - {left})", left


def _write_rex(s: Any, p: str) -> CurveText:
    left = f"(1 - {p}) / (1 - {s.beta / 2!r} * {p})"
    return f"(1 - {left})", left


def _write_tanh(s: Any, p: str) -> CurveText:
    # (1 - tanh(x)) / 2 = 1 / (1 + exp(2 * x)); exp(700) is as good as infinite.
    x = f"{2 * s.lower!r} + {2 * (s.upper - s.lower)!r} * {p}"
    return f"(1 - 1 / (1 + exp(min({x}, 700))))", f"1 / (1 + exp(min({x}, 700)))"


def _write_power(text: str, exponent: float) -> str:
    if exponent == 1:
        return text
    return f"{text if text.startswith('(') else f'({text})'} ** {to_int_if_whole(exponent)!r}"


_CURVE_WRITERS: Mapping[str, Callable[[str], CurveText]] = {
    "linear": lambda p: (p, f"(1 - {p})"),
    "cosine": lambda p: (f"(1 - cos(pi * {p})) / 2", f"(1 + cos(pi * {p})) / 2"),
    "sqrt": lambda p: (f"({p}) ** 0.5", f"(1 - ({p}) ** 0.5)"),
    "square": lambda p: (f"({p}) ** 2", f"(1 - ({p}) ** 2)"),
    "mirror": lambda p: (
        f"(2 * {p} - (1 - cos(pi * {p})) / 2)",
        f"(1 - 2 * {p} + (1 - cos(pi * {p})) / 2)",
    ),
    "halving": lambda p: (f"(2 - 2 * 0.5 ** ({p}))", f"(2 * 0.5 ** ({p}) - 1)"),
}

_RAMP_WRITERS: Mapping[type[Ramp], Callable[[Any, str], CurveText]] = {
    Linear: lambda s, p: (p, f"(1 - {p})"),
    Cosine: _write_cosine,
    Polynomial: _write_polynomial,
    Rex: _write_rex,
    Tanh: _write_tanh,
    Warmup: lambda s, p: write_curve(s.curve, p),
    Cooldown: lambda s, p: write_curve(s.curve, p),
}
