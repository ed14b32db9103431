"""Programs for torch: its own classes where they say the same, else a ``LambdaLR`` of a formula."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.code.formulas import formula
from lrlab.dialects.code.parts import call, rate_of, refusal, spread, whole
from lrlab.dialects.code.python import MATH, source
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    MultiStep,
    Plateau,
    Polynomial,
    Product,
    Rate,
    Repeat,
    Schedule,
    Sequence,
    Step,
    Until,
    Warmup,
)
from lrlab.schedules.durations import Horizon

Call = tuple[str, dict[str, Any]]
"""The name of one of torch's classes and its arguments after the optimizer."""

OURS = "put it on the optimizer with lrlab.LRScheduler, which takes any that reads no metric"


def program(schedule: Schedule, base: float | None) -> str:
    """The program that puts ``schedule`` on an optimizer with torch's own classes."""
    text = _plateau(schedule, base) if isinstance(schedule, Plateau) else _text(schedule, base)
    names = sorted(set(re.findall(r"\w+(?=\(optimizer|\(\n)", text)))
    imports = ["import math", ""] if "math." in text else []
    imports.append(f"from torch.optim.lr_scheduler import {', '.join(names)}")
    climbs = "CosineAnnealingLR(" in text
    notes = ["# Past its end, torch's cosine climbs again."] if climbs else []
    return "\n".join([*imports, "", *notes, f"scheduler = {text}", ""])


def _text(schedule: Schedule, base: float | None, nested: bool = False) -> str:
    """The call that makes the scheduler; ``nested`` where it is one of a sequence."""
    # torch steps a sequence or chain within a sequence wrongly.
    if isinstance(schedule, Sequence) and not nested:
        found = _sequence(schedule, base)
        if found is not None:
            return found
    if isinstance(schedule, Product) and not nested:
        calls = [_native(child, base) for child in schedule.schedules]
        if all(found and found[0] in _MULTIPLYING for found in calls):
            items = [_called(*found) for found in calls if found]
            return spread("ChainedScheduler", (), items, "optimizer=optimizer")
    found_call = _native(schedule, base)
    return _lambda(schedule, base) if found_call is None else _called(*found_call)


def _lambda(schedule: Schedule, base: float | None) -> str:
    try:
        text = source(formula(schedule, base), MATH)
    except ScheduleError as error:
        if "write: base" in str(error):
            raise
        raise refusal(schedule, "torch", f"{str(error).rstrip('.')}; {OURS}") from None
    return f"LambdaLR(optimizer, lambda t: {text})"


def _sequence(schedule: Sequence, base: float | None) -> str | None:
    parts = [part for part in schedule.schedules[:-1] if part.length(Horizon()) > 0]
    last = schedule.schedules[-1]
    if not parts:
        return _text(last, base, nested=True)
    if len(parts) == 1 and last == Constant(1.0):
        found = _followed(parts[0])
        if found is not None:
            return _called(*found)
    milestones, at = [], 0.0
    for part in parts:
        at += part.length(Horizon())
        milestones.append(whole(at))
    if None in milestones:
        return None  # torch changes over at whole steps only
    items = []
    for part in parts:
        cut = part.schedule if isinstance(part, Until) else part
        constant = _followed(part)
        items.append(_called(*constant) if constant else _text(cut, base, nested=True))
    items.append(_text(last, base, nested=True))
    return spread("SequentialLR", ["optimizer"], items, f"milestones={milestones}")


def _followed(part: Schedule) -> Call | None:
    """A constant that something follows."""
    if not isinstance(part, Constant) or isinstance(part.level, Rate) or whole(part.over) is None:
        return None
    if not 0 < part.level <= 1:
        return None
    return "ConstantLR", {"factor": part.level, "total_iters": whole(part.over)}


def _native(schedule: Schedule, base: float | None) -> Call | None:
    """Torch's class that says the same, if there is one."""
    writer = _CLASSES_OF.get(type(schedule))
    return writer(schedule, base) if writer else None


def _called(name: str, words: dict[str, Any]) -> str:
    return call(name, "optimizer", **words)


def _linear(s: Linear, base: float | None) -> Call | None:
    return _line(s.start, s.end, s.over)


def _warmup(s: Warmup, base: float | None) -> Call | None:
    if s.curve != "linear" or isinstance(s.over, str) or s.over is None:
        return None
    if s.start is not None:
        return _line(s.start, 1.0, s.over)
    found = _line(1 / (s.over + 1), 1.0, s.over)
    if found is not None:
        found[1]["start_factor"] = f"1 / {whole(s.over + 1)}"
    return found


def _line(start: float | Rate, end: float | Rate, over: float | str | None) -> Call | None:
    if isinstance(start, Rate) or isinstance(end, Rate) or whole(over) is None:
        return None
    if not (0 < start <= 1 and 0 <= end <= 1):
        return None  # torch refuses these
    return "LinearLR", {"start_factor": start, "end_factor": end, "total_iters": whole(over)}


def _cosine(s: Cosine, base: float | None) -> Call | None:
    if s.start != 1 or s.power != 1 or s.k != 1 or whole(s.over) is None:
        return None
    return "CosineAnnealingLR", {"T_max": whole(s.over), "eta_min": rate_of(s.end, base) or None}


def _polynomial(s: Polynomial, base: float | None) -> Call | None:
    if s.start != 1 or s.end != 0 or s.k != 1 or whole(s.over) is None:
        return None
    return "PolynomialLR", {"total_iters": whole(s.over), "power": s.power}


def _exponential(s: Exponential, base: float | None) -> Call | None:
    assert not isinstance(s.every, str)
    return "ExponentialLR", {"gamma": s.gamma if s.every == 1 else s.gamma ** (1 / s.every)}


def _step(s: Step, base: float | None) -> Call | None:
    size = whole(s.every)
    return None if size is None else ("StepLR", {"step_size": size, "gamma": s.gamma})


def _multi_step(s: MultiStep, base: float | None) -> Call | None:
    if any(at != 0 and whole(at) is None for at in s.milestones):
        return None
    at = [int(float(step)) for step in s.milestones]
    return "MultiStepLR", {"milestones": at, "gamma": s.gamma}


def _restarts(s: Repeat, base: float | None) -> Call | None:
    inner = s.schedule
    if not isinstance(inner, Cosine) or s.times is not None or s.decay != 1:
        return None
    found, growth = _cosine(inner, base), whole(s.growth)
    if found is None or growth is None:
        return None
    words = {"T_0": found[1]["T_max"], "T_mult": growth, "eta_min": found[1]["eta_min"]}
    return "CosineAnnealingWarmRestarts", words


def _plateau(s: Plateau, base: float | None) -> str:
    words = {
        "mode": repr(s.mode),
        "factor": s.factor,
        "patience": max(1, s.patience) - 1 if s.at_patience else s.patience,
        "threshold": s.threshold,
        "threshold_mode": repr(s.threshold_mode),
        "cooldown": s.cooldown,
        "min_lr": rate_of(s.low, base),
        "eps": rate_of(s.eps, base),
    }
    return _called("ReduceLROnPlateau", words)


_MULTIPLYING = ("LinearLR", "PolynomialLR", "ExponentialLR", "StepLR", "MultiStepLR")
_CLASSES_OF: Mapping[type[Schedule], Callable[[Any, float | None], Call | None]] = {
    Linear: _linear,
    Warmup: _warmup,
    Cosine: _cosine,
    Polynomial: _polynomial,
    Exponential: _exponential,
    Step: _step,
    MultiStep: _multi_step,
    Repeat: _restarts,
}
"""Which class of torch's says the same as a shape, where its arguments allow it."""
