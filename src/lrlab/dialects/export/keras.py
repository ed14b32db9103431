"""Code for keras: schedules that equal one of its classes; others are refused."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.export.python import (
    Call,
    format_call,
    make_unsupported_error,
    round_off,
    to_lr,
    to_whole_steps,
)
from lrlab.schedules import (
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    PiecewiseConstant,
    Polynomial,
    Repeat,
    Schedule,
    Sequential,
    Staircase,
    Step,
    Warmup,
)


def to_code(schedule: Schedule, base: float | None) -> str:
    """Write the code that makes ``schedule`` with a keras class, in absolute rates."""
    matcher = _CALL_MATCHERS.get(type(schedule))
    call = matcher(schedule, base) if matcher else None
    if call is None:
        raise make_unsupported_error(schedule, "keras", _REMEDY)
    name, kwargs = call
    text = format_call(f"keras.optimizers.schedules.{name}", **kwargs)
    return f"import keras\n\nschedule = {text}\n"


_REMEDY = (
    "its schedules are Cosine (also after a linear Warmup, or repeated), Linear, Polynomial, "
    "Exponential, Step, MultiStep, PiecewiseConstant and InverseTime; write your own "
    "LearningRateSchedule with a formula"
)


def _match_linear(s: Linear, base: float | None) -> Call | None:
    if not s.over:
        return None
    return "PolynomialDecay", _build_decay_kwargs(s, base) | {"power": 1.0}


def _match_polynomial(s: Polynomial, base: float | None) -> Call | None:
    if not s.over or s.k != 1:
        return None
    return "PolynomialDecay", _build_decay_kwargs(s, base) | {"power": s.power}


def _build_decay_kwargs(s: Any, base: float | None) -> dict[str, Any]:
    return {
        "initial_learning_rate": to_lr(s.start, base),
        "decay_steps": s.over,
        "end_learning_rate": to_lr(s.end, base),
    }


def _match_cosine(s: Cosine, base: float | None) -> Call | None:
    start, end = to_lr(s.start, base), to_lr(s.end, base)
    if not s.over or not start or s.power != 1 or s.k != 1:
        return None
    kwargs = {
        "initial_learning_rate": start,
        "decay_steps": s.over,
        "alpha": round_off(end / start) or None,
    }
    return "CosineDecay", kwargs


def _match_warmup_cosine(s: Sequential, base: float | None) -> Call | None:
    first, last = s.schedules[0], s.schedules[-1]
    if len(s.schedules) > 2 or not isinstance(first, Warmup) or not isinstance(last, Cosine):
        return None
    call = _match_cosine(last, base)
    if call is None or last.start != 1 or first.curve != "linear" or not first.over:
        return None
    assert not isinstance(first.over, str)
    start = 1 / (first.over + 1) if first.start is None else first.start
    kwargs = call[1] | {
        "initial_learning_rate": to_lr(start, base),
        "warmup_target": to_lr(1.0, base),
        "warmup_steps": first.over,
    }
    return "CosineDecay", kwargs


def _match_cosine_restarts(s: Repeat, base: float | None) -> Call | None:
    inner = s.schedule
    call = _match_cosine(inner, base) if isinstance(inner, Cosine) else None
    if call is None or s.times is not None or (s.decay != 1 and call[1]["alpha"]):
        return None
    kwargs = call[1]
    kwargs["first_decay_steps"] = kwargs.pop("decay_steps")
    return "CosineDecayRestarts", kwargs | {"t_mul": s.growth, "m_mul": s.decay}


def _match_exponential(s: Exponential, base: float | None) -> Call | None:
    kwargs = {"decay_steps": s.every, "decay_rate": s.gamma}
    return "ExponentialDecay", {"initial_learning_rate": to_lr(1.0, base)} | kwargs


def _match_step(s: Step, base: float | None) -> Call | None:
    kwargs = {"decay_steps": s.every, "decay_rate": s.gamma, "staircase": True}
    return "ExponentialDecay", {"initial_learning_rate": to_lr(1.0, base)} | kwargs


def _match_inverse_time(s: InverseTime, base: float | None) -> Call | None:
    kwargs = {"decay_steps": s.every, "decay_rate": s.alpha}
    return "InverseTimeDecay", {"initial_learning_rate": to_lr(1.0, base)} | kwargs


def _match_inverse_time_staircase(s: Staircase, base: float | None) -> Call | None:
    inner = s.schedule
    if not isinstance(inner, InverseTime) or inner.every != s.every:
        return None
    name, kwargs = _match_inverse_time(inner, base) or ("", {})
    return name, kwargs | {"staircase": True}


def _match_multi_step(s: MultiStep, base: float | None) -> Call | None:
    rate = to_lr(1.0, base)
    return _build_piecewise_constant_call(
        s.milestones, [rate * s.gamma**i for i in range(len(s.milestones) + 1)]
    )


def _match_piecewise_constant(s: PiecewiseConstant, base: float | None) -> Call | None:
    return _build_piecewise_constant_call(s.at, [to_lr(level, base) for level in s.levels])


def _build_piecewise_constant_call(at: Any, rates: list[float]) -> Call | None:
    steps = [to_whole_steps(step) for step in at]
    if None in steps or len(set(steps)) < len(steps):
        return None
    # keras changes the rate after the step of a boundary.
    boundaries = [step - 1 for step in steps if step]
    return "PiecewiseConstantDecay", {"boundaries": boundaries, "values": rates}


_CALL_MATCHERS: Mapping[type[Schedule], Callable[[Any, float | None], Call | None]] = {
    Linear: _match_linear,
    Polynomial: _match_polynomial,
    Cosine: _match_cosine,
    Sequential: _match_warmup_cosine,
    Repeat: _match_cosine_restarts,
    Exponential: _match_exponential,
    Step: _match_step,
    InverseTime: _match_inverse_time,
    Staircase: _match_inverse_time_staircase,
    MultiStep: _match_multi_step,
    PiecewiseConstant: _match_piecewise_constant,
}
"""Functions that return keras' equal call, or None, by class of schedule."""
