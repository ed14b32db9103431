"""Programs for keras: a schedule that one of its classes is, and no other."""

from collections.abc import Callable, Mapping
from typing import Any

from lrlab.dialects.code.parts import call, rate_of, refusal, round_off, whole
from lrlab.schedules import (
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    Piecewise,
    Polynomial,
    Repeat,
    Schedule,
    Sequence,
    Staircase,
    Step,
    Warmup,
)

Call = tuple[str, dict[str, Any]]
"""The name of one of the classes and its arguments."""

INSTEAD = (
    "its schedules are Cosine (after a linear Warmup too), its repetition, Linear, Polynomial, "
    "Exponential, Step, MultiStep, Piecewise and InverseTime; write a LearningRateSchedule of your "
    "own around a formula"
)


def program(schedule: Schedule, base: float | None) -> str:
    """The program that makes ``schedule`` out of one of keras' classes, in absolute rates."""
    writer = _CLASSES_OF.get(type(schedule))
    found = writer(schedule, base) if writer else None
    if found is None:
        raise refusal(schedule, "keras", INSTEAD)
    name, words = found
    return f"import keras\n\nschedule = {call(f'keras.optimizers.schedules.{name}', **words)}\n"


def _line(s: Linear, base: float | None) -> Call | None:
    if not s.over:
        return None
    return "PolynomialDecay", _ends(s, base) | {"power": 1.0}


def _ends(s: Any, base: float | None) -> dict[str, Any]:
    return {
        "initial_learning_rate": rate_of(s.start, base),
        "decay_steps": s.over,
        "end_learning_rate": rate_of(s.end, base),
    }


def _polynomial(s: Polynomial, base: float | None) -> Call | None:
    if not s.over or s.k != 1:
        return None
    return "PolynomialDecay", _ends(s, base) | {"power": s.power}


def _cosine(s: Cosine, base: float | None) -> Call | None:
    start, end = rate_of(s.start, base), rate_of(s.end, base)
    if not s.over or not start or s.power != 1 or s.k != 1:
        return None
    words = {
        "initial_learning_rate": start,
        "decay_steps": s.over,
        "alpha": round_off(end / start) or None,
    }
    return "CosineDecay", words


def _warm_cosine(s: Sequence, base: float | None) -> Call | None:
    first, last = s.schedules[0], s.schedules[-1]
    if len(s.schedules) > 2 or not isinstance(first, Warmup) or not isinstance(last, Cosine):
        return None
    found = _cosine(last, base)
    if found is None or last.start != 1 or first.curve != "linear" or not first.over:
        return None
    assert not isinstance(first.over, str)
    start = 1 / (first.over + 1) if first.start is None else first.start
    words = found[1] | {
        "initial_learning_rate": rate_of(start, base),
        "warmup_target": rate_of(1.0, base),
        "warmup_steps": first.over,
    }
    return "CosineDecay", words


def _restarts(s: Repeat, base: float | None) -> Call | None:
    inner = s.schedule
    found = _cosine(inner, base) if isinstance(inner, Cosine) else None
    if found is None or s.times is not None or (s.decay != 1 and found[1]["alpha"]):
        return None
    words = found[1]
    words["first_decay_steps"] = words.pop("decay_steps")
    return "CosineDecayRestarts", words | {"t_mul": s.growth, "m_mul": s.decay}


def _exponential(s: Exponential, base: float | None) -> Call | None:
    words = {"decay_steps": s.every, "decay_rate": s.gamma}
    return "ExponentialDecay", {"initial_learning_rate": rate_of(1.0, base)} | words


def _step(s: Step, base: float | None) -> Call | None:
    words = {"decay_steps": s.every, "decay_rate": s.gamma, "staircase": True}
    return "ExponentialDecay", {"initial_learning_rate": rate_of(1.0, base)} | words


def _inverse_time(s: InverseTime, base: float | None) -> Call | None:
    words = {"decay_steps": s.every, "decay_rate": s.alpha}
    return "InverseTimeDecay", {"initial_learning_rate": rate_of(1.0, base)} | words


def _inverse_stairs(s: Staircase, base: float | None) -> Call | None:
    inner = s.schedule
    if not isinstance(inner, InverseTime) or inner.every != s.every:
        return None
    name, words = _inverse_time(inner, base) or ("", {})
    return name, words | {"staircase": True}


def _multi_step(s: MultiStep, base: float | None) -> Call | None:
    rate = rate_of(1.0, base)
    return _pieces(s.milestones, [rate * s.gamma**i for i in range(len(s.milestones) + 1)])


def _piecewise(s: Piecewise, base: float | None) -> Call | None:
    return _pieces(s.at, [rate_of(level, base) for level in s.levels])


def _pieces(at: Any, rates: list[float]) -> Call | None:
    steps = [whole(step) for step in at]
    if None in steps or len(set(steps)) < len(steps):
        return None
    # keras changes the rate after the step of a boundary.
    boundaries = [step - 1 for step in steps if step]
    return "PiecewiseConstantDecay", {"boundaries": boundaries, "values": rates}


_CLASSES_OF: Mapping[type[Schedule], Callable[[Any, float | None], Call | None]] = {
    Linear: _line,
    Polynomial: _polynomial,
    Cosine: _cosine,
    Sequence: _warm_cosine,
    Repeat: _restarts,
    Exponential: _exponential,
    Step: _step,
    InverseTime: _inverse_time,
    Staircase: _inverse_stairs,
    MultiStep: _multi_step,
    Piecewise: _piecewise,
}
"""Which class of keras' a shape is, where its arguments allow it."""
