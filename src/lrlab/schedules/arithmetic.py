"""Schedules computed from schedules step by step: multiplied, added, bounded, mapped."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeGuard

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.base import PRECEDENCE_PRODUCT, PRECEDENCE_SUM, Array, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.joins import flatten_parts
from lrlab.schedules.kinds import format_value
from lrlab.schedules.levels import Absolute, resolve_level
from lrlab.schedules.outcome import check_rates
from lrlab.schedules.parameters import Bound, Level, Number
from lrlab.schedules.ramps import Constant
from lrlab.schedules.reaction import MetricState
from lrlab.schedules.shape import Wrapper, parenthesize

__all__ = ["Affine", "Clip", "Product", "CumulativeProduct", "Sum"]


@dataclass(frozen=True, repr=False)
class Operation(Schedule):
    """Schedules combined step by step, all on one clock.

    A subclass has ``symbol``, ``precedence`` and ``evaluate``.
    """

    schedules: tuple[Schedule, ...]
    symbol: ClassVar[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", flatten_parts(type(self), self.schedules))

    @abstractmethod
    def evaluate(self, t: Array, base: float) -> Array: ...

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    @cached_property
    def has_end(self) -> bool:
        return bool(self._non_numbers) and all(part.has_end for part in self._non_numbers)

    def compute_length(self, horizon: Horizon) -> float:
        return max((part.compute_length(horizon) for part in self._non_numbers), default=math.inf)

    @cached_property
    def _non_numbers(self) -> tuple[Schedule, ...]:
        """All but plain numbers, which change nothing and keep nothing from ending."""
        return tuple(part for part in self.schedules if not _is_number(part))

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        return self.replace_children(tuple(part.bind_to_horizon(horizon) for part in self.schedules))

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.schedules else type(self)(children)

    def __repr__(self) -> str:
        texts = [
            format_value(part.level) if _is_number(part) else parenthesize(part, self.precedence + 1)
            for part in self.schedules
        ]
        first, second = self.schedules[:2]
        if _is_number(first) and _is_number(second):  # two numbers would make a number
            texts[0] = repr(first)
        return f" {self.symbol} ".join(texts)


@dataclass(frozen=True, repr=False)
class Product(Operation):
    """Schedules multiplied step by step, all on one clock; written ``a * b``.

    Args:
        schedules: the factors, two or more; at most one with absolute levels.

    Raises:
        ScheduleError: two of them have absolute levels, whose product is no rate; or, when it is
            evaluated, the product has outgrown float64.

    >>> from lrlab.schedules import Exponential, Warmup
    >>> (Warmup(3) * Exponential(0.5))([0, 1, 2, 3])
    array([0.25  , 0.25  , 0.1875, 0.125 ])
    """

    precedence: ClassVar[int] = PRECEDENCE_PRODUCT
    symbol: ClassVar[str] = "*"

    def __post_init__(self) -> None:
        super().__post_init__()
        absolute = [schedule for schedule in self.schedules if not schedule.is_relative]
        if len(absolute) > 1:
            raise ScheduleError(
                "a product needs at most one schedule with absolute rates, got "
                f"{absolute[0]} and {absolute[1]}: write the levels of the others as factors."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        rates = np.full_like(t, base if self.is_relative else 1.0)
        with np.errstate(over="ignore", invalid="ignore"):  # checked() says which step it was
            for schedule in self.schedules:
                rates = rates * schedule.evaluate(t, 1.0 if schedule.is_relative else base)
        return check_rates(rates, t, self)

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        return t, 1.0 if self.schedules[index].is_relative else base


@dataclass(frozen=True, repr=False)
class Sum(Operation):
    """Schedules added step by step, all on one clock; written ``a + b``.

    Args:
        schedules: the terms, two or more; a plain number is a factor of the base rate.

    Raises:
        ScheduleError: a term is no schedule; or, when it is evaluated, the sum has outgrown
            float64.

    >>> from lrlab.schedules import Exponential
    >>> (0.5 + 0.5 * Exponential(0.5))([0, 1, 2])
    array([1.   , 0.75 , 0.625])
    """

    precedence: ClassVar[int] = PRECEDENCE_SUM
    symbol: ClassVar[str] = "+"

    def evaluate(self, t: Array, base: float) -> Array:
        rates = np.zeros_like(t)
        with np.errstate(over="ignore"):  # checked() says which step it was
            for schedule in self.schedules:
                rates = rates + schedule.evaluate(t, base)
        return check_rates(rates, t, self)


@dataclass(frozen=True, repr=False)
class Clip(Wrapper):
    """A schedule within bounds; written ``a.clip(low, high)``::

        rate(t) = min(max(a(t), low), high)

    Args:
        schedule: what is bounded.
        low, high: factors of the base rate, 0 or more, or an absolute ``Rate``; no bound when
            left out.

    Raises:
        ScheduleError: a bound is no level, or ``low`` is above ``high``.

    >>> from lrlab.schedules import Exponential
    >>> Exponential(0.5).clip(0.2, 0.9)([0, 1, 2, 3])
    array([0.9 , 0.5 , 0.25, 0.2 ])
    """

    low: Bound = None
    high: Bound = None
    method_name: ClassVar[str] = "clip"

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.low, self.high
        alike = isinstance(low, Absolute) == isinstance(high, Absolute)
        if low is not None and high is not None and alike and resolve_level(low, 1) > resolve_level(high, 1):
            raise self.make_error(f"low must be at most high, got {low} and {high}.")

    def evaluate(self, t: Array, base: float) -> Array:
        rates = self.schedule.evaluate(t, base)
        if self.low is not None:
            rates = np.maximum(rates, resolve_level(self.low, base))
        if self.high is not None:
            rates = np.minimum(rates, resolve_level(self.high, base))
        return rates


@dataclass(frozen=True, repr=False)
class Affine(Wrapper):
    """A hyperparameter that follows the rate on a line; written ``a.affine(slope, offset)``::

        rate(t) = offset + slope * a(t)

    Args:
        schedule: what is followed.
        slope: any number; below 0, it falls where the rate rises.
        offset: a factor of the base rate, 0 or more, or an absolute ``Rate``.

    Raises:
        ScheduleError: an argument is out of its domain; or, when it is evaluated, a value is
            below 0.

    Source: the momentum of one-cycle, Smith 2018, arXiv:1803.09820, section 4.3; kozistr's
    ProportionScheduler.

    >>> from lrlab.schedules import Linear
    >>> Linear(0, 1, over=2).affine(-0.1, 0.95)([0, 1, 2])
    array([0.95, 0.9 , 0.85])
    """

    slope: Number
    offset: Level
    method_name: ClassVar[str] = "affine"

    def evaluate(self, t: Array, base: float) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):  # checked() says which step it was
            rates = resolve_level(self.offset, base) + self.slope * self.schedule.evaluate(t, base)
        return check_rates(rates, t, self)


@dataclass(frozen=True, repr=False)
class CumulativeProduct(Wrapper):
    """The product of a schedule's factors up to t; written ``a.cumprod()``::

        rate(t) = a(1) * a(2) * ... * a(floor(t)),    1 at t = 0

    It takes t evaluations of ``a``, which are remembered up to the largest t asked for.

    Args:
        schedule: the factors; it must be relative and read no metric.

    Raises:
        ScheduleError: it is not; or, when it is evaluated, t is above ten million or the product
            has outgrown float64.

    Source: torch.optim.lr_scheduler.MultiplicativeLR.

    >>> from lrlab.schedules import Constant
    >>> Constant(0.5).cumprod()([0, 1, 2])
    array([1.  , 0.5 , 0.25])
    """

    method_name: ClassVar[str] = "cumprod"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.schedule.is_relative or self.schedule.needs_metric:
            raise self.make_error(
                f"schedule must have factors of the base rate only and read no metric, got "
                f"{self.schedule}."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        last = float(t.max())
        if last > 1e7:
            raise self.make_error(f"t must be at most ten million, got {last:g}.")
        products = self._compute_products(int(last))
        return check_rates(base * products[np.floor(t).astype(np.intp)], t, self)

    def _compute_products(self, last: int) -> Array:
        products: Array
        products, known = self._cache
        if last >= known:
            if last >= len(products):
                products = np.resize(products, 2 * (last + 1))
            new = np.arange(known, last + 1, dtype=np.float64)
            with np.errstate(over="ignore", under="ignore"):  # checked() says which step it was
                factors = [products[known - 1 : known], self.schedule.evaluate(new, 1.0)]
                products[known : last + 1] = np.cumprod(np.concatenate(factors))[1:]
            self._cache[:] = products, last + 1
        return products

    def __getstate__(self) -> dict[str, Any]:
        # Copies compute their own: it may be a hundred megabytes, which nobody wants to send.
        return {name: value for name, value in vars(self).items() if name != "_cache"}

    @cached_property
    def _cache(self) -> list[Any]:
        """The products, in an array with room for more, and how many of them are known."""
        return [np.ones(1), 1]


def to_operands(*values: Schedule | float) -> tuple[Schedule, ...]:
    """What stands on both sides of an operator; a plain number is a constant factor."""
    return tuple(value if isinstance(value, Schedule) else Constant(value) for value in values)


def _is_number(schedule: Schedule) -> TypeGuard[Constant]:
    return isinstance(schedule, Constant) and schedule.over is None and schedule.is_relative
