"""What can be said of one schedule: numbers, when its parts begin, and which steps to draw."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab.schedules import Affine, Clip, Continued, Product, Schedule, Sequence, Sum, Until
from lrlab.schedules.base import Array
from lrlab.schedules.durations import Horizon


@dataclass(frozen=True)
class Numbers:
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

    step: int
    schedule: Schedule


def numbers_of(rates: Array) -> Numbers:
    """The numbers of a schedule with these rates."""
    peak = _first_highest(rates, rates)
    area = float(rates.sum())
    changes = np.diff(rates)
    jump, jump_step = None, None
    if changes.any():
        at = _first_highest(np.abs(changes), rates)
        jump, jump_step = float(changes[at]), at + 1
    return Numbers(
        first=float(rates[0]),
        peak=float(rates[peak]),
        peak_step=peak,
        last=float(rates[-1]),
        area=area,
        mean=area / len(rates),
        jump=jump,
        jump_step=jump_step,
    )


def _first_highest(values: Array, rates: Array) -> int:
    """Where ``values`` are highest; of those that differ in their last bits only, the first."""
    slack = 4 * float(np.spacing(rates.max()))
    return int(np.argmax(values >= values.max() - slack))


def parts_of(schedule: Schedule, steps: int) -> tuple[Part, ...]:
    """The parts of a bound schedule that begin within so many steps; none where it is one."""
    begun = ((start, part) for start, part in _parts(schedule) if start < steps)
    return tuple(Part(math.ceil(start), part) for start, part in begun)


def _parts(schedule: Schedule) -> Iterator[tuple[float, Schedule]]:
    """Where each part of a sequence starts; also of one that is multiplied, bounded or moved."""
    match schedule:
        case Sequence():
            for start, part in zip(schedule.starts.tolist(), schedule.schedules, strict=True):
                yield from _inside(part, start)
        case Continued():
            yield from _inside(schedule.first, 0.0)
            yield from _inside(schedule.second, schedule.first.length(Horizon()))
        case Product() | Sum() | Clip() | Affine():
            for child in schedule.children():
                yield from _parts(child)
        case Until():
            end = schedule.length(Horizon())
            yield from (one for one in _parts(schedule.schedule) if one[0] < end)


def _inside(part: Schedule, start: float) -> Iterator[tuple[float, Schedule]]:
    """A part, or its own parts where nothing but their order makes it."""
    made_of_parts = isinstance(part, Sequence | Continued | Until)
    own = list(_parts(part)) if made_of_parts else []
    yield from [(start + at, inner) for at, inner in own] or [(start, part)]


def kept(rates: Array, buckets: int = 1500) -> NDArray[np.int64]:
    """The steps to draw where there are more than eyes can tell apart, in order.

    Of each bucket of neighbours its first and last step and those of its lowest and highest rate,
    so that what is drawn is true and no spike gets lost.

    >>> kept(np.array([0, 0, 0, 9, 0, 0, 0, 0]), buckets=1).tolist()
    [0, 3, 7]
    """
    if len(rates) <= 4 * buckets:
        return np.arange(len(rates))
    edges = np.arange(buckets + 1) * len(rates) // buckets
    chosen = {0}
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = rates[low:high]
        chosen |= {low, high - 1, low + int(part.argmin()), low + int(part.argmax())}
    return np.array(sorted(chosen))
