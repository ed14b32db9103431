"""Code for torch: its own classes where they fit, otherwise a ``LambdaLR`` with a formula."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.export.formulas import to_formula
from lrlab.dialects.export.python import (
    MATH,
    Call,
    MissingBaseError,
    format_call,
    format_multiline_call,
    make_unsupported_error,
    to_lr,
    to_python,
    to_whole_steps,
)
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    Plateau,
    Polynomial,
    Product,
    Repeat,
    Schedule,
    Sequential,
    Step,
    Until,
    Warmup,
)
from lrlab.schedules.durations import Horizon


def to_code(schedule: Schedule, base: float | None) -> str:
    """Write the code that puts ``schedule`` on an optimizer with torch's own classes."""
    text = (
        _write_plateau(schedule, base)
        if isinstance(schedule, Plateau)
        else _write_scheduler(schedule, base)
    )
    names = sorted(set(re.findall(r"\w+(?=\(optimizer|\(\n)", text)))
    imports = ["import math", ""] if "math." in text else []
    imports.append(f"from torch.optim.lr_scheduler import {', '.join(names)}")
    has_cosine = "CosineAnnealingLR(" in text
    notes = ["# Past its end, torch's cosine climbs again."] if has_cosine else []
    return "\n".join([*imports, "", *notes, f"scheduler = {text}", ""])


def _write_scheduler(schedule: Schedule, base: float | None, nested: bool = False) -> str:
    """Write the call that makes the scheduler, ``nested`` if it is a part of a sequence."""
    # torch steps a sequence or chain within a sequence wrongly.
    if isinstance(schedule, Sequential) and not nested:
        text = _write_sequential(schedule, base)
        if text is not None:
            return text
    if isinstance(schedule, Product) and not nested:
        calls = [_match_class(child, base) for child in schedule.schedules]
        if all(call and call[0] in _CHAINABLE_CLASSES for call in calls):
            items = [_write_call(*call) for call in calls if call]
            return format_multiline_call("ChainedScheduler", (), items, "optimizer=optimizer")
    call = _match_class(schedule, base)
    return _write_lambda(schedule, base) if call is None else _write_call(*call)


def _write_sequential(schedule: Sequential, base: float | None) -> str | None:
    parts = [part for part in schedule.schedules[:-1] if part.compute_length(Horizon()) > 0]
    last = schedule.schedules[-1]
    if not parts:
        return _write_scheduler(last, base, nested=True)
    if len(parts) == 1 and last == Constant(1.0):
        call = _match_constant(parts[0])
        if call is not None:
            return _write_call(*call)
    milestones, at = [], 0.0
    for part in parts:
        at += part.compute_length(Horizon())
        milestones.append(to_whole_steps(at))
    if None in milestones:
        return None  # torch's milestones are whole steps
    items = []
    for part in parts:
        constant = _match_constant(part)
        items.append(
            _write_call(*constant)
            if constant
            else _write_scheduler(_drop_until(part), base, nested=True)
        )
    items.append(_write_scheduler(last, base, nested=True))
    return format_multiline_call("SequentialLR", ["optimizer"], items, f"milestones={milestones}")


def _drop_until(part: Schedule) -> Schedule:
    """Return ``part`` without its ``until``, which the next milestone replaces."""
    if not isinstance(part, Until):
        return part
    inner = part.schedule
    # torch's cosine climbs past its end; all others hold their last rate.
    outlasts_inner = part.compute_length(Horizon()) > inner.compute_length(Horizon())
    return part if outlasts_inner and isinstance(inner, Cosine) else inner


def _match_constant(part: Schedule) -> Call | None:
    """Return the call for a constant that is followed by another part, or None."""
    if (
        not isinstance(part, Constant)
        or isinstance(part.level, Absolute)
        or to_whole_steps(part.over) is None
    ):
        return None
    if not 0 < part.level <= 1:
        return None
    return "ConstantLR", {"factor": part.level, "total_iters": to_whole_steps(part.over)}


def _write_plateau(s: Plateau, base: float | None) -> str:
    kwargs = {
        "mode": repr(s.mode),
        "factor": s.factor,
        "patience": max(1, s.patience) - 1 if s.at_patience else s.patience,
        "threshold": s.threshold,
        "threshold_mode": repr(s.threshold_mode),
        "cooldown": s.cooldown,
        "min_lr": to_lr(s.low, base),
        "eps": to_lr(s.eps, base),
    }
    return _write_call("ReduceLROnPlateau", kwargs)


