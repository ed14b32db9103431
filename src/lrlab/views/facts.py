"""What can be said of one schedule: numbers, when its parts begin, and which steps to draw."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab.schedules import Affine, Clip, Continued, Product, Schedule, Sequential, Sum, Until
from lrlab.schedules.base import Array
from lrlab.schedules.durations import Horizon


@dataclass(frozen=True)
class RateSummary:
    """What one schedule comes to, over all steps and not only over those drawn.

    Args:
        first: the rate of step 0.
        peak: the highest rate, and ``peak_step`` the first step that has it.
        last: the last rate used, that of step N - 1.
        area: the sum of all rates.
        mean: the area divided by N.
        jump: the largest change from one step to the next, with its sign, and ``jump_step`` the
            step at which it acts; None where there is no change.
    """

    first: float
    peak: float
    peak_step: int
    last: float
    area: float
    mean: float
    jump: float | None
    jump_step: int | None


@dataclass(frozen=True)
class Part:
    """A part of a sequence and the first step it rules."""

    start_step: int
    schedule: Schedule


def summarize_rates(rates: Array) -> RateSummary:
    """The numbers of a schedule with these rates."""
    peak = _find_first_maximum(rates, rates)
    area = float(rates.sum())
    changes = np.diff(rates)
    jump, jump_step = None, None
    if changes.any():
        at = _find_first_maximum(np.abs(changes), rates)
        jump, jump_step = float(changes[at]), at + 1
    return RateSummary(
        first=float(rates[0]),
        peak=float(rates[peak]),
        peak_step=peak,
        last=float(rates[-1]),
        area=area,
        mean=area / len(rates),
        jump=jump,
        jump_step=jump_step,
    )


def _find_first_maximum(values: Array, rates: Array) -> int:
    """Where ``values`` are highest; of those that differ in their last bits only, the first."""
    slack = 4 * float(np.spacing(rates.max()))
    return int(np.argmax(values >= values.max() - slack))


def find_parts(schedule: Schedule, total_steps: int) -> tuple[Part, ...]:
    """The parts of a bound schedule that begin within so many steps; none where it is one."""
    started_parts = ((start, part) for start, part in _iterate_parts(schedule) if start < total_steps)
    return tuple(Part(math.ceil(start), part) for start, part in started_parts)


def _iterate_parts(schedule: Schedule) -> Iterator[tuple[float, Schedule]]:
    """Where each part of a sequence starts; also of one that is multiplied, bounded or moved."""
    match schedule:
        case Sequential():
            for start, part in zip(schedule.starts.tolist(), schedule.schedules, strict=True):
                yield from _iterate_inner_parts(part, start)
        case Continued():
            yield from _iterate_inner_parts(schedule.first, 0.0)
            yield from _iterate_inner_parts(schedule.second, schedule.first.compute_length(Horizon()))
        case Product() | Sum() | Clip() | Affine():
            for child in schedule.children():
                yield from _iterate_parts(child)
        case Until():
            end = schedule.compute_length(Horizon())
            yield from (one for one in _iterate_parts(schedule.schedule) if one[0] < end)


def _iterate_inner_parts(part: Schedule, start: float) -> Iterator[tuple[float, Schedule]]:
    """A part, or its own parts where nothing but their order makes it."""
    has_parts = isinstance(part, Sequential | Continued | Until)
    inner_parts = list(_iterate_parts(part)) if has_parts else []
    yield from [(start + at, inner) for at, inner in inner_parts] or [(start, part)]


def select_steps_to_draw(rates: Array, buckets: int = 1500) -> NDArray[np.int64]:
    """The steps to draw where there are more than eyes can tell apart, in order.

    Of each bucket of neighbours its first and last step and those of its lowest and highest rate,
    so that what is drawn is true and no spike gets lost.

    >>> select_steps_to_draw(np.array([0, 0, 0, 9, 0, 0, 0, 0]), buckets=1).tolist()
    [0, 3, 7]
    """
    if len(rates) <= 4 * buckets:
        return np.arange(len(rates))
    edges = np.arange(buckets + 1) * len(rates) // buckets
    selected = {0}
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = rates[low:high]
        selected |= {low, high - 1, low + int(part.argmin()), low + int(part.argmax())}
    return np.array(sorted(selected))
