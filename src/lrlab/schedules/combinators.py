"""Schedules made of schedules: ``>>``, ``*``, ``+``, ``.until()``, ``.repeat()``, ``.replan()``."""

import math
from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, TypeGuard

import numpy as np

from lrlab._checks import to_finite_float
from lrlab.errors import ScheduleError
from lrlab.schedules.core import (
    PRECEDENCE_PRODUCT,
    PRECEDENCE_SEQUENTIAL,
    PRECEDENCE_SUM,
    Array,
    Constant,
    MetricState,
    Schedule,
    Wrapper,
    check_rates,
    parenthesize,
)
from lrlab.schedules.durations import ROUNDING_SLACK, Horizon
from lrlab.schedules.fields import (
    Absolute,
    AtLeastOne,
    Duration,
    Level,
    Number,
    Offset,
    OptionalLevel,
    Period,
    Positive,
    RepeatCount,
    format_value,
    resolve_level,
)

__all__ = [
    "Affine",
    "Clip",
    "Continued",
    "CumulativeProduct",
    "Product",
    "Repeat",
    "Sequential",
    "Shift",
    "Staircase",
    "Stretch",
    "Sum",
    "Until",
]

_MAX_LOG_GROWTH = 600.0
"""The logarithm of the largest factor by which repetitions may grow."""

_ARBITRARY_HORIZON = Horizon(total_steps=1e9, steps_per_epoch=1e6)
"""A horizon that only serves to find out whether a schedule ends."""


@dataclass(frozen=True, repr=False)
class Sequential(Schedule):
    """One schedule after another; written ``a >> b >> c``.

    The clock of each part starts where the part before it ends; all parts have the same base rate.
    Every part but the last must have an end.

    Args:
        schedules: the parts, two or more.

    Raises:
        ScheduleError: a part other than the last never ends.

    >>> from lrlab.schedules import Linear, Constant
    >>> (Constant(1.0, over=2) >> Linear(1.0, 0.0, over=2))([0, 1, 2, 3, 4])
    array([1. , 1. , 1. , 0.5, 0. ])
    """

    schedules: tuple[Schedule, ...]
    is_called_by_name: ClassVar[bool] = False
    precedence: ClassVar[int] = PRECEDENCE_SEQUENTIAL

    def __post_init__(self) -> None:
        object.__setattr__(self, "schedules", flatten_parts(Sequential, self.schedules))
        for part in self.schedules[:-1]:
            require_end(part)

    def children(self) -> tuple[Schedule, ...]:
        return self.schedules

    @cached_property
    def starts(self) -> Array:
        """The step at which each part starts, of shape (parts,), once durations are bound."""
        lengths = [part.compute_length(Horizon()) for part in self.schedules[:-1]]
        return np.cumsum([0.0, *lengths])

    def evaluate(self, t: Array, base: float) -> Array:
        first, last = int(self._find_active_part(t.min())), int(self._find_active_part(t.max()))
        if first == last:  # true for a single step and for most pieces of a long array
            return self.schedules[first].evaluate(t - self.starts[first], base)
        active = self._find_active_part(t)
        rates: Array = np.empty_like(t)
        for i in range(first, last + 1):
            in_part = active == i
            if in_part.any():
                rates[in_part] = self.schedules[i].evaluate(t[in_part] - self.starts[i], base)
        return rates

    def _find_active_part(self, t: Any) -> Any:
        """Return the index of the part that is active at a step, or at each of several."""
        return self.starts[1:].searchsorted(t, side="right")

    @property
    def has_end(self) -> bool:
        return self.schedules[-1].has_end

    def compute_length(self, horizon: Horizon) -> float:
        return sum(part.compute_length(horizon) for part in self.schedules)

    def bind_to_horizon(self, horizon: Horizon) -> "Sequential":
        parts = []
        for part in self.schedules:
            bound = part.bind_to_horizon(horizon)
            parts.append(bound)
            horizon = horizon.advance(part.compute_length(horizon), bound.compute_length(Horizon()))
        return self.replace_children(tuple(parts))

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        return (t - float(self.starts[index]), base) if self._find_active_part(t) == index else None

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.schedules else type(self)(children)

    def __repr__(self) -> str:
        return " >> ".join(parenthesize(part, PRECEDENCE_SUM) for part in self.schedules)


