"""Code for optax: its own functions where they fit, otherwise a function with a formula."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab._checks import to_int_if_whole
from lrlab.dialects.export.formulas import to_formula
from lrlab.dialects.export.python import (
    JNP,
    format_call,
    format_multiline_call,
    make_unsupported_error,
    require_base,
    round_off,
    to_lr,
    to_python,
)
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    PiecewiseConstant,
    Polynomial,
    Schedule,
    Sequential,
    Until,
    Warmup,
)
from lrlab.schedules.durations import Horizon


def to_code(schedule: Schedule, base: float | None) -> str:
    """Write the code that makes ``schedule`` with optax's own functions, in absolute rates."""
    text = _write_schedule(schedule, base)
    imports = ["import jax.numpy as jnp"] if "jnp." in text else []
    imports += ["import optax"] if "optax." in text else []
    return "\n".join([*imports, "", f"schedule = {text}", ""]).lstrip()


def _write_schedule(schedule: Schedule, base: float | None, clock: str = "t") -> str:
    if isinstance(schedule, Sequential):
        return _write_sequential(schedule, base)
    writer = _CALL_WRITERS.get(type(schedule))
    text = writer(schedule, base) if writer else None
    return _write_lambda(schedule, base, clock) if text is None else text


def _write_sequential(schedule: Sequential, base: float | None) -> str:
    boundaries: list[float] = []
    items, at = [], 0.0
    for part in schedule.schedules[:-1]:
        length = part.compute_length(Horizon())
        if length > 0:
            inner = part.schedule if isinstance(part, Until) else part
            items.append(_write_schedule(inner, base, _write_clock(boundaries)))
            at += length
            boundaries.append(to_int_if_whole(at))
    items.append(_write_schedule(schedule.schedules[-1], base, _write_clock(boundaries)))
    if len(items) == 1:
        return items[0]
    return format_multiline_call("optax.join_schedules", (), items, f"boundaries={boundaries}")


def _write_clock(boundaries: list[float]) -> str:
    """Write the clock of a part: optax evaluates later parts at negative steps, too."""
    return "max(t, 0)" if boundaries else "t"


def _write_lambda(schedule: Schedule, base: float | None, clock: str) -> str:
    rate = require_base(base, f"{schedule} as rates")
    try:
        text = to_python(to_formula(schedule, rate, clock), JNP)
    except ScheduleError as error:
        remedy = (
            f"{str(error).rstrip('.')}; look its rates up instead, as lambda t: rates[t] of "
            f"rates = jnp.array(schedule(range(total_steps), base={rate!r}))"
        )
        raise make_unsupported_error(schedule, "optax", remedy) from None
    return f"lambda t: {rate!r} * ({text})"


_CallWriter = Callable[[Any, float | None], str | None]


def _write_constant(s: Constant, base: float | None) -> str:
    return format_call("optax.constant_schedule", repr(to_lr(s.level, base)))


def _write_linear(s: Linear, base: float | None) -> str:
    return _write_line(to_lr(s.start, base), to_lr(s.end, base), s.over)


def _write_warmup(s: Warmup, base: float | None) -> str | None:
    if s.curve != "linear":
        return None
    assert not isinstance(s.over, str)
    start = 1 / ((s.over or 0) + 1) if s.start is None else s.start
    return _write_line(to_lr(start, base), to_lr(1.0, base), s.over)


def _write_line(start: float, end: float, over: Any) -> str:
    if not over:
        return format_call("optax.constant_schedule", repr(end))
    kwargs = {"init_value": start, "end_value": end, "transition_steps": over}
    return format_call("optax.linear_schedule", **kwargs)


def _write_cosine(s: Cosine, base: float | None) -> str | None:
    start, end = to_lr(s.start, base), to_lr(s.end, base)
    if s.k != 1 or not s.over or not start:
        return None
    alpha = round_off(end / start)
    return format_call(
        "optax.cosine_decay_schedule",
        init_value=start,
        decay_steps=s.over,
        alpha=alpha or None,
        exponent=None if s.power == 1 else s.power,
    )


def _write_polynomial(s: Polynomial, base: float | None) -> str | None:
    if s.k != 1 or not s.over:
        return None
    return format_call(
        "optax.polynomial_schedule",
        init_value=to_lr(s.start, base),
        end_value=to_lr(s.end, base),
        power=s.power,
        transition_steps=s.over,
    )


def _write_exponential(s: Exponential, base: float | None) -> str:
    kwargs = {"transition_steps": s.every, "decay_rate": s.gamma}
    return format_call("optax.exponential_decay", init_value=to_lr(1.0, base), **kwargs)


def _write_multi_step(s: MultiStep, base: float | None) -> str:
    scales: dict[Any, float] = {}
    for at in s.milestones:
        scales[at] = scales.get(at, 1.0) * s.gamma
    return format_call("optax.piecewise_constant_schedule", repr(to_lr(1.0, base)), repr(scales))


def _write_piecewise_constant(s: PiecewiseConstant, base: float | None) -> str:
    items = [_write_constant(Constant(level), base) for level in s.levels]
    return format_multiline_call("optax.join_schedules", (), items, f"boundaries={[*s.at]}")


_CALL_WRITERS: Mapping[type[Schedule], _CallWriter] = {
    Constant: _write_constant,
    Linear: _write_linear,
    Warmup: _write_warmup,
    Cosine: _write_cosine,
    Polynomial: _write_polynomial,
    Exponential: _write_exponential,
    MultiStep: _write_multi_step,
    PiecewiseConstant: _write_piecewise_constant,
}
"""Functions that write optax's equal call, or return None, by class of schedule.

A Step is not exponential_decay with a staircase: compiled, that divides by multiplying with the
reciprocal, and some of its stairs are one step late.
"""
