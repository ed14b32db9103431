"""Triangular waves between two absolute values, as several libraries have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import floor
from typing import Any

from lrlab.dialects.arguments import function_of
from lrlab.dialects.parts import Level
from lrlab.schedules import Custom, Exponential, Linear, Rate, Schedule

Wave = Callable[[float, float], Schedule]
"""Triangles, given the absolute values at their feet and peaks."""


def equal(up: float, down: float) -> Wave:
    """Triangles of one height.

    >>> equal(4, 4)(0.0, 0.5)
    (Linear(0.0, Rate(0.5), over=4) >> Linear(Rate(0.5), 0.0, over=4)).repeat()
    """
    return lambda low, high: _triangle(_level(low), _level(high), up, down).repeat()


def halved(up: float, down: float) -> Wave:
    """Triangles each half as high as the one before."""
    return _above(lambda high: _triangle(0.0, high, up, down).repeat(decay=0.5))


def scaled(up: float, down: float, scale: Schedule) -> Wave:
    """Triangles whose heights are multiplied by a schedule."""
    return _above(lambda high: _triangle(0.0, high, up, down).repeat() * scale)


WAVES: Mapping[str, Callable[[float, float, float], Wave]] = {
    "triangular": lambda up, down, gamma: equal(up, down),
    "triangular2": lambda up, down, gamma: halved(up, down),
    "exp_range": lambda up, down, gamma: scaled(up, down, Exponential(gamma)),
}
"""The waves of a cyclic schedule by the names of ``mode``, of ups, downs and gamma."""


def of_function(function: str, up: float, down: float, scale_fn: Any, scale_mode: str) -> Wave:
    """Triangles whose heights ``scale_fn`` scales: by the number of the cycle, from 1, or by t.

    Raises:
        ScheduleError: ``scale_fn``, an argument of ``function``, is no function.
    """
    scale = function_of(function, scale_fn=scale_fn)
    if scale_mode == "cycle":
        scale = Custom(_PerCycle(scale_fn, up + down))
    return scaled(up, down, scale)


@dataclass(frozen=True)
class _PerCycle:
    """A function of the number of the cycle, from 1, as a function of the step."""

    scale: Callable[[float], float]
    size: float

    def __call__(self, t: float) -> float:
        return self.scale(floor(1 + t / self.size))


def _above(wave: Callable[[Level], Schedule]) -> Wave:
    """What rises from 0 to a height, from ``low`` to ``high``, which may be the lower."""

    def between(low: float, high: float) -> Schedule:
        if low == 0:
            return wave(_level(high))
        return wave(Rate(1.0)).affine(high - low, Rate(low))

    return between


def _triangle(low: Level, high: Level, up: float, down: float) -> Schedule:
    return Linear(low, high, over=up) >> Linear(high, low, over=down)


def _level(rate: float) -> Level:
    return Rate(rate) if rate else 0.0
