"""Primitives that jump at given steps, or interpolate between levels at given steps."""

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

import numpy as np

from lrlab.schedules.core import Array, Primitive, check_rates
from lrlab.schedules.durations import ROUNDING_SLACK, Horizon
from lrlab.schedules.fields import (
    AtLeastOne,
    Levels,
    Milestones,
    Period,
    Positive,
    PowerOfTwo,
    resolve_level,
)
from lrlab.schedules.ramps import Curve, evaluate_curve

__all__ = ["Chebyshev", "MultiStep", "PiecewiseConstant", "PiecewiseInterpolate", "Step"]


@dataclass(frozen=True, repr=False)
class Step(Primitive):
    """Multiplied by ``gamma`` after every ``every`` steps::

        rate(t) = gamma ** floor(t / every)

    Args:
        every: the duration of one stair, above 0; the first jump acts at t = every.
        gamma: the factor of each jump, above 0; a tenth by default, as in torch.

    Raises:
        ScheduleError: ``every`` or ``gamma`` is not above 0, or the rate overflows float64.

    Source: torch.optim.lr_scheduler.StepLR.

    >>> Step(2, 0.5)([0, 1, 2, 3, 4])
    array([1.  , 1.  , 0.5 , 0.5 , 0.25])
    """

    gallery_example = "Step(25, 0.5)"
    every: Period
    gamma: Positive = 0.1

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore"):  # check_rates names the step
            stairs = np.floor(t / self.to_steps(self.every) * ROUNDING_SLACK)
            return check_rates(base * np.power(self.gamma, stairs), t, self)


@dataclass(frozen=True, repr=False)
class MultiStep(Primitive):
    """Multiplied by ``gamma`` at each of several steps::

        rate(t) = gamma ** (number of milestones <= t)

    Args:
        milestones: durations in ascending order; one that occurs twice counts twice. The jump acts
            at t = milestone.
        gamma: the factor of each jump, above 0; a tenth by default, as in torch.

    Raises:
        ScheduleError: ``milestones`` is not such a list, ``gamma`` is not above 0, or the rate
            overflows float64.

    Source: torch.optim.lr_scheduler.MultiStepLR.

    >>> MultiStep([2, 3], 0.5)([0, 1, 2, 3, 4])
    array([1.  , 1.  , 0.5 , 0.25, 0.25])
    """

    gallery_example = "MultiStep([30, 80], 0.3)"
    milestones: Milestones
    gamma: Positive = 0.1

    def evaluate(self, t: Array, base: float) -> Array:
        passed = np.searchsorted(np.array(self.milestones, dtype=np.float64), t, side="right")
        with np.errstate(over="ignore"):  # check_rates names the step
            return check_rates(base * np.power(self.gamma, passed.astype(np.float64)), t, self)