@dataclass(frozen=True, repr=False)
class Continued(Schedule):
    """One schedule after another without a jump; written ``a.then(b, join="continue")``.

    The base rate of ``second`` is the rate at which ``first`` ends.

    Args:
        first: a schedule with an end.
        second: the schedule that continues from there, on its own clock.

    Raises:
        ScheduleError: ``first`` never ends.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0.5, over=2).then(Linear(1, 0, over=2), join="continue")([0, 1, 2, 3, 4])
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    first: Schedule
    second: Schedule
    is_called_by_name: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for part in self.children():
            if not isinstance(part, Schedule):
                raise ScheduleError(f"Continued needs two schedules, got {part!r}.")
        require_end(self.first)

    def children(self) -> tuple[Schedule, ...]:
        return self.first, self.second

    @cached_property
    def _start(self) -> float:
        return self.first.compute_length(Horizon())

    def evaluate(self, t: Array, base: float) -> Array:
        start = self._start
        before = t < start
        rates = np.empty_like(t)
        if before.any():
            rates[before] = self.first.evaluate(t[before], base)
        if not before.all():
            last_rate = self._compute_last_rate(self.first, base)
            rates[~before] = self.second.evaluate(t[~before] - start, last_rate)
        return rates

    def _compute_last_rate(self, first: Schedule, base: float) -> float:
        return float(first.evaluate(np.array([self._start], dtype=np.float64), base)[0])

    @property
    def has_end(self) -> bool:
        return self.second.has_end

    def compute_length(self, horizon: Horizon) -> float:
        return self.first.compute_length(horizon) + self.second.compute_length(horizon)

    def bind_to_horizon(self, horizon: Horizon) -> "Continued":
        first = self.first.bind_to_horizon(horizon)
        after = horizon.advance(self.first.compute_length(horizon), first.compute_length(Horizon()))
        return self.replace_children((first, self.second.bind_to_horizon(after)))

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        before = t < self._start
        if index == 0:
            return (t, base) if before else None
        return (
            None
            if before
            else (t - self._start, self._compute_last_rate(self.first.with_state(state[0]), base))
        )

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.children() else type(self)(*children)

    def __repr__(self) -> str:
        return f'{parenthesize(self.first, self.precedence)}.then({self.second}, join="continue")'


@dataclass(frozen=True, repr=False)
class Operation(Schedule):
    """Schedules combined step by step, all on one clock.

    A subclass defines ``symbol``, ``precedence`` and ``evaluate``.
    """

    schedules: tuple[Schedule, ...]
    is_called_by_name: ClassVar[bool] = False
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
        """All parts except plain numbers, which do not affect the length."""
        return tuple(part for part in self.schedules if not _is_number(part))

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        return self.replace_children(
            tuple(part.bind_to_horizon(horizon) for part in self.schedules)
        )

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        return self if children == self.schedules else type(self)(children)

    def __repr__(self) -> str:
        texts = [
            format_value(part.level)
            if _is_number(part)
            else parenthesize(part, self.precedence + 1)
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
        ScheduleError: two of them have absolute levels, whose product is not a rate; or, on
            evaluation, the product overflows float64.

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
        with np.errstate(over="ignore", invalid="ignore"):  # check_rates names the step
            for schedule in self.schedules:
                rates = rates * schedule.evaluate(t, 1.0 if schedule.is_relative else base)
        return check_rates(rates, t, self)

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        return t, 1.0 if self.schedules[index].is_relative else base


@dataclass(frozen=True, repr=False)
class Sum(Operation):
    """Schedules added step by step, all on one clock; written ``a + b``.

    Args:
        schedules: the terms, two or more; a plain number is a factor of the base rate.

    Raises:
        ScheduleError: a term is not a schedule; or, on evaluation, the sum overflows float64.

    >>> from lrlab.schedules import Exponential
    >>> (0.5 + 0.5 * Exponential(0.5))([0, 1, 2])
    array([1.   , 0.75 , 0.625])
    """

    precedence: ClassVar[int] = PRECEDENCE_SUM
    symbol: ClassVar[str] = "+"

    def evaluate(self, t: Array, base: float) -> Array:
        rates = np.zeros_like(t)
        with np.errstate(over="ignore"):  # check_rates names the step
            for schedule in self.schedules:
                rates = rates + schedule.evaluate(t, base)
        return check_rates(rates, t, self)


@dataclass(frozen=True, repr=False)
class Until(Wrapper):
    """A schedule up to a step, then holding the value it has there; written ``a.until(at)``::

        rate(t) = a(min(t, at))

    Args:
        schedule: the schedule to stop.
        at: the duration after which the value holds.

    Raises:
        ScheduleError: ``at`` is not a duration.

    >>> from lrlab.schedules import Exponential
    >>> Exponential(0.5).until(2)([0, 1, 2, 3])
    array([1.  , 0.5 , 0.25, 0.25])
    """

    at: Duration
    method_name: ClassVar[str] = "until"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.minimum(t, self.compute_length(Horizon())), base)

    @property
    def has_end(self) -> bool:
        return True

    def compute_length(self, horizon: Horizon) -> float:
        return horizon.to_exact_steps(self.at)

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        return (t, base) if t < self.compute_length(Horizon()) else None


@dataclass(frozen=True, repr=False)
class Shift(Wrapper):
    """A schedule that starts later and holds its first value until then; written ``a.shift(by)``::

        rate(t) = a(max(0, t - by))

    Args:
        schedule: the schedule to shift.
        by: a duration, or a negative number of steps to start in the middle.

    Raises:
        ScheduleError: ``by`` is neither.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=2).shift(1)([0, 1, 2, 3])
    array([1. , 1. , 0.5, 0. ])
    """

    by: Offset
    method_name: ClassVar[str] = "shift"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(np.maximum(0.0, t - self.to_steps(self.by)), base)

    def compute_length(self, horizon: Horizon) -> float:
        return max(
            0.0,
            horizon.to_exact_steps(self.by)
            + self.schedule.compute_length(self.to_inner_horizon(horizon)),
        )

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return horizon.advance(horizon.to_exact_steps(self.by), horizon.to_steps(self.by))

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        inner_t = t - self.to_steps(self.by)
        return (inner_t, base) if inner_t >= 0 else None


@dataclass(frozen=True, repr=False)
class Stretch(Wrapper):
    """A schedule slowed down; written ``a.stretch(by)``::

        rate(t) = a(t / by)

    Durations in any unit are stretched; a schedule that fills the rest of the
    training still ends with it.

    Args:
        schedule: the schedule to slow down.
        by: a number above 0; below 1, it is faster.

    Raises:
        ScheduleError: ``by`` is not above 0.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=2).stretch(2)([0, 1, 2, 3, 4])
    array([1.  , 0.75, 0.5 , 0.25, 0.  ])
    """

    by: Positive
    method_name: ClassVar[str] = "stretch"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(t / self.by, base)

    def compute_length(self, horizon: Horizon) -> float:
        return self.by * self.schedule.compute_length(self.to_inner_horizon(horizon))

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return horizon.scale_remaining(1 / self.by)

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        return t / self.by, base


@dataclass(frozen=True, repr=False)
class Staircase(Wrapper):
    """A schedule that changes only once in ``every`` steps; written ``a.staircase(every)``::

        rate(t) = a(every * floor(t / every))

    Args:
        schedule: the schedule to evaluate once in ``every`` steps.
        every: a positive duration; ``"1ep"`` changes the rate once an epoch.

    Raises:
        ScheduleError: ``every`` is not a positive duration.

    Source: the ``staircase`` of TensorFlow, Keras and optax, for any schedule.

    >>> from lrlab.schedules import Linear
    >>> Linear(1, 0, over=4).staircase(2)([0, 1, 2, 3, 4, 5])
    array([1. , 1. , 0.5, 0.5, 0. , 0. ])
    """

    every: Period
    method_name: ClassVar[str] = "staircase"

    def evaluate(self, t: Array, base: float) -> Array:
        return self.schedule.evaluate(self._round_down_to_stair(t), base)

    def _round_down_to_stair(self, t: Any) -> Any:
        """Return the step at which the schedule is evaluated, for one step or several."""
        every = self.to_steps(self.every)
        return every * np.floor(t / every * ROUNDING_SLACK)

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        return float(self._round_down_to_stair(t)), base


@dataclass(frozen=True, repr=False)
class Repeat(Wrapper):
    """A schedule repeated; written ``a.repeat(times, growth=..., decay=...)``::

        rate(t) = decay ** n * a((t - s(n)) / growth ** n),    s(n) <= t < s(n + 1)

    Repetition n = 0, 1, ... starts at s(n) = L * (1 + growth + ... + growth ** (n - 1)), where L is
    the length of ``a``. If ``a`` fills the rest of the training, all repetitions together do.

    Args:
        schedule: the schedule to repeat; it must have an end and not be metric-driven.
        times: number of repetitions, from 1 to a billion; endless if omitted.
        growth: length of each repetition divided by that of the one before, 1 or more.
        decay: height of each repetition divided by that of the one before, above 0; absolute
            levels are multiplied too.

    Raises:
        ScheduleError: an argument is out of its domain; or, on evaluation, the rate overflows
            float64.

    Source: warm restarts, Loshchilov and Hutter 2017, arXiv:1608.03983; the ``t_mult`` and
    ``m_mult`` of TensorFlow.

    >>> from lrlab.schedules import Cosine
    >>> Cosine(2).repeat(2, growth=2, decay=0.5)([0, 1, 2, 3, 4, 5, 6, 7]).round(3)
    array([1.   , 0.5  , 0.5  , 0.427, 0.25 , 0.073, 0.   , 0.   ])
    """

    times: RepeatCount = None
    _: KW_ONLY
    growth: AtLeastOne = 1.0
    decay: Positive = 1.0
    method_name: ClassVar[str] = "repeat"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.schedule.needs_metric:
            raise self.make_error(f"schedule must not be metric-driven, got {self.schedule}.")
        if self.times is not None and self.times * math.log(self.growth) > _MAX_LOG_GROWTH:
            raise self.make_error(
                f"growth={self.growth!r} over {self.times} times is longer than float64 can count."
            )
        if not self.schedule.has_end:
            raise self.make_error(
                f"schedule must have an end, got {self.schedule}; give it one with .until(30)."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        period = self.schedule.compute_length(Horizon())
        if not period:  # no step of training is left, so all repetitions are over at once
            last_factor = self.decay ** (0 if self.times is None else self.times - 1)
            return last_factor * self.schedule.evaluate(t, base)
        with np.errstate(over="ignore", invalid="ignore"):  # check_rates names the step
            n = self._find_repetition(t / period * ROUNDING_SLACK)
            inner_t = np.maximum(0.0, t - period * self._compute_starts(n)) / np.power(
                self.growth, n
            )
            rates = np.power(self.decay, n) * self.schedule.evaluate(inner_t, base)
        return check_rates(rates, t, self)

    def _find_repetition(self, x: Array) -> Array:
        """Return the index of the repetition at x, counted in lengths of the first one."""
        if self.growth == 1:
            n = np.floor(x)
        else:
            n = np.floor(np.log(x * (self.growth - 1) + 1) / math.log(self.growth))
            n -= self._compute_starts(n) > x  # the logarithms may be off by their last bits
            n += self._compute_starts(n + 1) <= x
        return n if self.times is None else np.minimum(n, self.times - 1)

    def _compute_starts(self, n: Array | int) -> Any:
        """Return where repetition n starts, counted in lengths of the first one."""
        return n if self.growth == 1 else (np.power(self.growth, n) - 1) / (self.growth - 1)

    @property
    def has_end(self) -> bool:
        return self.times is not None

    def compute_length(self, horizon: Horizon) -> float:
        if self.times is None:
            return math.inf
        return self.schedule.compute_length(self.to_inner_horizon(horizon)) * float(
            self._compute_starts(self.times)
        )

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        return (
            horizon
            if self.times is None
            else horizon.scale_remaining(1 / self._compute_starts(self.times))
        )


@dataclass(frozen=True, repr=False)
class Clip(Wrapper):
    """A schedule within bounds; written ``a.clip(low, high)``::

        rate(t) = min(max(a(t), low), high)

    Args:
        schedule: the schedule to bound.
        low, high: factors of the base rate, 0 or more, or ``Absolute`` rates; no bound if omitted.

    Raises:
        ScheduleError: a bound is not a level, or ``low`` is above ``high``.

    >>> from lrlab.schedules import Exponential
    >>> Exponential(0.5).clip(0.2, 0.9)([0, 1, 2, 3])
    array([0.9 , 0.5 , 0.25, 0.2 ])
    """

    low: OptionalLevel = None
    high: OptionalLevel = None
    method_name: ClassVar[str] = "clip"

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.low, self.high
        are_comparable = isinstance(low, Absolute) == isinstance(high, Absolute)
        if (
            low is not None
            and high is not None
            and are_comparable
            and resolve_level(low, 1) > resolve_level(high, 1)
        ):
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
    """A hyperparameter that is a linear function of the rate; written ``a.affine(slope, offset)``::

        rate(t) = offset + slope * a(t)

    Args:
        schedule: the schedule to follow.
        slope: any number; below 0, the result falls where the rate rises.
        offset: a factor of the base rate, 0 or more, or an ``Absolute`` rate.

    Raises:
        ScheduleError: an argument is out of its domain; or, on evaluation, a value is below 0.

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
        with np.errstate(over="ignore", invalid="ignore"):  # check_rates names the step
            rates = resolve_level(self.offset, base) + self.slope * self.schedule.evaluate(t, base)
        return check_rates(rates, t, self)


