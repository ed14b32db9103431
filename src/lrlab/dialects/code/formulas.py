"""Any schedule as one formula in t, in the language of ``Formula``: what no library has a name for.

The formula gives the factor of the base rate. Each entry of a table here writes one shape, given
the text of its clock, which binds as tightly as a name does.
"""

import ast
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from lrlab.dialects.code.parts import factor_of, needed
from lrlab.dialects.code.ramps import between, curve, ramp
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Affine,
    Clip,
    Constant,
    Continued,
    CosineWave,
    Exponential,
    ExponentialWarmup,
    Formula,
    InverseSqrt,
    InverseTime,
    Knots,
    LogWarmup,
    MultiStep,
    Piecewise,
    PolynomialCycle,
    Power,
    Product,
    Ramp,
    Repeat,
    Schedule,
    Sequence,
    Shift,
    Sigmoid,
    Staircase,
    Step,
    Stretch,
    Sum,
    Until,
)
from lrlab.schedules.durations import Horizon
from lrlab.schedules.numbers import tidy

MAX_LENGTH = 5_000

Writer = Callable[[Any, str, float | None], str]


def formula(schedule: Schedule, base: float | None = None, clock: str = "t") -> str:
    """The text of a formula whose value at every step is the schedule's.

    Args:
        schedule: what is written; its durations are in steps.
        base: the base rate, needed where a level is an absolute ``Rate``.
        clock: the text of the step.

    Raises:
        ScheduleError: there is no formula for a part of it, or ``base`` is missing.

    >>> from lrlab.schedules import Cosine
    >>> formula(Cosine(45))
    '(1 + cos(pi * min(t, 45) / 45)) / 2'
    """
    writer = next((w for kind, w in WRITERS.items() if isinstance(schedule, kind)), None)
    if writer is None:
        raise ScheduleError(f"there is no formula for {schedule}.")
    text = writer(schedule, clock, base)
    if len(text) > MAX_LENGTH:
        raise ScheduleError(f"the formula for {schedule} is longer than {MAX_LENGTH} characters.")
    return text


def atom(text: str) -> str:
    """``text`` as tightly bound as a name."""
    return text if text.replace(".", "").isalnum() else f"({text})"


def during(t: str, begin: float, end: float, text: str) -> str:
    """``text`` from one step to before another, else 0."""
    holds = f"({t} >= {tidy(float(begin))!r}) * " if begin > 0 else ""
    ends = f"({t} < {tidy(float(end))!r}) * " if end < inf else ""
    return f"{holds}{ends}{atom(text)}"


def _sequence(s: Sequence, t: str, base: float | None) -> str:
    starts = [float(start) for start in s.starts]
    terms = [
        during(t, begin, end, formula(part, base, _since(t, begin)))
        for part, begin, end in zip(s.schedules, starts, [*starts[1:], inf], strict=True)
        if end > begin
    ]
    return " + ".join(terms)


def _continued(s: Continued, t: str, base: float | None) -> str:
    start = s.first.length(Horizon())
    rate = 1.0 if s.first.relative else needed(base, f"{s.first} as factors")
    ended = s.first(start, base=rate) / rate
    if not ended and not s.second.relative:
        raise ScheduleError(f"there is no formula for {s}, which goes on from a rate of 0.")
    first = formula(s.first, base, t)
    second = formula(s.second, base and ended and base * ended, _since(t, start))
    after = during(t, start, inf, f"{ended!r} * {atom(second)}")
    return f"{during(t, 0, start, first)} + {after}" if start else after


def _since(t: str, start: float) -> str:
    return f"max({t} - {tidy(float(start))!r}, 0)" if start else t


def _knots(s: Knots, t: str, base: float | None) -> str:
    levels = [factor_of(level, base) for level in s.levels]
    at = [float(time) for time in s.at]
    terms = [during(t, 0, at[0], repr(levels[0]))] if at[0] else []
    for i in range(len(at) - 1):
        width = at[i + 1] - at[i]
        if width:
            p = f"min({_since(t, at[i])}, {tidy(width)!r}) / {tidy(width)!r}"
            c, left = curve(s.curve, p)
            text = between(levels[i], levels[i + 1], c, left)
            terms.append(during(t, at[i], at[i + 1], text))
    return " + ".join([*terms, during(t, at[-1], inf, repr(levels[-1]))])


def _piecewise(s: Piecewise, t: str, base: float | None) -> str:
    levels = [factor_of(level, base) for level in s.levels]
    at = [0.0, *map(float, s.at), inf]
    spans = zip(levels, at, at[1:], strict=False)
    return " + ".join(during(t, a, b, repr(level)) for level, a, b in spans if b > a)


