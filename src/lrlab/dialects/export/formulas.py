"""``to_formula``: any schedule as the text of a formula in t."""

import ast
from collections.abc import Callable, Mapping
from math import inf
from typing import Any

from lrlab._checks import to_int_if_whole
from lrlab.dialects.export.python import require_base, to_factor
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Affine,
    Clip,
    Constant,
    Continued,
    Cooldown,
    Cosine,
    CosineWave,
    Exponential,
    ExponentialWarmup,
    Formula,
    Geometric,
    InverseSqrt,
    InverseTime,
    Linear,
    LogWarmup,
    MultiStep,
    PiecewiseConstant,
    PiecewiseInterpolate,
    Polynomial,
    PolynomialCycle,
    Power,
    Product,
    Ramp,
    Repeat,
    Rex,
    Schedule,
    Sequential,
    Shift,
    Sigmoid,
    Staircase,
    Step,
    Stretch,
    Sum,
    Tanh,
    Until,
    Warmup,
)
from lrlab.schedules.durations import Horizon
from lrlab.schedules.expressions import MAX_LENGTH

FormulaWriter = Callable[[Any, str, float | None], str]

CurveText = tuple[str, str]
"""The texts of a ramp's progress c and of the remaining 1 - c, each a product."""


def to_formula(schedule: Schedule, base: float | None = None, clock: str = "t") -> str:
    """Write the text of a formula with the schedule's value at every step.

    Args:
        schedule: a schedule whose durations are in steps.
        base: the base rate, needed if a level is ``Absolute``.
        clock: the text of the step.

    Raises:
        ScheduleError: a part of it has no formula, or ``base`` is missing.

    >>> from lrlab.schedules import Cosine
    >>> to_formula(Cosine(45))
    '(1 + cos(pi * min(t, 45) / 45)) / 2'
    """
    writer = next((w for kind, w in _FORMULA_WRITERS.items() if isinstance(schedule, kind)), None)
    if writer is None:
        raise ScheduleError(f"there is no formula for {schedule}.")
    text = writer(schedule, clock, base)
    if len(text) > MAX_LENGTH:
        raise ScheduleError(f"the formula for {schedule} is longer than {MAX_LENGTH} characters.")
    return text


def write_ramp(s: Any, t: str, base: float | None) -> str:
    """Write the formula of a ramp; ``t`` is the text of its clock."""
    start, end = s.start, to_factor(s.end, base)
    if start is None:  # a warm-up whose first step counts
        p = f"min({t} + 1, {s.over + 1!r}) / {s.over + 1!r}"
        return interpolate(0.0, 1.0, *write_curve(s.curve, p))
    if not s.over:
        return repr(end)
    p = f"min({t}, {s.over!r}) / {s.over!r}"
    start = to_factor(start, base)
    if isinstance(s, Geometric):
        power = f"{end / start!r} ** ({p})"
        return power if start == 1 else f"{start!r} * {power}"
    writer = next((w for kind, w in _RAMP_WRITERS.items() if isinstance(s, kind)), None)
    if writer is None:
        raise ScheduleError(f"there is no formula for {s}.")
    return interpolate(start, end, *writer(s, p))


def interpolate(start: float, end: float, progress: str, remaining: str) -> str:
    """Write the interpolation from ``start`` to ``end`` with as few operations as possible."""
    if start == end:
        return repr(start)
    low, height, text = (
        (start, end - start, progress) if start < end else (end, start - end, remaining)
    )
    scaled = text if height == 1 else f"{height!r} * {text}"
    return scaled if low == 0 else f"{low!r} + {scaled}"


def write_curve(name: str | float, p: str) -> CurveText:
    """Write the curve of that name or exponent at progress ``p``."""
    if isinstance(name, str):
        return _CURVE_WRITERS[name](p)
    return f"({p}) ** {name!r}", f"(1 - ({p}) ** {name!r})"


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


def _write_cosine(s: Any, p: str) -> CurveText:
    cosine = f"cos(pi * {_write_power(p, s.k)})"
    if s.power == 1:
        return f"(1 - {cosine}) / 2", f"(1 + {cosine}) / 2"
    remaining = f"((1 + {cosine}) / 2) ** {s.power!r}"
    return f"(1 - {remaining})", remaining


def _write_polynomial(s: Any, p: str) -> CurveText:
    remaining = _write_power(f"(1 - {_write_power(p, s.k)})", s.power)
    return f"(1 - {remaining})", remaining


def _write_rex(s: Any, p: str) -> CurveText:
    remaining = f"(1 - {p}) / (1 - {s.beta / 2!r} * {p})"
    return f"(1 - {remaining})", remaining