@dataclass(frozen=True, repr=False)
class CumulativeProduct(Wrapper):
    """The product of a schedule's factors up to t; written ``a.cumprod()``::

        rate(t) = a(1) * a(2) * ... * a(floor(t)),    1 at t = 0

    It takes t evaluations of ``a``, which are cached up to the largest t so far.

    Args:
        schedule: the factors; it must have no absolute levels and not be metric-driven.

    Raises:
        ScheduleError: ``schedule`` breaks one of these rules; or, on evaluation, t is above ten
            million or the product overflows float64.

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
                "schedule must have factors of the base rate only and not be metric-driven, got "
                f"{self.schedule}."
            )

    def evaluate(self, t: Array, base: float) -> Array:
        last_step = float(t.max())
        if last_step > 1e7:
            raise self.make_error(f"t must be at most ten million, got {last_step:g}.")
        products = self._compute_products(int(last_step))
        return check_rates(base * products[np.floor(t).astype(np.intp)], t, self)

    def _compute_products(self, last_step: int) -> Array:
        products: Array
        products, count = self._cache
        if last_step >= count:
            if last_step >= len(products):
                products = np.resize(products, 2 * (last_step + 1))
            new_steps = np.arange(count, last_step + 1, dtype=np.float64)
            with np.errstate(over="ignore", under="ignore"):  # check_rates names the step
                factors = [products[count - 1 : count], self.schedule.evaluate(new_steps, 1.0)]
                products[count : last_step + 1] = np.cumprod(np.concatenate(factors))[1:]
            self._cache[:] = products, last_step + 1
        return products

    def __getstate__(self) -> dict[str, Any]:
        # Copies fill their own cache: it may be a hundred megabytes.
        return {name: value for name, value in vars(self).items() if name != "_cache"}

    @cached_property
    def _cache(self) -> list[Any]:
        """The products, in an array that may be longer, and how many of them are computed."""
        return [np.ones(1), 1]


def replan_schedule(
    schedule: Schedule, new_total_steps: float, at: float, total_steps: float | None = None
) -> Schedule:
    """Return ``schedule`` up to ``at``, then its rest stretched to end at ``new_total_steps``."""
    schedule = schedule.bind(total_steps=total_steps)
    old = (
        schedule.compute_length(Horizon()) if total_steps is None else to_finite_float(total_steps)
    )
    step, new = to_finite_float(at), to_finite_float(new_total_steps)
    if old is None or math.isinf(old):
        raise ScheduleError(
            f"replan: {schedule} has no end, so give the number of steps planned before: "
            f"replan({new_total_steps!r}, at={at!r}, total_steps=...)."
        )
    if step is None or not 0 <= step < old:
        raise ScheduleError(
            f"replan: at must be a step before the planned end, {old:g}, got {at!r}."
        )
    if new is None or new <= step:
        raise ScheduleError(
            f"replan: new_total_steps must be a number above at, {step:g}, got {new_total_steps!r}."
        )
    factor = (new - step) / (old - step)
    parts = schedule.schedules if isinstance(schedule, Sequential) else (schedule,)
    starts = schedule.starts.tolist() if isinstance(schedule, Sequential) else [0.0]
    # Past parts are kept, the part at ``step`` is split, future parts are stretched.
    active = max(i for i, start in enumerate(starts) if start <= step)
    steps_into_active = step - starts[active]
    if steps_into_active and parts[active].needs_metric:
        raise ScheduleError(
            "replan: at must not lie within a metric-driven part, which would start again, "
            f"got {at!r} within {parts[active]}: use the step at which it starts or ends."
        )
    remaining_parts = [_skip_steps(parts[active], steps_into_active), *parts[active + 1 :]]
    finished_parts = (
        [*parts[:active], parts[active].until(steps_into_active)]
        if steps_into_active
        else list(parts[:active])
    )
    rest = remaining_parts[0] if len(remaining_parts) == 1 else Sequential(tuple(remaining_parts))
    result = _stretch(rest, factor)
    for part in reversed(finished_parts):
        result = part >> result
    return result


# These two merge shifts and stretches, so that repeated replanning does not pile them up.


def _skip_steps(part: Schedule, by: float) -> Schedule:
    """Return ``part`` without its first ``by`` steps."""
    match part:
        case Stretch(schedule=inner, by=slowdown):
            return _stretch(_skip_steps(inner, by / slowdown), slowdown)
        case Shift(schedule=inner, by=float() | int() as offset) if offset < 0:
            return inner.shift(offset - by)
        case _:
            return part.shift(-by) if by else part


def _stretch(part: Schedule, factor: float) -> Schedule:
    """Return ``part`` taking ``factor`` times as long."""
    if isinstance(part, Stretch):
        return _stretch(part.schedule, part.by * factor)
    return part.stretch(factor) if factor != 1 else part


def to_operands(*values: Schedule | float) -> tuple[Schedule, ...]:
    """Return the operands of an operator as schedules; a plain number is a constant factor."""
    return tuple(value if isinstance(value, Schedule) else Constant(value) for value in values)


def _is_number(schedule: Schedule) -> TypeGuard[Constant]:
    return isinstance(schedule, Constant) and schedule.over is None and schedule.is_relative


def require_end(part: Schedule) -> None:
    """Raise a ``ScheduleError`` if ``part`` never ends, because nothing can follow it then."""
    if math.isinf(part.compute_length(_ARBITRARY_HORIZON)):
        raise ScheduleError(
            f"{part} has no end, so nothing can follow it: give it a duration "
            f"(over=...) or an end, as in {parenthesize(part, Schedule.precedence)}.until(30) "
            ">> ..."
        )


def flatten_parts(
    composition: type[Schedule], schedules: tuple[Schedule, ...]
) -> tuple[Schedule, ...]:
    """Return the parts, nested compositions of the same class replaced by their parts."""
    parts = schedules if isinstance(schedules, tuple) else ()
    if len(parts) < 2 or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(
            f"{composition.__name__} needs two schedules or more, got {schedules!r}."
        )
    groups = (part.children() if isinstance(part, composition) else (part,) for part in schedules)
    return tuple(part for group in groups for part in group)
