"""Schedulers between absolute rates, with a momentum that falls as the rate rises."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import floor
from typing import Any, Literal

from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.torch.arguments import choice, count, function, number, positive
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cosine, Custom, Exponential, Linear, Rate, Schedule
from lrlab.schedules.joins import Sequence

Phase = tuple[float, float, float]
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
    (Linear(Rate(0.01), Rate(0.1), over=4) >> Linear(Rate(0.1), Rate(0.01), over=4)).repeat()
    >>> CyclicLR(0.01, 0.1, step_size_up=4, mode="triangular2").lr([0, 4, 8, 12], base=1.0)
    array([0.01 , 0.1  , 0.01 , 0.055])
    """
    up = positive("CyclicLR: step_size_up", step_size_up)
    down = up if step_size_down is None else number("CyclicLR: step_size_down", step_size_down)
    if scale_fn is None:
        wave = choice("CyclicLR: mode", mode, _WAVES)(up, down, gamma)
    else:
        scale = function("CyclicLR: scale_fn", scale_fn)
        if scale_mode == "cycle":
            scale = Custom(_PerCycle(scale_fn, up + down))
        wave = _scaled(up, down, scale)
    rate = wave(number("CyclicLR: base_lr", base_lr), number("CyclicLR: max_lr", max_lr))
    if not cycle_momentum:
        return rate
    low = number("CyclicLR: base_momentum", base_momentum)
    # The momentum is highest where the rate is lowest.
    return LrAndMomentum(rate, wave(number("CyclicLR: max_momentum", max_momentum), low))


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
    Cosine(29, start=Rate(0.02), end=Rate(0.5)) >> Cosine(70, start=Rate(0.5), end=Rate(2e-06))
    """
    steps = _total(total_steps, epochs, steps_per_epoch)
    share = number("OneCycleLR: pct_start", pct_start)
    if not 0 <= share <= 1:
        raise ScheduleError(f"OneCycleLR: pct_start must be from 0 to 1, got {pct_start!r}.")
    ramp = choice("OneCycleLR: anneal_strategy", anneal_strategy, RAMPS)
    peak = number("OneCycleLR: max_lr", max_lr)
    first = peak / positive("OneCycleLR: div_factor", div_factor)
    last = first / positive("OneCycleLR: final_div_factor", final_div_factor)
    low = number("OneCycleLR: base_momentum", base_momentum)
    high = number("OneCycleLR: max_momentum", max_momentum)
    if three_phase:
        ends = [share * steps - 1, 2 * share * steps - 2, steps - 1]
        rates, momenta = [first, peak, first, last], [high, low, high, high]
    else:
        ends = [share * steps - 1, steps - 1]
        rates, momenta = [first, peak, last], [high, low, high]
    lr = phases(zip(ends, rates, rates[1:], strict=False), steps, ramp)
    if not cycle_momentum:
        return lr
    return LrAndMomentum(lr, phases(zip(ends, momenta, momenta[1:], strict=False), steps, ramp))


RAMPS: dict[str, Callable[[Rate, Rate, float], Schedule]] = {
    "cos": lambda start, end, over: Cosine(over, start=start, end=end),
    "linear": lambda start, end, over: Linear(start, end, over=over),
}
"""torch's names of one-cycle's annealing strategies, and the ramps that they are."""


def phases(
    planned: Iterable[Phase], steps: int, ramp: Callable[[Rate, Rate, float], Schedule]
) -> Schedule:
    """Ramps from phase to phase, as far as they lie in the first ``steps`` steps.

    torch takes a phase whose end lies before its start, or before the training, for one that has
    passed, and goes on from there; so a phase may begin in the middle.
    """
    parts: list[Schedule] = []
    begin, last = 0.0, steps - 1
    for end, first, final in planned:
        # The one step of a training of one step lies at an end.
        if end > max(begin, 0.0) or (end == last == 0 and begin < 0):
            over = end - begin
            part = ramp(Rate(first), Rate(final), over)
            if first == final:
                part = Constant(Rate(first), over=over)
            if begin < 0:
                part = part.shift(begin)
            if begin < last or not parts:
                parts.append(part.until(last - begin) if end > last else part)
        begin = end
    if not parts:
        raise ScheduleError(
            f"OneCycleLR: total_steps={steps} leaves no step for any phase: it needs more steps."
        )
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _total(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
    if total_steps is not None:
        return count("OneCycleLR: total_steps", total_steps)
    if epochs is None or steps_per_epoch is None:
        raise ScheduleError(
            "OneCycleLR: total_steps must be given, or epochs and steps_per_epoch, got "
            f"epochs={epochs!r} and steps_per_epoch={steps_per_epoch!r}."
        )
    return count("OneCycleLR: epochs", epochs) * count(
        "OneCycleLR: steps_per_epoch", steps_per_epoch
    )


Wave = Callable[[float, float], Schedule]
"""Triangles, given the values at their feet and peaks."""


def _triangle(low: float | Rate, high: Rate, up: float, down: float) -> Schedule:
    return Linear(low, high, over=up) >> Linear(high, low, over=down)


def _equal(up: float, down: float, gamma: float) -> Wave:
    return lambda low, high: _triangle(Rate(low), Rate(high), up, down).repeat()


def _halved(up: float, down: float, gamma: float) -> Wave:
    unit = _triangle(0.0, Rate(1.0), up, down).repeat(decay=0.5)
    return lambda low, high: unit.affine(high - low, Rate(low))


def _scaled(up: float, down: float, scale: Schedule) -> Wave:
    unit = _triangle(0.0, Rate(1.0), up, down).repeat() * scale
    return lambda low, high: unit.affine(high - low, Rate(low))


_WAVES: dict[str, Callable[[float, float, float], Wave]] = {
    "triangular": _equal,
    "triangular2": _halved,
    "exp_range": lambda up, down, gamma: _scaled(up, down, Exponential(gamma)),
}
"""torch's names of modes, and the waves that they are."""


@dataclass(frozen=True)
class _PerCycle:
    """A function of the number of the cycle, from 1, as a function of the step."""

    scale: Callable[[float], float]
    size: float

    def __call__(self, t: float) -> float:
        return self.scale(floor(1 + t / self.size))