def _write_tanh(s: Any, p: str) -> CurveText:
    # (1 - tanh(x)) / 2 = 1 / (1 + exp(2 * x)); 1 / exp(700) is as good as 0.
    x = f"{2 * s.lower!r} + {2 * (s.upper - s.lower)!r} * {p}"
    return f"(1 - 1 / (1 + exp(min({x}, 700))))", f"1 / (1 + exp(min({x}, 700)))"


def _write_power(text: str, exponent: float) -> str:
    if exponent == 1:
        return text
    return f"{text if text.startswith('(') else f'({text})'} ** {to_int_if_whole(exponent)!r}"


_RAMP_WRITERS: Mapping[type[Ramp], Callable[[Any, str], CurveText]] = {
    Linear: lambda s, p: (p, f"(1 - {p})"),
    Cosine: _write_cosine,
    Polynomial: _write_polynomial,
    Rex: _write_rex,
    Tanh: _write_tanh,
    Warmup: lambda s, p: write_curve(s.curve, p),
    Cooldown: lambda s, p: write_curve(s.curve, p),
}


def _write_sequential(s: Sequential, t: str, base: float | None) -> str:
    starts = [float(start) for start in s.starts]
    terms = [
        restrict_to_interval(t, begin, end, to_formula(part, base, _shift_clock(t, begin)))
        for part, begin, end in zip(s.schedules, starts, [*starts[1:], inf], strict=True)
        if end > begin
    ]
    return " + ".join(terms)


def _write_continued(s: Continued, t: str, base: float | None) -> str:
    start = s.first.compute_length(Horizon())
    rate = 1.0 if s.first.is_relative else require_base(base, f"{s.first} as factors")
    end_value = s.first(start, base=rate) / rate
    if not end_value and not s.second.is_relative:
        raise ScheduleError(f"there is no formula for {s}, which continues from a rate of 0.")
    first = to_formula(s.first, base, t)
    second = to_formula(s.second, base and end_value and base * end_value, _shift_clock(t, start))
    after = restrict_to_interval(t, start, inf, f"{end_value!r} * {parenthesize(second)}")
    return f"{restrict_to_interval(t, 0, start, first)} + {after}" if start else after


def _write_piecewise_interpolate(s: PiecewiseInterpolate, t: str, base: float | None) -> str:
    levels = [to_factor(level, base) for level in s.levels]
    at = [float(step) for step in s.at]
    terms = [restrict_to_interval(t, 0, at[0], repr(levels[0]))] if at[0] else []
    for i in range(len(at) - 1):
        width = at[i + 1] - at[i]
        if width:
            span = to_int_if_whole(width)
            p = f"min({_shift_clock(t, at[i])}, {span!r}) / {span!r}"
            text = interpolate(levels[i], levels[i + 1], *write_curve(s.curve, p))
            terms.append(restrict_to_interval(t, at[i], at[i + 1], text))
    return " + ".join([*terms, restrict_to_interval(t, at[-1], inf, repr(levels[-1]))])


def _write_piecewise_constant(s: PiecewiseConstant, t: str, base: float | None) -> str:
    levels = [to_factor(level, base) for level in s.levels]
    at = [0.0, *map(float, s.at), inf]
    spans = zip(levels, at, at[1:], strict=False)
    return " + ".join(restrict_to_interval(t, a, b, repr(level)) for level, a, b in spans if b > a)


def _write_repeat(s: Repeat, t: str, base: float | None) -> str:
    if s.growth != 1:
        raise ScheduleError(f"there is no formula for {s}, whose cycles grow longer.")
    length = s.schedule.compute_length(Horizon())
    n = f"{t} // {length!r}"
    if s.times is not None:
        n = f"min({n}, {s.times - 1})"
    text = to_formula(s.schedule, base, f"({t} - {length!r} * ({n}))")
    return text if s.decay == 1 else f"{s.decay!r} ** ({n}) * {parenthesize(text)}"


