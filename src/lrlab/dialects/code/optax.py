"""Programs for optax: its own functions where they say the same, else a function of a formula."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.code.formulas import formula
from lrlab.dialects.code.parts import call, needed, rate_of, refusal, round_off, spread
from lrlab.dialects.code.python import JNP, source
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    Piecewise,
    Polynomial,
    Schedule,
    Sequence,
    Until,
    Warmup,
)
from lrlab.schedules.durations import Horizon
from lrlab.schedules.numbers import tidy

Writer = Callable[[Any, float | None], str | None]


def program(schedule: Schedule, base: float | None) -> str:
    """The program that makes ``schedule`` out of optax's own functions, in absolute rates."""
    text = _text(schedule, base)
    imports = ["import jax.numpy as jnp"] if "jnp." in text else []
    imports += ["import optax"] if "optax." in text else []
    return "\n".join([*imports, "", f"schedule = {text}", ""]).lstrip()


def _text(schedule: Schedule, base: float | None, clock: str = "t") -> str:
    if isinstance(schedule, Sequence):
        return _sequence(schedule, base)
    writer = _FUNCTIONS_OF.get(type(schedule))
    text = writer(schedule, base) if writer else None
    return _lambda(schedule, base, clock) if text is None else text


def _lambda(schedule: Schedule, base: float | None, clock: str) -> str:
    rate = needed(base, f"{schedule} as rates")
    try:
        text = source(formula(schedule, rate, clock), JNP)
    except ScheduleError as error:
        instead = f"{str(error).rstrip('.')}; write a function of the step of your own"
        raise refusal(schedule, "optax", instead) from None
    return f"lambda t: {rate!r} * ({text})"


def _sequence(schedule: Sequence, base: float | None) -> str:
    boundaries: list[float] = []
    items, at = [], 0.0
    for part in schedule.schedules[:-1]:
        length = part.length(Horizon())
        if length > 0:
            inner = part.schedule if isinstance(part, Until) else part
            items.append(_text(inner, base, _clock(boundaries)))
            at += length
            boundaries.append(tidy(at))
    items.append(_text(schedule.schedules[-1], base, _clock(boundaries)))
    if len(items) == 1:
        return items[0]
    return spread("optax.join_schedules", (), items, f"boundaries={boundaries}")


def _clock(boundaries: list[float]) -> str:
    """The step of a part; optax asks all parts at every step, the later ones before their 0 too."""
    return "max(t, 0)" if boundaries else "t"


def _constant(s: Constant, base: float | None) -> str:
    return call("optax.constant_schedule", repr(rate_of(s.level, base)))


def _linear(s: Linear, base: float | None) -> str:
    return _line(rate_of(s.start, base), rate_of(s.end, base), s.over)


def _warmup(s: Warmup, base: float | None) -> str | None:
    if s.curve != "linear":
        return None
    assert not isinstance(s.over, str)
    start = 1 / ((s.over or 0) + 1) if s.start is None else s.start
    return _line(rate_of(start, base), rate_of(1.0, base), s.over)


def _line(start: float, end: float, over: Any) -> str:
    if not over:
        return call("optax.constant_schedule", repr(end))
    words = {"init_value": start, "end_value": end, "transition_steps": over}
    return call("optax.linear_schedule", **words)


def _cosine(s: Cosine, base: float | None) -> str | None:
    start, end = rate_of(s.start, base), rate_of(s.end, base)
    if s.k != 1 or not s.over or not start:
        return None
    alpha = round_off(end / start)
    return call(
        "optax.cosine_decay_schedule",
        init_value=start,
        decay_steps=s.over,
        alpha=alpha or None,
        exponent=None if s.power == 1 else s.power,
    )


def _polynomial(s: Polynomial, base: float | None) -> str | None:
    if s.k != 1 or not s.over:
        return None
    return call(
        "optax.polynomial_schedule",
        init_value=rate_of(s.start, base),
        end_value=rate_of(s.end, base),
        power=s.power,
        transition_steps=s.over,
    )


def _exponential(s: Exponential, base: float | None) -> str:
    words = {"transition_steps": s.every, "decay_rate": s.gamma}
    return call("optax.exponential_decay", init_value=rate_of(1.0, base), **words)


def _multi_step(s: MultiStep, base: float | None) -> str:
    scales: dict[Any, float] = {}
    for at in s.milestones:
        scales[at] = scales.get(at, 1.0) * s.gamma
    return call("optax.piecewise_constant_schedule", repr(rate_of(1.0, base)), repr(scales))


def _piecewise(s: Piecewise, base: float | None) -> str:
    items = [_constant(Constant(level), base) for level in s.levels]
    return spread("optax.join_schedules", (), items, f"boundaries={[*s.at]}")


_FUNCTIONS_OF: Mapping[type[Schedule], Writer] = {
    Constant: _constant,
    Linear: _linear,
    Warmup: _warmup,
    Cosine: _cosine,
    Polynomial: _polynomial,
    Exponential: _exponential,
    MultiStep: _multi_step,
    Piecewise: _piecewise,
}
"""Which function of optax's says the same as a shape, where its arguments allow it.

Not exponential_decay's staircase for a Step: compiled, it divides by multiplying with one over the
number, and comes a step late at some stairs.
"""