def _write_lambda(schedule: Schedule, base: float | None) -> str:
    try:
        text = to_python(to_formula(schedule, base), MATH)
    except MissingBaseError:
        raise
    except ScheduleError as error:
        raise make_unsupported_error(
            schedule, "torch", f"{str(error).rstrip('.')}; {_REMEDY}"
        ) from None
    return f"LambdaLR(optimizer, lambda t: {text})"


_REMEDY = "use lrlab.LRScheduler, which takes any schedule that needs no metric"


def _write_call(name: str, kwargs: dict[str, Any]) -> str:
    return format_call(name, "optimizer", **kwargs)


def _match_class(schedule: Schedule, base: float | None) -> Call | None:
    """Return the call of the torch class that equals ``schedule``, or None."""
    matcher = _CALL_MATCHERS.get(type(schedule))
    return matcher(schedule, base) if matcher else None


def _match_linear(s: Linear, base: float | None) -> Call | None:
    return _build_linear_call(s.start, s.end, s.over)


def _match_warmup(s: Warmup, base: float | None) -> Call | None:
    if s.curve != "linear" or isinstance(s.over, str) or s.over is None:
        return None
    if s.start is not None:
        return _build_linear_call(s.start, 1.0, s.over)
    call = _build_linear_call(1 / (s.over + 1), 1.0, s.over)
    if call is not None:
        call[1]["start_factor"] = f"1 / {to_whole_steps(s.over + 1)}"
    return call


def _build_linear_call(
    start: float | Absolute, end: float | Absolute, over: float | str | None
) -> Call | None:
    if isinstance(start, Absolute) or isinstance(end, Absolute) or to_whole_steps(over) is None:
        return None
    if not (0 < start <= 1 and 0 <= end <= 1):
        return None  # torch refuses these
    return "LinearLR", {
        "start_factor": start,
        "end_factor": end,
        "total_iters": to_whole_steps(over),
    }


def _match_cosine(s: Cosine, base: float | None) -> Call | None:
    if s.start != 1 or s.power != 1 or s.k != 1 or to_whole_steps(s.over) is None:
        return None
    return "CosineAnnealingLR", {
        "T_max": to_whole_steps(s.over),
        "eta_min": to_lr(s.end, base) or None,
    }


def _match_polynomial(s: Polynomial, base: float | None) -> Call | None:
    if s.start != 1 or s.end != 0 or s.k != 1 or to_whole_steps(s.over) is None:
        return None
    return "PolynomialLR", {"total_iters": to_whole_steps(s.over), "power": s.power}


def _match_exponential(s: Exponential, base: float | None) -> Call | None:
    assert not isinstance(s.every, str)
    return "ExponentialLR", {"gamma": s.gamma if s.every == 1 else s.gamma ** (1 / s.every)}


def _match_step(s: Step, base: float | None) -> Call | None:
    size = to_whole_steps(s.every)
    return None if size is None else ("StepLR", {"step_size": size, "gamma": s.gamma})


def _match_multi_step(s: MultiStep, base: float | None) -> Call | None:
    if any(at != 0 and to_whole_steps(at) is None for at in s.milestones):
        return None
    at = [int(float(step)) for step in s.milestones]
    return "MultiStepLR", {"milestones": at, "gamma": s.gamma}


def _match_cosine_restarts(s: Repeat, base: float | None) -> Call | None:
    inner = s.schedule
    if not isinstance(inner, Cosine) or s.times is not None or s.decay != 1:
        return None
    call, growth = _match_cosine(inner, base), to_whole_steps(s.growth)
    if call is None or growth is None:
        return None
    kwargs = {"T_0": call[1]["T_max"], "T_mult": growth, "eta_min": call[1]["eta_min"]}
    return "CosineAnnealingWarmRestarts", kwargs


_CALL_MATCHERS: Mapping[type[Schedule], Callable[[Any, float | None], Call | None]] = {
    Linear: _match_linear,
    Warmup: _match_warmup,
    Cosine: _match_cosine,
    Polynomial: _match_polynomial,
    Exponential: _match_exponential,
    Step: _match_step,
    MultiStep: _match_multi_step,
    Repeat: _match_cosine_restarts,
}
"""Functions that return torch's equal call, or None, by class of schedule."""

_CHAINABLE_CLASSES = ("LinearLR", "PolynomialLR", "ExponentialLR", "StepLR", "MultiStepLR")
