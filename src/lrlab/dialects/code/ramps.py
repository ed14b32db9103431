"""Ramps, warm-ups and cooldowns as formulas in t."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.code.parts import factor_of
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
from lrlab.schedules.numbers import tidy

Share = tuple[str, str]
"""The texts of the share c of the way and of what is left of it, 1 - c, each a product."""


def ramp(s: Any, t: str, base: float | None) -> str:
    """The formula of a ramp, ``t`` the text of its clock."""
    start, end = s.start, factor_of(s.end, base)
    if start is None:  # a warm-up that begins with a step of its own
        p = f"min({t} + 1, {s.over + 1!r}) / {s.over + 1!r}"
        return between(0.0, 1.0, *curve(s.curve, p))
    if not s.over:
        return repr(end)
    p = f"min({t}, {s.over!r}) / {s.over!r}"
    start = factor_of(start, base)
    if isinstance(s, Geometric):
        power = f"{end / start!r} ** ({p})"
        return power if start == 1 else f"{start!r} * {power}"
    share = next((share for kind, share in _SHARES.items() if isinstance(s, kind)), None)
    if share is None:
        raise ScheduleError(f"there is no formula for {s}.")
    return between(start, end, *share(s, p))


def between(start: float, end: float, c: str, left: str) -> str:
    """From ``start`` to ``end``, with as few operations as these two need."""
    if start == end:
        return repr(start)
    low, height, text = (start, end - start, c) if start < end else (end, start - end, left)
    risen = text if height == 1 else f"{height!r} * {text}"
    return risen if low == 0 else f"{low!r} + {risen}"


def curve(name: str | float, p: str) -> Share:
    """The share along the curve of that name or exponent at progress ``p``."""
    if isinstance(name, str):
        return _CURVES[name](p)
    return f"({p}) ** {name!r}", f"(1 - ({p}) ** {name!r})"


def _cosine(s: Any, p: str) -> Share:
    turn = f"cos(pi * {_power(p, s.k)})"
    if s.power == 1:
        return f"(1 - {turn}) / 2", f"(1 + {turn}) / 2"
    left = f"((1 + {turn}) / 2) ** {s.power!r}"
    return f"(1 - {left})", left


def _polynomial(s: Any, p: str) -> Share:
    left = _power(f"(1 - {_power(p, s.k)})", s.power)
    return f"(1 - {left})", left


def _rex(s: Any, p: str) -> Share:
    left = f"(1 - {p}) / (1 - {s.beta / 2!r} * {p})"
    return f"(1 - {left})", left


def _tanh(s: Any, p: str) -> Share:
    # (1 - tanh(x)) / 2 = 1 / (1 + exp(2 * x)); exp(700) is as good as infinite.
    x = f"{2 * s.lower!r} + {2 * (s.upper - s.lower)!r} * {p}"
    return f"(1 - 1 / (1 + exp(min({x}, 700))))", f"1 / (1 + exp(min({x}, 700)))"


def _power(text: str, exponent: float) -> str:
    if exponent == 1:
        return text
    return f"{text if text.startswith('(') else f'({text})'} ** {tidy(exponent)!r}"


_CURVES: Mapping[str, Callable[[str], Share]] = {
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

_SHARES: Mapping[type[Ramp], Callable[[Any, str], Share]] = {
    Linear: lambda s, p: (p, f"(1 - {p})"),
    Cosine: _cosine,
    Polynomial: _polynomial,
    Rex: _rex,
    Tanh: _tanh,
    Warmup: lambda s, p: curve(s.curve, p),
    Cooldown: lambda s, p: curve(s.curve, p),
}