@dataclass(frozen=True, repr=False)
class PiecewiseConstant(Primitive):
    """One level after another::

        rate(t) = levels[number of entries of at <= t]

    Args:
        at: durations in ascending order; the new level acts at t = at[i].
        levels: factors of the base rate, 0 or more, or ``Absolute`` rates; one more than ``at``.

    Raises:
        ScheduleError: a list is invalid, or their lengths do not match.

    Source: Keras' PiecewiseConstantDecay, optax's piecewise_constant_schedule.

    >>> PiecewiseConstant([2, 3], [1.0, 0.3, 0.1])([0, 1, 2, 3, 4])
    array([1. , 1. , 0.3, 0.1, 0.1])
    """

    gallery_example = "PiecewiseConstant([20, 60], [0.3, 1.0, 0.1])"
    at: Milestones
    levels: Levels

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.levels) != len(self.at) + 1:
            raise self.make_error(
                "levels must have one entry more than at, got "
                f"{len(self.levels)} and {len(self.at)}."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        passed = np.searchsorted(np.array(self.at, dtype=np.float64), t, side="right")
        return np.array([resolve_level(level, base) for level in self.levels])[passed]


@dataclass(frozen=True, repr=False)
class PiecewiseInterpolate(Primitive):
    """Through given levels at given steps, along a curve from each to the next.

    With i so that at[i] <= t < at[i + 1], p = (t - at[i]) / (at[i + 1] - at[i]) and a curve c::

        rate(t) = levels[i] * (1 - c(p)) + levels[i + 1] * c(p)

    Before the first step of ``at`` the first level holds, after the last one the last.

    Args:
        at: durations in ascending order; where two are equal, the rate jumps.
        levels: factors of the base rate, 0 or more, or ``Absolute`` rates; as many as ``at``.
        curve: ``"linear"``, ``"cosine"``, or another curve of ``Warmup``.

    Raises:
        ScheduleError: a list is invalid, their lengths do not match, or the curve is unknown.

    Source: ignite's PiecewiseLinear, optax's piecewise_interpolate_schedule.

    >>> PiecewiseInterpolate([1, 3, 5], [1.0, 0.5, 0.1])([0, 1, 2, 3, 4, 5])
    array([1.  , 1.  , 0.75, 0.5 , 0.3 , 0.1 ])
    """

    gallery_example = "PiecewiseInterpolate([0, 20, 50, 100], [0.1, 1.0, 0.3, 0.0])"
    at: Milestones
    levels: Levels
    _: KW_ONLY
    curve: Curve = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.levels) != len(self.at):
            raise self.make_error(
                "levels must have as many entries as at, got "
                f"{len(self.levels)} and {len(self.at)}."
            )

    @property
    def has_end(self) -> bool:
        return True

    def compute_length(self, horizon: Horizon) -> float:
        return max(horizon.to_exact_steps(at) for at in self.at)

    def evaluate(self, t: Array, base: float) -> Array:
        at = np.array(self.at, dtype=np.float64)
        levels = np.array([resolve_level(level, base) for level in self.levels])
        after = np.searchsorted(at, t, side="right")
        left, right = np.maximum(after - 1, 0), np.minimum(after, len(at) - 1)
        width = at[right] - at[left]
        p = np.divide(t - at[left], width, out=np.zeros_like(t), where=width > 0)
        c = evaluate_curve(self.curve, p)
        return levels[left] * (1 - c) + levels[right] * c


@dataclass(frozen=True, repr=False)
class Chebyshev(Primitive):
    """The steps of Chebyshev's method, in the fractal order that keeps gradient descent stable.

    With N = steps, K = condition and the i-th angle a = (2 * i + 1) * pi / (2 * N)::

        rate(t) = 1 / ((K + 1) / 2 - (K - 1) / 2 * cos(a)),    i = s(floor(t))

    where the order s of 2 * N steps is s(0), 2N - 1 - s(0), s(1), 2N - 1 - s(1), ... from that of
    N steps. The base rate is 1 over the smallest curvature, and no rate is above it.

    Args:
        steps: number of steps, a power of two; ``.repeat()`` starts again.
        condition: the largest curvature over the smallest, 1 or more.

    Raises:
        ScheduleError: ``steps`` is not a power of two, or ``condition`` is below 1.

    Source: Agarwal, Goel and Zhang 2021, arXiv:2103.01338, sections 2 and 3.

    >>> Chebyshev(4, 10)([0, 1, 2, 3]).round(3)
    array([0.745, 0.104, 0.265, 0.138])
    """

    gallery_example = "Chebyshev(32, 20).repeat()"
    steps: PowerOfTwo
    condition: AtLeastOne

    @property
    def has_end(self) -> bool:
        return True

    def compute_length(self, horizon: Horizon) -> float:
        return self.steps

    @cached_property
    def _fractal_order(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        order = np.zeros(1, dtype=np.intp)
        while len(order) < self.steps:
            order = np.stack([order, 2 * len(order) - 1 - order], axis=1).reshape(-1)
        return order

    def evaluate(self, t: Array, base: float) -> Array:
        i = self._fractal_order[np.minimum(t, self.steps - 1).astype(np.intp)]
        angle = (2 * i + 1) * np.pi / (2 * self.steps)
        k = self.condition
        return base / ((k + 1) / 2 - (k - 1) / 2 * np.cos(angle))