def _repeat(s: Repeat, t: str, base: float | None) -> str:
    if s.growth != 1:
        raise ScheduleError(f"there is no formula for {s}, whose cycles grow longer.")
    length = s.schedule.length(Horizon())
    n = f"{t} // {length!r}"
    if s.times is not None:
        n = f"min({n}, {s.times - 1})"
    text = formula(s.schedule, base, f"({t} - {length!r} * ({n}))")
    return text if s.decay == 1 else f"{s.decay!r} ** ({n}) * {atom(text)}"


def _formula(s: Formula, t: str, base: float | None) -> str:
    clock = t if s.over is None else f"min({t}, {s.over!r})"
    progress = "1" if not s.over else f"({clock} / {s.over!r})"
    names = {"t": clock, "p": progress, "T": repr(s.over)}

    class Named(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(names.get(node.id, node.id), mode="eval").body

    return ast.unparse(Named().visit(ast.parse(s.expression, mode="eval").body))


def _clip(s: Clip, t: str, base: float | None) -> str:
    text = formula(s.schedule, base, t)
    if s.low is not None:
        text = f"max({text}, {factor_of(s.low, base)!r})"
    return text if s.high is None else f"min({text}, {factor_of(s.high, base)!r})"


def _shift(s: Shift, t: str, base: float | None) -> str:
    by = Horizon().length(s.by)
    return formula(s.schedule, base, f"max({t} - {by!r}, 0)" if by > 0 else f"({t} + {-by!r})")


def _cycle(s: PolynomialCycle, t: str, base: float | None) -> str:
    left = f"max(0, 1 - {t} / ({s.period!r} * max(1, -floor(-{t} / {s.period!r})))) ** {s.power!r}"
    return between(factor_of(s.start, base), factor_of(s.end, base), f"(1 - {left})", left)


def _wave(s: CosineWave, t: str, base: float | None) -> str:
    turn = f"cos(2 * pi * {t} / {s.period!r})"
    high, low = factor_of(s.high, base), factor_of(s.low, base)
    return between(high, low, f"(1 - {turn}) / 2", f"(1 + {turn}) / 2")


def _units(t: str, every: Any) -> str:
    return t if every == 1 else f"({t} / {every!r})"


WRITERS: Mapping[Any, Writer] = {
    Constant: lambda s, t, base: repr(factor_of(s.level, base)),
    LogWarmup: lambda s, t, base: f"min(1, log({t} + 1) / log({max(2, s.over)!r}))",
    Ramp: ramp,
    ExponentialWarmup: lambda s, t, base: f"1 - exp(-({t} + 1) / {s.tau!r})",
    Exponential: lambda s, t, base: f"{s.gamma!r} ** {_units(t, s.every)}",
    InverseTime: lambda s, t, base: f"1 / (1 + {s.alpha!r} * {_units(t, s.every)})",
    InverseSqrt: lambda s, t, base: f"({s.tau!r} / ({t} + {s.tau!r})) ** 0.5",
    Power: lambda s, t, base: f"max(1, {t} / {s.after!r}) ** -{s.exponent!r}",
    # exp(700) is as good as infinite, and no overflow in Python.
    Sigmoid: lambda s, t, base: f"1 / (1 + exp(min({s.slope!r} * ({t} - {s.at!r}), 700)))",
    Step: lambda s, t, base: f"{s.gamma!r} ** ({t} // {s.every!r})",
    MultiStep: lambda s, t, base: (
        f"{s.gamma!r} ** ({' + '.join(f'({t} >= {m!r})' for m in s.milestones)})"
    ),
    Piecewise: _piecewise,
    Knots: _knots,
    CosineWave: _wave,
    PolynomialCycle: _cycle,
    Formula: _formula,
    Sequence: _sequence,
    Continued: _continued,
    Product: lambda s, t, base: " * ".join(atom(formula(c, base, t)) for c in s.schedules),
    Sum: lambda s, t, base: " + ".join(atom(formula(c, base, t)) for c in s.schedules),
    Affine: lambda s, t, base: (
        f"{factor_of(s.offset, base)!r} + {s.slope!r} * {atom(formula(s.schedule, base, t))}"
    ),
    Clip: _clip,
    Until: lambda s, t, base: formula(s.schedule, base, f"min({t}, {s.at!r})"),
    Shift: _shift,
    Stretch: lambda s, t, base: formula(s.schedule, base, f"({t} / {s.by!r})"),
    Staircase: lambda s, t, base: formula(s.schedule, base, f"({t} // {s.every!r} * {s.every!r})"),
    Repeat: _repeat,
}
"""How to write each shape; of a shape's classes, the first that stands here."""
