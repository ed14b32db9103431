"""What a function returns whose library schedules the momentum together with the rate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

from lrlab.dialects.arguments import check_function
from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Cosine, Custom, Exponential, Linear, Schedule
from lrlab.schedules.durations import Horizon


class LrAndMomentum(NamedTuple):
    """Two schedules of one training, each for its own hyperparameter; in a text, the rate's."""

    lr: Schedule
    momentum: Schedule


Level = float | Absolute

ANNEAL_RAMPS: Mapping[str, Callable[[Level, Level, float], Schedule]] = {
    "cos": lambda start, end, over: Cosine(over, start=start, end=end),
    "linear": lambda start, end, over: Linear(start, end, over=over),
}
"""The ramps of a one-cycle schedule by the names of ``anneal_strategy``."""


def truncate(schedule: Schedule, at: float) -> Schedule:
    """``schedule``, ending after ``at`` steps; as it is where it does so by itself.

    >>> truncate(Cosine(10), 10), truncate(Cosine(10), 5)
    (Cosine(10), Cosine(10).until(5))
    """
    try:
        ends_there = schedule.compute_length(Horizon()) == at
    except ScheduleError:  # it is measured by a horizon yet unknown
        ends_there = False
    return schedule if ends_there else schedule.until(at)


TriangleBuilder = Callable[[float, float], Schedule]
"""Triangles, given the absolute values at their feet and peaks."""


def build_equal_triangles(up: float, down: float) -> TriangleBuilder:
    """Triangles of one height.

    >>> build_equal_triangles(4, 4)(0.0, 0.5)
    (Linear(0.0, Absolute(0.5), over=4) >> Linear(Absolute(0.5), 0.0, over=4)).repeat()
    """
    return lambda low, high: _build_triangle(_to_level(low), _to_level(high), up, down).repeat()


def build_halving_triangles(up: float, down: float) -> TriangleBuilder:
    """Triangles each half as high as the one before."""
    return _raise_to_low(lambda high: _build_triangle(0.0, high, up, down).repeat(decay=0.5))


def build_scaled_triangles(up: float, down: float, scale: Schedule) -> TriangleBuilder:
    """Triangles whose heights are multiplied by a schedule."""
    return _raise_to_low(lambda high: _build_triangle(0.0, high, up, down).repeat() * scale)


TRIANGLES_BY_MODE: Mapping[str, Callable[[float, float, float], TriangleBuilder]] = {
    "triangular": lambda up, down, gamma: build_equal_triangles(up, down),
    "triangular2": lambda up, down, gamma: build_halving_triangles(up, down),
    "exp_range": lambda up, down, gamma: build_scaled_triangles(up, down, Exponential(gamma)),
}
"""The waves of a cyclic schedule by the names of ``mode``, of ups, downs and gamma."""


def build_function_scaled_triangles(
    func_name: str, up: float, down: float, scale_fn: Any, scale_mode: str
) -> TriangleBuilder:
    """Triangles whose heights ``scale_fn`` scales: by the number of the cycle, from 1, or by t.

    Raises:
        ScheduleError: ``scale_fn``, an argument of ``func_name``, is no function.
    """
    scale = check_function(func_name, scale_fn=scale_fn)
    if scale_mode == "cycle":
        scale = Custom(_CycleScale(scale_fn, up + down))
    return build_scaled_triangles(up, down, scale)


@dataclass(frozen=True)
class _CycleScale:
    """A function of the number of the cycle, from 1, as a function of the step."""

    scale_fn: Callable[[float], float]
    cycle_size: float

    def __call__(self, t: float) -> float:
        return self.scale_fn(floor(1 + t / self.cycle_size))


def _raise_to_low(build_from_zero: Callable[[Level], Schedule]) -> TriangleBuilder:
    """What rises from 0 to a height, from ``low`` to ``high``, which may be the lower."""

    def build(low: float, high: float) -> Schedule:
        if low == 0:
            return build_from_zero(_to_level(high))
        return build_from_zero(Absolute(1.0)).affine(high - low, Absolute(low))

    return build


def _build_triangle(low: Level, high: Level, up: float, down: float) -> Schedule:
    return Linear(low, high, over=up) >> Linear(high, low, over=down)


def _to_level(rate: float) -> Level:
    return Absolute(rate) if rate else 0.0
