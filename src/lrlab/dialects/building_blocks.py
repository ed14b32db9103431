"""Building blocks of several dialects: LrAndMomentum, annealing ramps, ``truncate``, triangles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

from lrlab.dialects.arguments import check_function, to_absolute
from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Cosine, Custom, Exponential, Linear, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.fields import Level


class LrAndMomentum(NamedTuple):
    """The schedules of learning rate and momentum; in a text, only that of the learning rate."""

    lr: Schedule
    momentum: Schedule


ANNEAL_RAMPS: Mapping[str, Callable[[Level, Level, float], Schedule]] = {
    "cos": lambda start, end, over: Cosine(over, start=start, end=end),
    "linear": lambda start, end, over: Linear(start, end, over=over),
}
"""The ramps of one-cycle schedules by ``anneal_strategy``."""


def truncate(schedule: Schedule, at: float) -> Schedule:
    """Return ``schedule`` up to step ``at``; unchanged if it ends there.

    >>> truncate(Cosine(10), 10), truncate(Cosine(10), 5)
    (Cosine(10), Cosine(10).until(5))
    """
    try:
        ends_there = schedule.compute_length(Horizon()) == at
    except ScheduleError:  # its length needs a horizon
        ends_there = False
    return schedule if ends_there else schedule.until(at)


TriangleBuilder = Callable[[float, float], Schedule]
"""Builds repeated triangles from the absolute values at their feet and at their peaks."""


def build_equal_triangles(up: float, down: float) -> TriangleBuilder:
    """Return a builder of triangles that all have the same height.

    >>> build_equal_triangles(4, 4)(0.0, 0.5)
    (Linear(0.0, Absolute(0.5), over=4) >> Linear(Absolute(0.5), 0.0, over=4)).repeat()
    """
    return lambda low, high: _build_triangle(to_absolute(low), to_absolute(high), up, down).repeat()


def build_halving_triangles(up: float, down: float) -> TriangleBuilder:
    """Return a builder of triangles, each half as high as the one before."""
    return _raise_to_low(lambda high: _build_triangle(0.0, high, up, down).repeat(decay=0.5))


def build_scaled_triangles(up: float, down: float, scale: Schedule) -> TriangleBuilder:
    """Return a builder of triangles whose height is multiplied by the schedule ``scale``."""
    return _raise_to_low(lambda high: _build_triangle(0.0, high, up, down).repeat() * scale)


TRIANGLES_BY_MODE: Mapping[str, Callable[[float, float, float], TriangleBuilder]] = {
    "triangular": lambda up, down, gamma: build_equal_triangles(up, down),
    "triangular2": lambda up, down, gamma: build_halving_triangles(up, down),
    "exp_range": lambda up, down, gamma: build_scaled_triangles(up, down, Exponential(gamma)),
}
"""Makers of triangle builders by the ``mode`` of a cyclic schedule, given up, down and gamma."""


def build_function_scaled_triangles(
    func_name: str, up: float, down: float, scale_fn: Any, scale_mode: str
) -> TriangleBuilder:
    """Return a builder of triangles whose height ``scale_fn`` multiplies.

    Args:
        func_name: name of the function in the error.
        up, down: steps of the two sides.
        scale_fn: function of the cycle's number, from 1, or of the step.
        scale_mode: "cycle" for the cycle's number, anything else for the step.

    Raises:
        ScheduleError: ``scale_fn`` is not a function.
    """
    scale = check_function(func_name, scale_fn=scale_fn)
    if scale_mode == "cycle":
        scale = Custom(_CycleScale(scale_fn, up + down))
    return build_scaled_triangles(up, down, scale)


@dataclass(frozen=True)
class _CycleScale:
    """A function of the cycle's number, from 1, as a function of the step."""

    scale_fn: Callable[[float], float]
    cycle_size: float

    def __call__(self, t: float) -> float:
        return self.scale_fn(floor(1 + t / self.cycle_size))


def _raise_to_low(build_from_zero: Callable[[Level], Schedule]) -> TriangleBuilder:
    """Turn a builder of triangles from 0 into one from ``low``, which may exceed ``high``."""

    def build(low: float, high: float) -> Schedule:
        if low == 0:
            return build_from_zero(to_absolute(high))
        return build_from_zero(Absolute(1.0)).affine(high - low, Absolute(low))

    return build


def _build_triangle(low: Level, high: Level, up: float, down: float) -> Schedule:
    return Linear(low, high, over=up) >> Linear(high, low, over=down)
