"""Code for transformers: schedules that equal one of its functions; others are refused."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.export.python import (
    Call,
    format_call,
    make_unsupported_error,
    to_factor,
    to_lr,
    to_whole_steps,
)
from lrlab.schedules import (
    Absolute,
    Constant,
    Cooldown,
    Cosine,
    InverseSqrt,
    Linear,
    Polynomial,
    Schedule,
    Sequential,
    Warmup,
)


def to_code(schedule: Schedule, base: float | None) -> str:
    """Write the code that puts ``schedule`` on an optimizer with a transformers function."""
    parts = schedule.schedules if isinstance(schedule, Sequential) else (schedule,)
    first = parts[0]
    call = None
    if isinstance(first, Warmup) and len(parts) > 1:
        warmup = to_whole_steps(first.over)
        if warmup and first.curve == "linear" and first.start is not None:
            call = _match_after_warmup(warmup, to_factor(first.start, base), parts[1:], base)
    else:
        call = _match_after_warmup(0, 0.0, parts, base)
    if call is None:
        raise make_unsupported_error(schedule, "transformers", _REMEDY)
    name, kwargs = call
    text = format_call(name, "optimizer", **kwargs)
    note = "# Past its end, transformers' cosine climbs again.\n" if "cosine" in name else ""
    return f"from transformers import {name}\n\n{note}scheduler = {text}\n"


_REMEDY = (
    "its schedules are a Warmup(..., start=0.0) and one of Constant(1.0), Linear(1.0, 0.0), "
    "Cosine, Polynomial, InverseSqrt, or a Constant(1.0) and a decay; give the Trainer an "
    "lrlab.LRScheduler, or the scheduler of the code for torch"
)


def _match_after_warmup(
    warmup: int, start: float, parts: tuple[Schedule, ...], base: float | None
) -> Call | None:
    """Return the call for ``parts`` after ``warmup`` steps from ``start``, or None."""
    if len(parts) == 2 and isinstance(parts[0], Constant) and parts[0].level == 1:
        return _match_stable_decay(warmup, start, to_whole_steps(parts[0].over), parts[1])
    matcher = _CALL_MATCHERS.get(type(parts[0]))
    return None if matcher is None or len(parts) > 1 or start else matcher(parts[0], warmup, base)


def _match_stable_decay(warmup: int, start: float, stable: int | None, last: Any) -> Call | None:
    """Return the call for a warm-up that starts where the decay ends, stable steps and a decay."""
    kinds: dict[Any, str] = {Linear: "linear", Cosine: "cosine", Cooldown: "1-sqrt"}
    decay = to_whole_steps(getattr(last, "over", None))
    if stable is None or decay is None or type(last) not in kinds or isinstance(last.end, Absolute):
        return None
    has_custom_curve = isinstance(last, Cosine) and (last.power != 1 or last.k != 1)
    has_other_curve = isinstance(last, Cooldown) and last.curve != "sqrt"
    if last.start != 1 or has_custom_curve or has_other_curve or (warmup and start != last.end):
        return None
    kwargs = {
        "num_warmup_steps": warmup,
        "num_stable_steps": stable,
        "num_decay_steps": decay,
        "decay_type": repr(kinds[type(last)]),
        "min_lr_ratio": last.end or None,
    }
    return "get_wsd_schedule", kwargs


def _match_constant(s: Constant, warmup: int, base: float | None) -> Call | None:
    if s.level != 1:
        return None
    if not warmup:
        return "get_constant_schedule", {}
    return "get_constant_schedule_with_warmup", {"num_warmup_steps": warmup}


def _match_linear(s: Linear, warmup: int, base: float | None) -> Call | None:
    steps = _build_step_kwargs(warmup, s.over)
    if steps is None or s.start != 1 or s.end != 0:
        return None
    return "get_linear_schedule_with_warmup", steps


def _match_cosine(s: Cosine, warmup: int, base: float | None) -> Call | None:
    steps = _build_step_kwargs(warmup, s.over)
    if steps is None or s.start != 1 or s.power != 1 or s.k != 1:
        return None
    if s.end == 0:
        return "get_cosine_schedule_with_warmup", steps
    # transformers divides min_lr by the optimizer's rate.
    floor = {"min_lr": s.end.value} if isinstance(s.end, Absolute) else {"min_lr_rate": s.end}
    return "get_cosine_with_min_lr_schedule_with_warmup", steps | floor


def _match_polynomial(s: Polynomial, warmup: int, base: float | None) -> Call | None:
    steps = _build_step_kwargs(warmup, s.over)
    if steps is None or s.start != 1 or s.k != 1 or to_factor(s.end, base) >= 1:
        return None
    kwargs = steps | {"lr_end": to_lr(s.end, base), "power": s.power}
    return "get_polynomial_decay_schedule_with_warmup", kwargs


def _build_step_kwargs(warmup: int, over: float | str | None) -> dict[str, Any] | None:
    length = to_whole_steps(over)
    if length is None:
        return None
    return {"num_warmup_steps": warmup, "num_training_steps": warmup + length}


def _match_inverse_sqrt(s: InverseSqrt, warmup: int, base: float | None) -> Call | None:
    kwargs = {"num_warmup_steps": warmup, "timescale": s.tau}
    return "get_inverse_sqrt_schedule", kwargs


_CALL_MATCHERS: Mapping[type[Schedule], Callable[[Any, int, float | None], Call | None]] = {
    Constant: _match_constant,
    Linear: _match_linear,
    Cosine: _match_cosine,
    Polynomial: _match_polynomial,
    InverseSqrt: _match_inverse_sqrt,
}
"""Functions that return the call after a warm-up, or None, by class of schedule."""
