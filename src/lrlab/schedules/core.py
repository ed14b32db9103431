"""What the parts have in common that a schedule is put together from."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    cast,
    get_args,
    get_type_hints,
    overload,
)

import numpy as np

from lrlab._checks import to_finite_float
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules.durations import MAX_STEPS, Horizon
from lrlab.schedules.fields import Absolute, FieldSpec, format_value

__all__ = ["Primitive", "Schedule"]


class ScheduleMixin:
    """Some methods of every schedule, in a file of their own."""

    @property
    def _schedule(self) -> "Schedule":
        return cast("Schedule", self)


class OperatorsMixin(ScheduleMixin):
    """The operators and methods of every schedule.

    What they return are schedules themselves, whose modules are imported when one is made.
    """

    text_methods: ClassVar[tuple[str, ...]] = (
        "until",
        "then",
        "shift",
        "stretch",
        "repeat",
        "staircase",
        "clip",
        "affine",
        "cumprod",
    )
    """What may be called on a schedule in a text."""

    def __rshift__(self, other: "Schedule") -> "Schedule":
        """``a >> b``: b after a, on its own clock, its levels factors of the same base rate."""
        from lrlab.schedules.combinators import Sequential

        return Sequential((self._schedule, other)) if _is_schedule(other) else NotImplemented

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        """``a * b``: the product of two schedules, or of a schedule and a factor."""
        from lrlab.schedules.combinators import Product, to_operands

        return Product(to_operands(self._schedule, other)) if _is_operand(other) else NotImplemented

    def __rmul__(self, other: float) -> "Schedule":
        from lrlab.schedules.combinators import Product, to_operands

        return Product(to_operands(other, self._schedule)) if _is_operand(other) else NotImplemented

    def __add__(self, other: "Schedule | float") -> "Schedule":
        """``a + b``: the sum of two schedules, or of a schedule and a factor of the base rate."""
        from lrlab.schedules.combinators import Sum, to_operands

        return Sum(to_operands(self._schedule, other)) if _is_operand(other) else NotImplemented

    def __radd__(self, other: float) -> "Schedule":
        from lrlab.schedules.combinators import Sum, to_operands

        return Sum(to_operands(other, self._schedule)) if _is_operand(other) else NotImplemented

    def then(
        self,
        other: "Schedule",
        at: float | str | None = None,
        join: Literal["restart", "continue"] = "restart",
    ) -> "Schedule":
        """``other`` after this one, as ``>>``; with ``at``, from that step on.

        Args:
            other: what follows, on its own clock.
            at: a duration after which it does; the end of this schedule when left out.
            join: ``"restart"`` measures the levels of ``other`` by the same base rate;
                ``"continue"`` by the rate at which this schedule ended, so that there is no jump
                where ``other`` starts at 1.

        Raises:
            ScheduleError: ``other`` is no schedule, ``at`` no duration, ``join`` neither of the
                two, or there is no end to follow.

        >>> from lrlab.schedules import Constant, Exponential
        >>> Exponential(0.5).then(Constant(0.1), at=2)([0, 1, 2, 3])
        array([1. , 0.5, 0.1, 0.1])
        >>> Exponential(0.5).then(Constant(0.1), at=2, join="continue")([0, 1, 2, 3])
        array([1.   , 0.5  , 0.025, 0.025])
        """
        from lrlab.schedules.combinators import Continued, Sequential

        if not _is_schedule(other):
            raise ScheduleError(f"then: what follows must be a schedule, got {other!r}.")
        if join not in ("restart", "continue"):
            hint = format_suggestion(str(join), ("restart", "continue"))
            raise ScheduleError(f'then: join must be "restart" or "continue", got {join!r}{hint}')
        first = self._schedule if at is None else self.until(at)
        return Sequential((first, other)) if join == "restart" else Continued(first, other)

    def until(self, at: float | str) -> "Schedule":
        """This schedule up to ``at``, then holding the value it has there.

        Args:
            at: a duration: steps, ``"5ep"`` or ``"10%"``.

        Raises:
            ScheduleError: ``at`` is no duration.

        >>> from lrlab.schedules import Constant, Exponential
        >>> Exponential(0.5).until(2) >> Constant(0.1)
        Exponential(0.5).until(2) >> Constant(0.1)
        """
        from lrlab.schedules.combinators import Until

        return Until(self._schedule, at)

    def shift(self, by: float | str) -> "Schedule":
        """This schedule, begun ``by`` later; its first value holds until then.

        Args:
            by: a duration, or a negative number of steps to begin in the middle.

        Raises:
            ScheduleError: ``by`` is neither.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).shift(2)([0, 1, 2, 3, 4])
        array([1. , 1. , 1. , 0.5, 0. ])
        >>> Linear(1, 0, over=2).shift(-1)([0, 1])
        array([0.5, 0. ])
        """
        from lrlab.schedules.combinators import Shift

        return Shift(self._schedule, by)

    def stretch(self, by: float) -> "Schedule":
        """This schedule ``by`` times as slow: its value at t is that at t / by.

        Args:
            by: a number above 0; below 1 it is faster.

        Raises:
            ScheduleError: ``by`` is not above 0.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).stretch(2)([0, 1, 2, 3, 4])
        array([1.  , 0.75, 0.5 , 0.25, 0.  ])
        """
        from lrlab.schedules.combinators import Stretch

        return Stretch(self._schedule, by)

    def staircase(self, every: float | str) -> "Schedule":
        """This schedule, changing only once in ``every`` steps and holding in between.

        Args:
            every: a duration above 0; ``"1ep"`` changes the rate once an epoch however often the
                scheduler is stepped.

        Raises:
            ScheduleError: ``every`` is no duration above 0.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=4).staircase(2)([0, 1, 2, 3, 4])
        array([1. , 1. , 0.5, 0.5, 0. ])
        """
        from lrlab.schedules.combinators import Staircase

        return Staircase(self._schedule, every)

    def repeat(
        self, times: int | None = None, *, growth: float = 1.0, decay: float = 1.0
    ) -> "Schedule":
        """This schedule again and again.

        Args:
            times: how often, from 1 to a billion; without end when left out.
            growth: how many times as long each repetition is as the one before, 1 or more.
            decay: how many times as high, above 0.

        Raises:
            ScheduleError: an argument is out of its domain, or this schedule has no end.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).repeat()([0, 1, 2, 3, 4])
        array([1. , 0.5, 1. , 0.5, 1. ])
        >>> Linear(1, 0, over=2).repeat(2, growth=2, decay=0.5)([0, 1, 2, 3, 4, 5, 6, 7])
        array([1.   , 0.5  , 0.5  , 0.375, 0.25 , 0.125, 0.   , 0.   ])
        """
        from lrlab.schedules.cycles import Repeat

        return Repeat(self._schedule, times, growth=growth, decay=decay)

    def clip(
        self, low: float | Absolute | None = None, high: float | Absolute | None = None
    ) -> "Schedule":
        """This schedule, never below ``low`` and never above ``high``.

        Args:
            low, high: factors of the base rate, 0 or more, or an absolute ``Rate``; no bound when
                left out.

        Raises:
            ScheduleError: a bound is no level, or ``low`` is above ``high``.

        >>> from lrlab.schedules import Exponential
        >>> Exponential(0.5).clip(0.2)([0, 1, 2, 3])
        array([1.  , 0.5 , 0.25, 0.2 ])
        """
        from lrlab.schedules.combinators import Clip

        return Clip(self._schedule, low, high)

    def affine(self, slope: float, offset: float | Absolute) -> "Schedule":
        """``offset + slope * a``: for a hyperparameter that follows the rate, such as momentum.

        Args:
            slope: any number; below 0 it falls where the rate rises.
            offset: a level, the value where the rate is 0.

        Raises:
            ScheduleError: ``slope`` is no number, ``offset`` no level; or, when it is evaluated, a
                value is below 0.

        >>> from lrlab.schedules import Linear
        >>> Linear(0, 1, over=2).affine(-0.1, 0.95)([0, 1, 2])
        array([0.95, 0.9 , 0.85])
        """
        from lrlab.schedules.combinators import Affine

        return Affine(self._schedule, slope, offset)

    def cumprod(self) -> "Schedule":
        """The product of this schedule's factors at steps 1, 2, ..., t; 1 at t = 0.

        Raises:
            ScheduleError: this schedule has absolute rates, whose product is no rate.

        >>> from lrlab.schedules import Constant
        >>> Constant(0.5).cumprod()([0, 1, 2])
        array([1.  , 0.5 , 0.25])
        """
        from lrlab.schedules.combinators import CumulativeProduct

        return CumulativeProduct(self._schedule)

    def replan(
        self, new_total_steps: float, *, at: float, total_steps: float | None = None
    ) -> "Schedule":
        """This schedule for a training that turns out longer or shorter, changed at step ``at``.

        Up to ``at`` nothing changes, and there is no jump: what was still to come is stretched (or
        shrunk) so that it ends with the training.

        Args:
            new_total_steps: steps that the whole training has now, more than ``at``.
            at: the step already reached.
            total_steps: steps that it had before; the length of this schedule when left out.

        Raises:
            ScheduleError: a number is out of its domain; ``at`` lies within a part that reads a
                metric; or ``total_steps`` is left out, and the schedule is not bound or has no end.

        >>> from lrlab.schedules import Cosine, Warmup
        >>> (Warmup(5) >> Cosine(45)).replan(95, at=20)
        Warmup(5) >> Cosine(45).until(15) >> Cosine(45).shift(-15).stretch(2.5)
        """
        from lrlab.schedules.combinators import replan_schedule

        return replan_schedule(self._schedule, new_total_steps, at, total_steps)


def _is_schedule(value: object) -> bool:

    return isinstance(value, Schedule)


def _is_operand(value: object) -> bool:
    return _is_schedule(value) or to_finite_float(value) is not None


MetricState = tuple[Any, ...]
"""Numbers, None and tuples of these; ``()`` for a schedule that reads no metric."""


class MetricStateMixin(ScheduleMixin):
    """The pure state machine that every schedule is.

    It begins in ``init_state()``; ``update_state`` gives the next state; ``with_state(state)`` is the schedule
    that the state makes of it, whose rate at the current step is the one to use.
    """

    @property
    def needs_metric(self) -> bool:
        """Whether it reads metrics."""
        return any(child.needs_metric for child in self._schedule.children())

    def init_state(self) -> MetricState:
        """The state before any metric."""
        return tuple(c.init_state() for c in self._schedule.children()) if self.needs_metric else ()

    def update_state(
        self, state: MetricState, t: float, metric: Any, base: float | None = None
    ) -> MetricState:
        """The state after a metric was measured at step ``t``.

        Metrics are for the part that rules at ``t``, so in a sequence only those seen after a
        part's start count.

        Args:
            state: the state before.
            t: the step, 0 or more.
            metric: any number; NaN is never an improvement.
            base: the rate given to the optimizer; needed when a level is an absolute ``Rate``. A
                state belongs to one base rate then.

        Raises:
            ScheduleError: ``metric`` is no number, ``t`` no step, ``state`` none of this schedule,
                ``base`` is missing, or the schedule is not bound.

        >>> from lrlab.schedules import Plateau, Warmup
        >>> schedule = Warmup(2) >> Plateau(patience=0)
        >>> state = schedule.init_state()
        >>> for t, loss in enumerate([0.9, 0.9, 0.5, 0.6]):
        ...     state = schedule.update_state(state, t, loss)
        >>> schedule.with_state(state)
        Warmup(2) >> Constant(0.1)
        """
        step = to_finite_float(t)
        if step is None or step < 0:
            raise ScheduleError(f"t must be a step of 0 or more, got {t!r}.")
        self._check_state(state)
        return self.apply_metric(
            state, step, convert_metric(metric), self._schedule.resolve_base(base)[1]
        )

    def apply_metric(self, state: MetricState, t: float, metric: float, base: float) -> MetricState:
        """``update_state`` with a metric that is read, for the rate that ``evaluate`` is given."""
        if not self.needs_metric:
            return state
        new_states = []
        for i, child in enumerate(self._schedule.children()):
            location = self.locate_child(i, t, base, state)
            new_states.append(
                state[i]
                if location is None
                else child.apply_metric(state[i], location[0], metric, location[1])
            )
        return tuple(new_states)

    def with_state(self, state: MetricState) -> "Schedule":
        """The schedule that the metrics observed so far make of this one.

        Raises:
            ScheduleError: ``state`` is none of this schedule.
        """
        self._check_state(state)
        return self.apply_state(state)

    def apply_state(self, state: MetricState) -> "Schedule":
        """``with_state`` with a state that is checked."""
        if not self.needs_metric:
            return self._schedule
        children = zip(self._schedule.children(), state, strict=True)
        return self._schedule.replace_children(
            tuple(child.apply_state(child_state) for child, child_state in children)
        )

    def _check_state(self, state: MetricState) -> None:
        if not _has_same_structure(state, self.init_state()):
            raise ScheduleError(
                f"the state must be one that initial() or observe() of {self} returned, got "
                f"{state!r}."
            )

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        """The step and base rate of a child while this one is at ``t``; None while it rests."""
        return t, base


def _has_same_structure(state: Any, reference: MetricState) -> bool:
    """Whether a state has the parts that the first one has; an empty one may have grown."""
    if not isinstance(state, tuple | list) or len(state) != len(reference):
        return False
    pairs = zip(state, reference, strict=True)
    return all(
        _has_same_structure(one, other)
        for one, other in pairs
        if other and isinstance(other, tuple)
    )


def convert_metric(metric: Any) -> float:
    """A metric as a float, infinite and NaN ones included; tensors and arrays of one element too.

    Raises:
        ScheduleError: it is no number.
    """
    try:
        if isinstance(metric, str | bytes | bool):
            raise TypeError
        return float(metric)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ScheduleError(f"a metric must be a number, got {metric!r}.") from None


Array = np.ndarray[Any, np.dtype[np.float64]]

# Long arrays are evaluated in pieces whose temporary arrays stay in the cache. (Threads for them
# were slower: each would wait for the interpreter's lock after every operation.)
_CHUNK_SIZE = 65_536

PRECEDENCE_SEQUENTIAL, PRECEDENCE_SUM, PRECEDENCE_PRODUCT, PRECEDENCE_CALL = range(1, 5)
"""How tightly the text of a schedule binds."""


class Schedule(OperatorsMixin, MetricStateMixin, ABC):
    """A pure function from the step t to a rate.

    ``t`` counts calls of ``scheduler.step()`` from 0. ``schedule(t)`` is a factor of the base
    rate, ``schedule(t, base=0.1)`` the rate itself. ``t`` may be a number or an array of any
    shape; both ways give the same bits. Evaluation is closed-form: O(1) in t, in any order.
    """

    __array_ufunc__ = None  # so that NumPy's numbers leave ``number * schedule`` to us
    precedence: ClassVar[int] = PRECEDENCE_CALL

    @abstractmethod
    def evaluate(self, t: Array, base: float) -> Array:
        """The rates at ``t``, a one-dimensional array of steps >= 0, for the rate ``base``."""

    @abstractmethod
    def compute_length(self, horizon: Horizon) -> float:
        """Steps from the start to the end, not rounded; infinite if there is no end of its own."""

    @property
    @abstractmethod
    def has_end(self) -> bool:
        """Whether it has an end, be it that of the training."""

    @abstractmethod
    def bind_to_horizon(self, horizon: Horizon) -> "Schedule":
        """This schedule with every duration turned into steps of ``horizon``."""

    @abstractmethod
    def __repr__(self) -> str:
        """The text of the schedule, which is also the Python expression that builds it."""

    def children(self) -> tuple["Schedule", ...]:
        """The schedules that this one is composed of, in order."""
        return ()

    def replace_children(self, children: tuple["Schedule", ...]) -> "Schedule":
        """This schedule with other children in the place of its own."""
        return self

    def walk(self) -> Iterator["Schedule"]:
        """This schedule and everything inside it, outermost first."""
        yield self
        for child in self.children():
            yield from child.walk()

    @overload
    def __call__(self, t: float, base: float | None = None) -> float: ...
    @overload
    def __call__(
        self, t: Sequence[Any] | np.ndarray[Any, Any], base: float | None = None
    ) -> Array: ...
    def __call__(self, t: Any, base: float | None = None) -> float | Array:
        """The rate at step ``t`` for a base rate, or its factor when ``base`` is left out.

        Args:
            t: step or array of steps, 0 or more; past its end a schedule holds its last value.
            base: the rate given to the optimizer; needed when a level is an absolute ``Rate``.

        Returns:
            A float for a number, a float64 array of the same shape for an array.

        Raises:
            ScheduleError: ``t`` is negative, beyond 2**53 or no number, ``base`` is missing or no
                rate, or the schedule still needs ``bind``.
        """
        steps = _to_numeric_array(t)
        factor, rate = self.resolve_base(base)
        flat = np.ascontiguousarray(steps).reshape(-1)
        rates = np.empty(flat.shape)
        for i in range(0, flat.size, _CHUNK_SIZE):
            piece = self._bound_schedule.evaluate(_check_steps(flat[i : i + _CHUNK_SIZE]), rate)
            try:
                with np.errstate(over="raise"):
                    np.multiply(piece, factor, out=rates[i : i + _CHUNK_SIZE])
            except FloatingPointError:
                raise ScheduleError(
                    f"{self} must give a finite rate, but at base rate {factor:g} it is beyond "
                    "float64: try a lower base."
                ) from None
        return float(rates[0]) if steps.ndim == 0 else rates.reshape(steps.shape)

    def resolve_base(self, base: float | None) -> tuple[float, float]:
        """What to multiply by, and the base rate to evaluate for."""
        if base is None:
            if not self.is_relative:
                raise ScheduleError(
                    f"{self} has an absolute Rate, so it needs the base rate too: pass base=0.1, "
                    "as in schedule(t, base=0.1)."
                )
            return 1.0, 1.0
        rate = to_finite_float(base)
        if rate is None or rate < 0:
            raise ScheduleError(f"base must be a rate of 0 or more, got {base!r}.")
        return (rate, 1.0) if self.is_relative else (1.0, rate)

    @cached_property
    def is_relative(self) -> bool:
        """Whether every level is a factor of the base rate, so that rate = base * factor."""
        return all(child.is_relative for child in self.children())

    @cached_property
    def _bound_schedule(self) -> "Schedule":
        # Binding to a horizon of which nothing is known succeeds just when nothing is needed.
        return self.bind_to_horizon(Horizon())

    def bind(
        self, total_steps: float | None = None, steps_per_epoch: float | None = None
    ) -> "Schedule":
        """This schedule with all durations in steps.

        Args:
            total_steps: steps of the whole training, what shares (``"10%"``) and shapes without a
                duration are measured by.
            steps_per_epoch: steps per epoch, what durations such as ``"5ep"`` are measured by.

        Raises:
            ScheduleError: one of them is not above 0, or is left out and needed.

        >>> from lrlab.schedules import Cosine, Warmup
        >>> (Warmup("10%") >> Cosine()).bind(total_steps=50)
        Warmup(5) >> Cosine(45)
        """
        for name, value in (("total", total_steps), ("epoch", steps_per_epoch)):
            if value is not None and not (to_finite_float(value) or 0) > 0:
                raise ScheduleError(
                    f"bind: {name} must be a number of steps above 0, got {value!r}."
                )
        return self.bind_to_horizon(
            Horizon(total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        )


def _to_numeric_array(t: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(t)
    except (TypeError, ValueError, RuntimeError):  # torch raises the last
        array = np.asarray("ragged")
    if array.dtype.kind not in "iuf":
        raise ScheduleError(f"t must be a step or an array of steps, got {t!r}.")
    return array


def _check_steps(values: np.ndarray[Any, Any]) -> Array:
    steps = values.astype(np.float64)
    if not steps.min() >= 0:
        raise ScheduleError(f"t must be 0 or more (it counts steps from 0), got {steps.min()!s}.")
    if not steps.max() <= MAX_STEPS:
        raise ScheduleError(
            f"t must be at most 2**53 (float64 counts no single steps beyond), got {steps.max()!s}."
        )
    return steps


def check_rates(rates: Array, t: Array, schedule: Schedule) -> Array:
    """``rates``, when each is finite and 0 or more.

    Raises:
        ScheduleError: one is not; the message names the first step at which it happens.
    """
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ScheduleError(
            f"{schedule} must give a finite rate of 0 or more, but at t = {t[first]:g} it gives "
            f"{rates[first]:g}."
        )
    return rates


@dataclass(frozen=True, repr=False)
class Primitive(Schedule):
    """A primitive schedule: a frozen dataclass whose fields are annotated with a ``Kind``.

    A new shape is a frozen dataclass (``repr=False``) with ``evaluate``; reading, checking,
    binding, printing and parsing of its parameters follow from the annotations. It lasts as long
    as its field ``over`` says; where that is None or missing, it has no end of its own.
    """

    def __post_init__(self) -> None:
        for name, kind in get_field_specs(type(self)).items():
            object.__setattr__(self, name, self._convert_value(name, kind, getattr(self, name)))

    def _convert_value(self, name: str, spec: FieldSpec, value: Any) -> Any:
        if value is None and spec.optional:
            return None
        converted = spec.convert(value)
        if converted is None:
            raise self.make_error(f"{name} must be {spec.rule}, got {value!r}.")
        return converted

    def make_error(self, message: str) -> ScheduleError:
        """An error about an argument of this shape."""
        return ScheduleError(f"{type(self).__name__}: {message}")

    @cached_property
    def is_relative(self) -> bool:
        has_only_factors = not any(
            _contains_absolute(getattr(self, name)) for name in get_field_specs(type(self))
        )
        return has_only_factors and super().is_relative

    @property
    def has_end(self) -> bool:
        spec = get_field_specs(type(self)).get("over")
        return spec is not None and (
            spec.fills_remaining or getattr(self, "over", None) is not None
        )

    def compute_length(self, horizon: Horizon) -> float:
        over: float | str | None = getattr(self, "over", None)
        return inf if over is None else horizon.to_exact_steps(over)

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        return self.replace(
            **{
                name: kind.bind(getattr(self, name), horizon, self)
                for name, kind in get_field_specs(type(self)).items()
                if kind.bind is not None
            }
        )

    def replace(self, **values: Any) -> Self:
        """This shape with other values of some fields, or itself where they are the same."""
        same = all(getattr(self, name) == value for name, value in values.items())
        return self if same else dataclasses.replace(self, **values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.format_arguments()})"

    def format_arguments(self) -> str:
        """The text of the arguments, those with their default value left out."""
        fields = [f for f in dataclasses.fields(self) if f.name != "schedule"]
        # A subclass that makes a field keyword-only leaves it where it stood among the others.
        positional = [f for f in fields if not f.kw_only]
        changed = [f.name for f in fields if getattr(self, f.name) != f.default]
        last = max((i for i, f in enumerate(positional) if f.name in changed), default=-1)
        texts = [format_value(getattr(self, f.name)) for f in positional[: last + 1]]
        texts += [
            f"{f.name}={format_value(getattr(self, f.name))}"
            for f in fields
            if f.kw_only and f.name in changed
        ]
        return ", ".join(texts)


@dataclass(frozen=True, repr=False)
class Wrapper(Primitive):
    """One schedule, changed; written as a call of ``method_name`` on it: ``a.until(30)``."""

    schedule: Schedule
    method_name: ClassVar[str]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.schedule, Schedule):
            raise self.make_error(f"schedule must be a schedule, got {self.schedule!r}.")

    def children(self) -> tuple[Schedule, ...]:
        return (self.schedule,)

    def replace_children(self, children: tuple[Schedule, ...]) -> Self:
        (schedule,) = children
        return self.replace(schedule=schedule)

    def to_inner_horizon(self, horizon: Horizon) -> Horizon:
        """The horizon of the schedule inside."""
        return horizon

    @cached_property
    def has_end(self) -> bool:
        return self.schedule.has_end

    def compute_length(self, horizon: Horizon) -> float:
        return self.schedule.compute_length(self.to_inner_horizon(horizon))

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        bound = super().bind_to_horizon(horizon)
        return bound.replace(
            schedule=self.schedule.bind_to_horizon(bound.to_inner_horizon(horizon))
        )

    def __repr__(self) -> str:
        return f"{parenthesize(self.schedule, self.precedence)}.{self.method_name}({self.format_arguments()})"


def parenthesize(schedule: Schedule, precedence: int) -> str:
    """The text of ``schedule``, in parentheses where it binds less tightly than its place asks."""
    text = repr(schedule)
    return text if schedule.precedence >= precedence else f"({text})"


def _contains_absolute(value: object) -> bool:
    return isinstance(value, Absolute) or (
        isinstance(value, tuple) and any(map(_contains_absolute, value))
    )


@cache
def get_field_specs(primitive: type[Primitive]) -> dict[str, FieldSpec]:
    """The fields of a shape that are parameters, and what each may be."""
    hints = get_type_hints(primitive, include_extras=True)
    names = [f.name for f in dataclasses.fields(primitive)]
    specs = {
        name: [arg for arg in get_args(hints[name]) if isinstance(arg, FieldSpec)] for name in names
    }
    return {name: kinds[0] for name, kinds in specs.items() if kinds}