def _write_formula(s: Formula, t: str, base: float | None) -> str:
    clock = t if s.over is None else f"min({t}, {s.over!r})"
    progress = "1" if not s.over else f"({clock} / {s.over!r})"
    names = {"t": clock, "p": progress, "T": repr(s.over)}

    class NameSubstituter(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(names.get(node.id, node.id), mode="eval").body

    return ast.unparse(NameSubstituter().visit(ast.parse(s.expression, mode="eval").body))


def _write_clip(s: Clip, t: str, base: float | None) -> str:
    text = to_formula(s.schedule, base, t)
    if s.low is not None:
        text = f"max({text}, {to_factor(s.low, base)!r})"
    return text if s.high is None else f"min({text}, {to_factor(s.high, base)!r})"


def _write_shift(s: Shift, t: str, base: float | None) -> str:
    by = Horizon().to_exact_steps(s.by)
    return to_formula(s.schedule, base, f"max({t} - {by!r}, 0)" if by > 0 else f"({t} + {-by!r})")


def _write_polynomial_cycle(s: PolynomialCycle, t: str, base: float | None) -> str:
    duration = f"({s.period!r} * max(1, -floor(-{t} / {s.period!r})))"
    remaining = f"max(0, 1 - {t} / {duration}) ** {s.power!r}"
    start, end = to_factor(s.start, base), to_factor(s.end, base)
    return interpolate(start, end, f"(1 - {remaining})", remaining)


def _write_cosine_wave(s: CosineWave, t: str, base: float | None) -> str:
    cosine = f"cos(2 * pi * {t} / {s.period!r})"
    high, low = to_factor(s.high, base), to_factor(s.low, base)
    return interpolate(high, low, f"(1 - {cosine}) / 2", f"(1 + {cosine}) / 2")


def restrict_to_interval(t: str, begin: float, end: float, text: str) -> str:
    """Write ``text`` for the steps from ``begin`` to before ``end``, and 0 for others."""
    begins = f"({t} >= {to_int_if_whole(float(begin))!r}) * " if begin > 0 else ""
    ends = f"({t} < {to_int_if_whole(float(end))!r}) * " if end < inf else ""
    return f"{begins}{ends}{parenthesize(text)}"


def parenthesize(text: str) -> str:
    """Put ``text`` in parentheses unless it is a name or number."""
    return text if text.replace(".", "").isalnum() else f"({text})"


def _shift_clock(t: str, start: float) -> str:
    return f"max({t} - {to_int_if_whole(float(start))!r}, 0)" if start else t


def _divide_clock(t: str, every: Any) -> str:
    return t if every == 1 else f"({t} / {every!r})"


_FORMULA_WRITERS: Mapping[Any, FormulaWriter] = {
    Constant: lambda s, t, base: repr(to_factor(s.level, base)),
    LogWarmup: lambda s, t, base: (
        f"min(1, log({t} + 1) / log({max(2, s.over)!r}))" if s.over else "1.0"
    ),
    Ramp: write_ramp,
    ExponentialWarmup: lambda s, t, base: f"1 - exp(-({t} + 1) / {s.tau!r})",
    Exponential: lambda s, t, base: f"{s.gamma!r} ** {_divide_clock(t, s.every)}",
    InverseTime: lambda s, t, base: f"1 / (1 + {s.alpha!r} * {_divide_clock(t, s.every)})",
    InverseSqrt: lambda s, t, base: f"({s.tau!r} / ({t} + {s.tau!r})) ** 0.5",
    Power: lambda s, t, base: f"max(1, {t} / {s.after!r}) ** -{s.exponent!r}",
    # 1 / exp(700) is as good as 0 and does not overflow in Python.
    Sigmoid: lambda s, t, base: f"1 / (1 + exp(min({s.slope!r} * ({t} - {s.at!r}), 700)))",
    Step: lambda s, t, base: f"{s.gamma!r} ** ({t} // {s.every!r})",
    MultiStep: lambda s, t, base: (
        f"{s.gamma!r} ** ({' + '.join(f'({t} >= {m!r})' for m in s.milestones)})"
    ),
    PiecewiseConstant: _write_piecewise_constant,
    PiecewiseInterpolate: _write_piecewise_interpolate,
    CosineWave: _write_cosine_wave,
    PolynomialCycle: _write_polynomial_cycle,
    Formula: _write_formula,
    Sequential: _write_sequential,
    Continued: _write_continued,
    Product: lambda s, t, base: " * ".join(
        parenthesize(to_formula(c, base, t)) for c in s.schedules
    ),
    Sum: lambda s, t, base: " + ".join(parenthesize(to_formula(c, base, t)) for c in s.schedules),
    Affine: lambda s, t, base: (
        f"{to_factor(s.offset, base)!r} + "
        f"{s.slope!r} * {parenthesize(to_formula(s.schedule, base, t))}"
    ),
    Clip: _write_clip,
    Until: lambda s, t, base: to_formula(s.schedule, base, f"min({t}, {s.at!r})"),
    Shift: _write_shift,
    Stretch: lambda s, t, base: to_formula(s.schedule, base, f"({t} / {s.by!r})"),
    Staircase: lambda s, t, base: to_formula(
        s.schedule, base, f"({t} // {s.every!r} * {s.every!r})"
    ),
    Repeat: _write_repeat,
}
"""Writers by class of schedule; the first class that matches counts."""
