"""Ramps: from one level to another over a duration, along a curve."""

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass

import numpy as np

from lrlab.schedules.base import Array, Shape
from lrlab.schedules.durations import Horizon
from lrlab.schedules.levels import Rate, resolve
from lrlab.schedules.parameters import Level, Limit, Over, Start

__all__ = ["Constant", "Cosine", "Linear", "Warmup"]


class Ramp(Shape):
    """From ``start`` to ``end`` along a curve c(p) with c(0) = 0 and c(1) = 1.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - c(p)) + end * c(p)

    A subclass has the fields ``start``, ``end`` and ``over`` and gives ``curve``. Both ends are
    exact, and past the end the ramp holds ``end``; of no duration, it is at its end at once.
    """

    start: float | Rate | None
    end: float | Rate
    over: float | str | None

    @abstractmethod
    def curve(self, p: Array) -> Array:
        """The share of the way from start to end at progress p in [0, 1]."""

    def levels(self, base: float) -> tuple[float, float]:
        """The rates at the two ends."""
        assert self.start is not None
        return resolve(self.start, base), resolve(self.end, base)

    def evaluate(self, t: Array, base: float) -> Array:
        over = self.length(Horizon())
        start, end = self.levels(base)
        c = self.curve(np.minimum(t, over) / over if over else np.ones_like(t))
        return start * (1 - c) + end * c


@dataclass(frozen=True, repr=False)
class Constant(Shape):
    """One level throughout::

        rate(t) = level

    Args:
        level: a factor of the base rate, 0 or more, or an absolute ``Rate``.
        over: how long it lasts when something follows it; without, it never ends.

    Raises:
        ScheduleError: ``level`` or ``over`` is negative or not finite.

    Source: torch's ConstantLR is ``Constant(factor, over=total_iters) >> Constant(1.0)``.

    >>> (Constant(0.5, over=2) >> Constant(1.0))([0, 1, 2, 3])
    array([0.5, 0.5, 1. , 1. ])
    """

    level: Level
    _: KW_ONLY
    over: Limit = None

    def evaluate(self, t: Array, base: float) -> Array:
        return np.full_like(t, resolve(self.level, base))


@dataclass(frozen=True, repr=False)
class Linear(Ramp):
    """A straight line from ``start`` to ``end``.

    With p = t / over in [0, 1]::

        rate(t) = start * (1 - p) + end * p

    Args:
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``. Neither has a
            default, because the libraries differ (torch's is 1/3 to 1, Composer's 1 to 0).
        over: duration; the rest of the training when left out.

    Raises:
        ScheduleError: a level or the duration is negative or not finite.

    Source: torch.optim.lr_scheduler.LinearLR, which is ``Linear(1/3, 1, over=5)`` by default.

    >>> Linear(1.0, 0.5, over=30)([0, 15, 30, 49])
    array([1.  , 0.75, 0.5 , 0.5 ])
    """

    start: Level
    end: Level
    _: KW_ONLY
    over: Over = None

    def curve(self, p: Array) -> Array:
        return p


@dataclass(frozen=True, repr=False)
class Cosine(Ramp):
    """From ``start`` to ``end`` along half a cosine: flat at both ends.

    With p = t / over in [0, 1]::

        rate(t) = end + (start - end) * (1 + cos(pi * p)) / 2

    Args:
        over: duration; the rest of the training when left out.
        start, end: factors of the base rate, 0 or more, or an absolute ``Rate``; from the whole
            base rate to 0 unless told otherwise, as in the paper.

    Raises:
        ScheduleError: a level or the duration is negative or not finite.

    Source: Loshchilov and Hutter 2017, arXiv:1608.03983, eq. 5, one period.

    >>> Cosine(4)([0, 1, 2, 3, 4]).round(3)
    array([1.   , 0.854, 0.5  , 0.146, 0.   ])
    """

    over: Over = None
    _: KW_ONLY
    start: Level = 1.0
    end: Level = 0.0

    def curve(self, p: Array) -> Array:
        return (1 - np.cos(np.pi * p)) / 2


@dataclass(frozen=True, repr=False)
class Warmup(Ramp):
    """A straight line up to the base rate, reached at t = over.

    With W = over::

        rate(t) = (t + 1) / (W + 1)                    for t < W, then 1
        rate(t) = start * (1 - t / W) + t / W          when start is given

    Args:
        over: duration W; 0 steps means no warm-up.
        start: the level at t = 0, a factor of the base rate or a ``Rate``. Left out, it is
            1 / (W + 1), so that the first step is not wasted; 0 is transformers' convention.

    Raises:
        ScheduleError: the level or the duration is negative or not finite.

    Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2; the count (t + 1) / (W + 1) is
    torchtitan's and NeMo's.

    >>> Warmup(4)([0, 1, 2, 3, 4, 5])
    array([0.2, 0.4, 0.6, 0.8, 1. , 1. ])
    >>> Warmup(4, start=0.0)([0, 1, 2, 3, 4])
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """

    over: Over = None
    _: KW_ONLY
    start: Start = None

    end = 1.0

    def levels(self, base: float) -> tuple[float, float]:
        first = 1 / (self.length(Horizon()) + 1) if self.start is None else self.start
        return resolve(first, base), resolve(self.end, base)

    def curve(self, p: Array) -> Array:
        return p
