"""Schedulers between absolute rates, with a momentum that falls as the rate rises."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

from lrlab.dialects.arguments import Fraction, check_count, check_choice, check_argument
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.parts import ANNEAL_RAMPS, Level
from lrlab.dialects.torch.arguments import _check_scalar, _check_positive_scalar
from lrlab.dialects.waves import TRIANGLES_BY_MODE, build_function_scaled_triangles
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Absolute, Schedule
from lrlab.schedules.joins import Sequential

_OneCyclePhase = tuple[float, float, float]
"""The step at which a phase ends, and the values at its start and end."""


def CyclicLR(
    base_lr: float,
    max_lr: float,
    step_size_up: int = 2000,
    step_size_down: int | None = None,
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular",
    gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: Literal["cycle", "iterations"] = "cycle",
    cycle_momentum: bool = True,
    base_momentum: float = 0.8,
    max_momentum: float = 0.9,
) -> Schedule | LrAndMomentum:
    """Lines up and down between two absolute rates, again and again.

    >>> CyclicLR(0.01, 0.1, step_size_up=4, cycle_momentum=False)
    (Linear(Absolute(0.01), Absolute(0.1), over=4) >> Linear(Absolute(0.1), Absolute(0.01), over=4)).repeat()
    >>> CyclicLR(0.01, 0.1, step_size_up=4, mode="triangular2").lr([0, 4, 8, 12], base=1.0)
    array([0.01 , 0.1  , 0.01 , 0.055])
    """
    up = _check_positive_scalar("CyclicLR", step_size_up=step_size_up)
    down = up if step_size_down is None else _check_scalar("CyclicLR", step_size_down=step_size_down)
    if scale_fn is None:
        build_triangles = TRIANGLES_BY_MODE[check_choice("CyclicLR", *TRIANGLES_BY_MODE, mode=mode)](up, down, gamma)
    else:
        build_triangles = build_function_scaled_triangles("CyclicLR", up, down, scale_fn, scale_mode)
    rate = build_triangles(_check_scalar("CyclicLR", base_lr=base_lr), _check_scalar("CyclicLR", max_lr=max_lr))
    if not cycle_momentum:
        return rate
    low = _check_scalar("CyclicLR", base_momentum=base_momentum)
    # The momentum is highest where the rate is lowest.
    return LrAndMomentum(rate, build_triangles(_check_scalar("CyclicLR", max_momentum=max_momentum), low))


def OneCycleLR(
    max_lr: float,
    total_steps: int | None = None,
    epochs: int | None = None,
    steps_per_epoch: int | None = None,
    pct_start: float = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    cycle_momentum: bool = True,
    base_momentum: float = 0.85,
    max_momentum: float = 0.95,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
    three_phase: bool = False,
) -> Schedule | LrAndMomentum:
    """Up from ``max_lr / div_factor``, and down to that over ``final_div_factor``; all absolute.

    The first phase ends at step ``pct_start * total_steps - 1``, which may be a fraction, the last
    one at ``total_steps - 1``, where this stays.

    >>> OneCycleLR(0.5, total_steps=100, cycle_momentum=False)
    Cosine(29, start=Absolute(0.02), end=Absolute(0.5)) >> Cosine(70, start=Absolute(0.5), end=Absolute(2e-06))
    """
    steps = _count_total_steps(total_steps, epochs, steps_per_epoch)
    fraction = check_argument("OneCycleLR", Fraction, pct_start=pct_start)
    ramp = ANNEAL_RAMPS[check_choice("OneCycleLR", *ANNEAL_RAMPS, anneal_strategy=anneal_strategy)]
    peak = _check_scalar("OneCycleLR", max_lr=max_lr)
    first = peak / _check_positive_scalar("OneCycleLR", div_factor=div_factor)
    last = first / _check_positive_scalar("OneCycleLR", final_div_factor=final_div_factor)
    low = _check_scalar("OneCycleLR", base_momentum=base_momentum)
    high = _check_scalar("OneCycleLR", max_momentum=max_momentum)
    if three_phase:
        ends = [fraction * steps - 1, 2 * fraction * steps - 2, steps - 1]
        rates, momenta = [first, peak, first, last], [high, low, high, high]
    else:
        ends = [fraction * steps - 1, steps - 1]
        rates, momenta = [first, peak, last], [high, low, high]
    lr = _build_phases(zip(ends, rates, rates[1:], strict=False), steps, ramp)
    if not cycle_momentum:
        return lr
    return LrAndMomentum(lr, _build_phases(zip(ends, momenta, momenta[1:], strict=False), steps, ramp))


def _build_phases(
    phases: Iterable[_OneCyclePhase], total_steps: int, ramp: Callable[[Level, Level, float], Schedule]
) -> Schedule:
    """Ramps from phase to phase, as far as they lie in the first ``total_steps`` steps.

    torch takes a phase whose end lies before its start, or before the training, for one that has
    passed, and goes on from there; so a phase may begin in the middle.
    """
    parts: list[Schedule] = []
    begin, last = 0.0, total_steps - 1
    for end, first, final in phases:
        # The one step of a training of one step lies at an end.
        if end > max(begin, 0.0) or (end == last == 0 and begin < 0):
            over = end - begin
            part = ramp(Absolute(first), Absolute(final), over)
            if first == final:
                part = Constant(Absolute(first), over=over)
            if begin < 0:
                part = part.shift(begin)
            if begin < last or not parts:
                parts.append(part.until(last - begin) if end > last else part)
        begin = end
    if not parts:
        raise ScheduleError(
            f"OneCycleLR: total_steps={total_steps} leaves no step for any phase: it needs more steps."
        )
    return parts[0] if len(parts) == 1 else Sequential(tuple(parts))


def _count_total_steps(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return check_count("OneCycleLR", minimum=1, total_steps=total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError(
            "OneCycleLR: total_steps must be given, or epochs and steps_per_epoch, got "
            f"epochs={epochs!r} and steps_per_epoch={steps_per_epoch!r}."
        )
    return check_count("OneCycleLR", minimum=1, epochs=epochs) * check_count(
        "OneCycleLR", minimum=1, steps_per_epoch=steps_per_epoch
    )
