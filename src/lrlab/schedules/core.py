"""What a schedule is: evaluation, operators, binding, metric state. Start reading here.

A schedule is a ``Primitive`` (one formula, such as ``Cosine``), a ``Wrapper`` (one schedule,
changed, such as ``a.until(30)``), or a combination of several (``a >> b``, ``a * b``, ``a + b``).
``combinators`` has the wrappers and combinations; the other modules have the primitives.
"""

import dataclasses
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cache, cached_property
from math import inf
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args, get_type_hints, overload

import numpy as np

from lrlab._checks import is_positive, to_finite_float
from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules.durations import MAX_STEPS, Horizon
from lrlab.schedules.fields import (
    Absolute,
    DurationOrInfinite,
    FieldSpec,
    Level,
    format_value,
    resolve_level,
)

__all__ = ["Constant", "Primitive", "Schedule"]

Array = np.ndarray[Any, np.dtype[np.float64]]

MetricState = tuple[Any, ...]
"""Numbers, None and tuples of these; ``()`` for a schedule that is not metric-driven."""

PRECEDENCE_SEQUENTIAL, PRECEDENCE_SUM, PRECEDENCE_PRODUCT, PRECEDENCE_CALL = range(1, 5)
"""How tightly the text of a schedule binds."""

_BUILDERS: dict[str, Callable[..., Any]] = {}

BUILDERS: Mapping[str, Callable[..., Any]] = MappingProxyType(_BUILDERS)
"""What a text may call, by name: classes of schedules (also users' own), recipes, Absolute."""

Builder = TypeVar("Builder", bound=Callable[..., Any])

# Long arrays are evaluated in pieces whose temporary arrays stay in the cache. (Threads for them
# were slower: each would wait for the interpreter's lock after every operation.)
_CHUNK_SIZE = 65_536


def register_builder(builder: Builder) -> Builder:
    """Let texts call a class or function by its name; return it.

    A definition that runs again, as in a notebook, takes the place of the former one. A definition
    inside a function gives its place to any other: tests have several of one name.

    Raises:
        ScheduleError: another class or function has that name.
    """
    name, known = builder.__name__, _BUILDERS.get(builder.__name__)
    if known and not _is_local(known) and not _is_same_definition(known, builder):
        if is_builtin(known):
            raise ScheduleError(
                f"{name}: lrlab has a schedule of that name, and texts tell schedules apart by "
                "their names; rename your class."
            )
        raise ScheduleError(
            f"{name}: {known.__module__} has another schedule of that name, and texts tell "
            "schedules apart by their names; rename one of them, or start Python anew if you "
            "moved it."
        )
    _BUILDERS[name] = builder
    return builder


def is_builtin(builder: Callable[..., Any]) -> bool:
    """Whether a class or function belongs to lrlab."""
    return builder.__module__.partition(".")[0] == __name__.partition(".")[0]


def _is_local(builder: Callable[..., Any]) -> bool:
    return "<locals>" in builder.__qualname__


def _is_same_definition(first: Callable[..., Any], second: Callable[..., Any]) -> bool:
    """Whether two classes or functions come from the same lines; a script has two module names."""
    files = [
        getattr(sys.modules.get(builder.__module__), "__file__", None)
        for builder in (first, second)
    ]
    is_same_module = first.__module__ == second.__module__ or files[0] == files[1] is not None
    return is_same_module and first.__qualname__ == second.__qualname__


register_builder(Absolute)


class Schedule(ABC):
    """A pure function from the step t to a learning rate.

    ``t`` counts calls of ``scheduler.step()`` from 0. ``schedule(t)`` is a factor of the base
    rate, ``schedule(t, base=0.1)`` the rate itself. ``t`` may be a number or an array of any
    shape; both give the same bits. Evaluation is closed-form: O(1) in t, in any order.

    A metric-driven schedule is also a pure state machine: it starts in ``init_state()``,
    ``update_state`` returns the next state, and ``with_state(state)`` returns the schedule to use
    in that state.

    A class that is not abstract registers itself when it is defined, so that texts may call it.
    """

    __array_ufunc__ = None  # so that NumPy's numbers leave ``number * schedule`` to us
    precedence: ClassVar[int] = PRECEDENCE_CALL
    is_called_by_name: ClassVar[bool] = True
    """Whether texts call the class by its name; operators and methods build the others."""
    gallery_example: ClassVar[str] = ""
    """The text that the gallery draws, over 100 steps in 10 epochs; without one it is omitted."""
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
    """The methods that a text may call on a schedule."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.is_called_by_name and not inspect.isabstract(cls):
            register_builder(cls)

    # What a subclass defines.

    @abstractmethod
    def evaluate(self, t: Array, base: float) -> Array:
        """Return the rates at ``t``, a one-dimensional array of steps >= 0, for a base rate."""

    @abstractmethod
    def compute_length(self, horizon: Horizon) -> float:
        """Return the number of steps from start to end, not rounded; infinite without an end."""

    @property
    @abstractmethod
    def has_end(self) -> bool:
        """Whether it ends, before the training or with it."""

    @abstractmethod
    def bind_to_horizon(self, horizon: Horizon) -> "Schedule":
        """Return this schedule with every duration in steps of ``horizon``."""

    @abstractmethod
    def __repr__(self) -> str:
        """Return the text of the schedule, which is also the Python expression that builds it."""

    def children(self) -> tuple["Schedule", ...]:
        """The schedules that this one is composed of, in order."""
        return ()

    def replace_children(self, children: tuple["Schedule", ...]) -> "Schedule":
        """Return this schedule with other children."""
        return self

    # Evaluation.

    @overload
    def __call__(self, t: float, base: float | None = None) -> float: ...
    @overload
    def __call__(
        self, t: Sequence[Any] | np.ndarray[Any, Any], base: float | None = None
    ) -> Array: ...
    def __call__(self, t: Any, base: float | None = None) -> float | Array:
        """Return the rate at step ``t`` for a base rate, or its factor if ``base`` is omitted.

        Args:
            t: step or array of steps, 0 or more; past its end a schedule holds its last value.
            base: the rate given to the optimizer; needed if a level is ``Absolute``.

        Returns:
            A float for a number, a float64 array of the same shape for an array.

        Raises:
            ScheduleError: ``t`` is negative, beyond 2**53 or not a number, ``base`` is missing or
                not a rate, the schedule still needs ``bind``, or a class of the user returns
                anything but rates.
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
            except (TypeError, ValueError):  # a class of the user
                got = f"shape {piece.shape}" if isinstance(piece, np.ndarray) else repr(piece)[:60]
                raise ScheduleError(
                    f"{self} must give a rate for each step: its evaluate must return an array of "
                    f"the shape of t, got {got}."
                ) from None
        return float(rates[0]) if steps.ndim == 0 else rates.reshape(steps.shape)

    def resolve_base(self, base: float | None) -> tuple[float, float]:
        """Return the number to multiply rates by, and the base rate to evaluate for."""
        if base is None:
            if not self.is_relative:
                raise ScheduleError(
                    f"{self} has an Absolute level, so it needs the base rate, as in "
                    "schedule(t, base=0.1)."
                )
            return 1.0, 1.0
        rate = to_finite_float(base)
        if rate is None or rate < 0:
            raise ScheduleError(f"base must be a non-negative rate, got {base!r}.")
        return (rate, 1.0) if self.is_relative else (1.0, rate)

    @cached_property
    def is_relative(self) -> bool:
        """Whether every level is a factor of the base rate, so that rate = base * factor."""
        return all(child.is_relative for child in self.children())

    @cached_property
    def _bound_schedule(self) -> "Schedule":
        # Binding to an unknown horizon succeeds only if no duration depends on the horizon.
        return self.bind_to_horizon(Horizon())

    def bind(
        self, total_steps: float | None = None, steps_per_epoch: float | None = None
    ) -> "Schedule":
        """Return this schedule with all durations in steps.

        Args:
            total_steps: steps of the whole training; needed by percentages (``"10%"``) and by
                schedules without a duration.
            steps_per_epoch: steps per epoch; needed by durations such as ``"5ep"``.

        Raises:
            ScheduleError: one of them is not above 0, or is omitted and needed.

        >>> from lrlab.schedules import Cosine, Warmup
        >>> (Warmup("10%") >> Cosine()).bind(total_steps=50)
        Warmup(5) >> Cosine(45)
        """
        for name, value in (("total_steps", total_steps), ("steps_per_epoch", steps_per_epoch)):
            if value is not None and not is_positive(value):
                raise ScheduleError(
                    f"bind: {name} must be a positive number of steps, got {value!r}."
                )
        return self.bind_to_horizon(
            Horizon(total_steps=total_steps, steps_per_epoch=steps_per_epoch)
        )

    def walk(self) -> Iterator["Schedule"]:
        """Iterate over this schedule and everything inside it, outermost first."""
        yield self
        for child in self.children():
            yield from child.walk()

    # Operators and methods that build other schedules.

    def __rshift__(self, other: "Schedule") -> "Schedule":
        """``a >> b``: b after a, on its own clock, with the same base rate."""
        if not isinstance(other, Schedule):
            return NotImplemented
        return combinators.Sequential((self, other))

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        """``a * b``: the product of two schedules, or of a schedule and a factor."""
        if not is_operand(other):
            return NotImplemented
        return combinators.Product(combinators.to_operands(self, other))

    def __rmul__(self, other: float) -> "Schedule":
        if not is_operand(other):
            return NotImplemented
        return combinators.Product(combinators.to_operands(other, self))

    def __add__(self, other: "Schedule | float") -> "Schedule":
        """``a + b``: the sum of two schedules, or of a schedule and a factor of the base rate."""
        if not is_operand(other):
            return NotImplemented
        return combinators.Sum(combinators.to_operands(self, other))

    def __radd__(self, other: float) -> "Schedule":
        if not is_operand(other):
            return NotImplemented
        return combinators.Sum(combinators.to_operands(other, self))

    def then(
        self,
        other: "Schedule",
        at: float | str | None = None,
        join: Literal["restart", "continue"] = "restart",
    ) -> "Schedule":
        """Return ``other`` after this schedule, as ``>>`` does; with ``at``, from that step on.

        Args:
            other: the next schedule, on its own clock.
            at: the duration after which it starts; the end of this schedule if omitted.
            join: ``"restart"`` gives ``other`` the same base rate; ``"continue"`` gives it the
                rate at which this schedule ended as base rate, so that there is no jump if
                ``other`` starts at 1.

        Raises:
            ScheduleError: ``other`` is not a schedule, ``at`` is not a duration, ``join`` is
                neither of the two, or this schedule has no end.

        >>> from lrlab.schedules import Constant, Exponential
        >>> Exponential(0.5).then(Constant(0.1), at=2)([0, 1, 2, 3])
        array([1. , 0.5, 0.1, 0.1])
        >>> Exponential(0.5).then(Constant(0.1), at=2, join="continue")([0, 1, 2, 3])
        array([1.   , 0.5  , 0.025, 0.025])
        """
        if not isinstance(other, Schedule):
            raise ScheduleError(f"then: other must be a schedule, got {other!r}.")
        if join not in ("restart", "continue"):
            hint = format_suggestion(str(join), ("restart", "continue")) or "."
            raise ScheduleError(f'then: join must be "restart" or "continue", got {join!r}{hint}')
        first = self if at is None else self.until(at)
        if join == "restart":
            return combinators.Sequential((first, other))
        return combinators.Continued(first, other)

    def until(self, at: float | str) -> "Schedule":
        """Return this schedule up to ``at``, then holding the value it has there.

        Args:
            at: a duration: steps, ``"5ep"`` or ``"10%"``.

        Raises:
            ScheduleError: ``at`` is not a duration.

        >>> from lrlab.schedules import Constant, Exponential
        >>> Exponential(0.5).until(2) >> Constant(0.1)
        Exponential(0.5).until(2) >> Constant(0.1)
        """
        return combinators.Until(self, at)

    def shift(self, by: float | str) -> "Schedule":
        """Return this schedule started ``by`` later; its first value holds until then.

        Args:
            by: a duration, or a negative number of steps to start in the middle.

        Raises:
            ScheduleError: ``by`` is neither.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).shift(2)([0, 1, 2, 3, 4])
        array([1. , 1. , 1. , 0.5, 0. ])
        >>> Linear(1, 0, over=2).shift(-1)([0, 1])
        array([0.5, 0. ])
        """
        return combinators.Shift(self, by)

    def stretch(self, by: float) -> "Schedule":
        """Return this schedule slowed down ``by`` times: its value at t is that at t / by.

        Args:
            by: a number above 0; below 1 it is faster.

        Raises:
            ScheduleError: ``by`` is not above 0.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).stretch(2)([0, 1, 2, 3, 4])
        array([1.  , 0.75, 0.5 , 0.25, 0.  ])
        """
        return combinators.Stretch(self, by)

    def staircase(self, every: float | str) -> "Schedule":
        """Return this schedule changing only once in ``every`` steps and holding in between.

        Args:
            every: a positive duration; ``"1ep"`` changes the rate once an epoch however often the
                scheduler is stepped.

        Raises:
            ScheduleError: ``every`` is not a positive duration.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=4).staircase(2)([0, 1, 2, 3, 4])
        array([1. , 1. , 0.5, 0.5, 0. ])
        """
        return combinators.Staircase(self, every)

    def repeat(
        self, times: int | None = None, *, growth: float = 1.0, decay: float = 1.0
    ) -> "Schedule":
        """Return this schedule repeated.

        Args:
            times: number of repetitions, from 1 to a billion; endless if omitted.
            growth: length of each repetition divided by that of the one before, 1 or more.
            decay: height of each repetition divided by that of the one before, above 0.

        Raises:
            ScheduleError: an argument is out of its domain, or this schedule has no end.

        >>> from lrlab.schedules import Linear
        >>> Linear(1, 0, over=2).repeat()([0, 1, 2, 3, 4])
        array([1. , 0.5, 1. , 0.5, 1. ])
        >>> Linear(1, 0, over=2).repeat(2, growth=2, decay=0.5)([0, 1, 2, 3, 4, 5, 6, 7])
        array([1.   , 0.5  , 0.5  , 0.375, 0.25 , 0.125, 0.   , 0.   ])
        """
        return combinators.Repeat(self, times, growth=growth, decay=decay)

    def clip(
        self, low: float | Absolute | None = None, high: float | Absolute | None = None
    ) -> "Schedule":
        """Return this schedule, never below ``low`` and never above ``high``.

        Args:
            low, high: factors of the base rate, 0 or more, or ``Absolute`` rates; no bound if
                omitted.

        Raises:
            ScheduleError: a bound is not a level, or ``low`` is above ``high``.

        >>> from lrlab.schedules import Exponential
        >>> Exponential(0.5).clip(0.2)([0, 1, 2, 3])
        array([1.  , 0.5 , 0.25, 0.2 ])
        """
        return combinators.Clip(self, low, high)

    def affine(self, slope: float, offset: float | Absolute) -> "Schedule":
        """Return ``offset + slope * a``: for a hyperparameter that follows the rate, e.g. momentum.

        Args:
            slope: any number; below 0 the result falls where the rate rises.
            offset: a level, the value where the rate is 0.

        Raises:
            ScheduleError: ``slope`` is not a number or ``offset`` not a level; or, on evaluation,
                a value is below 0.

        >>> from lrlab.schedules import Linear
        >>> Linear(0, 1, over=2).affine(-0.1, 0.95)([0, 1, 2])
        array([0.95, 0.9 , 0.85])
        """
        return combinators.Affine(self, slope, offset)

    def cumprod(self) -> "Schedule":
        """Return the product of this schedule's factors at steps 1, 2, ..., t; 1 at t = 0.

        Raises:
            ScheduleError: this schedule has absolute rates or is metric-driven.

        >>> from lrlab.schedules import Constant
        >>> Constant(0.5).cumprod()([0, 1, 2])
        array([1.  , 0.5 , 0.25])
        """
        return combinators.CumulativeProduct(self)

    def replan(
        self, new_total_steps: float, *, at: float, total_steps: float | None = None
    ) -> "Schedule":
        """Return this schedule for a training that gets longer or shorter at step ``at``.

        Up to ``at`` nothing changes, and there is no jump: the rest is stretched (or shrunk) so
        that it ends with the training.

        Args:
            new_total_steps: steps that the whole training has now, more than ``at``.
            at: the step already reached.
            total_steps: steps that it had before; the length of this schedule if omitted.

        Raises:
            ScheduleError: a number is out of its domain; ``at`` lies within a metric-driven part;
                or ``total_steps`` is omitted, and the schedule is not bound or has no end.

        >>> from lrlab.schedules import Cosine, Warmup
        >>> (Warmup(5) >> Cosine(45)).replan(95, at=20)
        Warmup(5) >> Cosine(45).until(15) >> Cosine(45).shift(-15).stretch(2.5)
        """
        return combinators.replan_schedule(self, new_total_steps, at, total_steps)

    # Metric state.

    @property
    def needs_metric(self) -> bool:
        """Whether it, or a part of it, is metric-driven."""
        return any(child.needs_metric for child in self.children())

    def init_state(self) -> MetricState:
        """Return the state before any metric."""
        return tuple(c.init_state() for c in self.children()) if self.needs_metric else ()

    def update_state(
        self, state: MetricState, t: float, metric: Any, base: float | None = None
    ) -> MetricState:
        """Return the state after a metric was measured at step ``t``.

        Only the part that is active at ``t`` sees the metric, so in a sequence only metrics after
        a part's start count.

        Args:
            state: the state before.
            t: the step, 0 or more.
            metric: any number; NaN is never an improvement.
            base: the rate given to the optimizer; needed if a level is ``Absolute``. A state then
                belongs to one base rate.

        Raises:
            ScheduleError: ``metric`` is not a number, ``t`` not a step, ``state`` not one of this
                schedule, ``base`` is missing, or the schedule is not bound.

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
            raise ScheduleError(f"t must be a non-negative step, got {t!r}.")
        self._check_state(state)
        return self.apply_metric(state, step, convert_metric(metric), self.resolve_base(base)[1])

    def apply_metric(self, state: MetricState, t: float, metric: float, base: float) -> MetricState:
        """``update_state`` for checked arguments and the base rate that ``evaluate`` gets."""
        if not self.needs_metric:
            return state
        new_states = []
        for i, child in enumerate(self.children()):
            location = self.locate_child(i, t, base, state)
            new_states.append(
                state[i]
                if location is None
                else child.apply_metric(state[i], location[0], metric, location[1])
            )
        return tuple(new_states)

    def with_state(self, state: MetricState) -> "Schedule":
        """Return the schedule to use in a state: metric-driven parts become constants.

        Raises:
            ScheduleError: ``state`` is not one of this schedule.
        """
        self._check_state(state)
        return self.apply_state(state)

    def apply_state(self, state: MetricState) -> "Schedule":
        """``with_state`` for a checked state."""
        if not self.needs_metric:
            return self
        children = zip(self.children(), state, strict=True)
        return self.replace_children(
            tuple(child.apply_state(child_state) for child, child_state in children)
        )

    def _check_state(self, state: MetricState) -> None:
        if not _has_same_structure(state, self.init_state()):
            raise ScheduleError(
                f"the state must be one that init_state() or update_state() of {self} returned, "
                f"got {state!r}."
            )

    def locate_child(
        self, index: int, t: float, base: float, state: MetricState
    ) -> tuple[float, float] | None:
        """Return the step and base rate of a child at step ``t``; None while it is not active."""
        return t, base


@dataclass(frozen=True, repr=False)
class FieldSchedule(Schedule):
    """A frozen dataclass whose arguments are fields annotated with a ``FieldSpec``.

    Conversion, checks, binding and text of the arguments follow from the annotations.
    """

    def __post_init__(self) -> None:
        for name, spec in get_field_specs(type(self)).items():
            object.__setattr__(self, name, self._convert_value(name, spec, getattr(self, name)))

    def _convert_value(self, name: str, spec: FieldSpec, value: Any) -> Any:
        if value is None and spec.optional:
            return None
        converted = spec.convert(value)
        if converted is None:
            raise self.make_error(f"{name} must be {spec.rule}, got {value!r}.")
        return converted

    def make_error(self, message: str) -> ScheduleError:
        """Return an error about an argument of this schedule."""
        return ScheduleError(f"{type(self).__name__}: {message}")

    @cached_property
    def is_relative(self) -> bool:
        has_only_factors = not any(
            _contains_absolute(getattr(self, name)) for name in get_field_specs(type(self))
        )
        return has_only_factors and super().is_relative

    def bind_to_horizon(self, horizon: Horizon) -> Self:
        return self.replace(
            **{
                name: spec.bind(getattr(self, name), horizon, self)
                for name, spec in get_field_specs(type(self)).items()
                if spec.bind is not None
            }
        )

    def replace(self, **values: Any) -> Self:
        """Return this schedule with other values of some fields, or itself if they are the same."""
        unchanged = all(getattr(self, name) == value for name, value in values.items())
        return self if unchanged else dataclasses.replace(self, **values)

    def to_steps(self, duration: float | str | None) -> float:
        """Return a duration of this schedule in steps, infinite if None; for a bound schedule."""
        return inf if duration is None else Horizon().to_exact_steps(duration)

    def format_arguments(self) -> str:
        """Return the text of the arguments, without those that have their default value."""
        fields = [f for f in dataclasses.fields(self) if f.name != "schedule"]
        # A field that a subclass makes keyword-only may come before positional ones.
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
class Primitive(FieldSchedule):
    """A schedule that is not composed of others.

    A new primitive is a frozen dataclass (``repr=False``) with ``evaluate`` whose fields are
    annotated with types of ``lrlab.schedules.fields``. Its field ``over`` is its duration; if that
    is None or missing, it never ends. Past its end it holds its last value, which ``evaluate`` has
    to see to: ``compute_progress`` stays at 1. ``evaluate`` is called on a bound schedule, where
    durations are numbers of steps: ``to_steps`` returns one as a float. ``resolve_level`` returns
    the rate that a level stands for. The text of a primitive is found by its name, and
    ``gallery_example`` is what the gallery draws::

        @dataclass(frozen=True, repr=False)
        class Dip(Primitive):
            gallery_example = "Dip(0.2)"
            low: Level
            _: KW_ONLY
            over: DurationOrRemaining = None

            def evaluate(self, t: Array, base: float) -> Array:
                p = self.compute_progress(t)
                depth = 4 * p * (1 - p)
                return base * (1 - depth) + resolve_level(self.low, base) * depth
    """

    @property
    def has_end(self) -> bool:
        spec = get_field_specs(type(self)).get("over")
        return spec is not None and (
            spec.fills_remaining or getattr(self, "over", None) is not None
        )

    def compute_length(self, horizon: Horizon) -> float:
        over: float | str | None = getattr(self, "over", None)
        return inf if over is None else horizon.to_exact_steps(over)

    def compute_progress(self, t: Array) -> Array:
        """Return how much of the duration ``over`` has passed at ``t``, from 0 to 1.

        It stays at 1 past the end, is 1 throughout if the duration is 0 steps, and 0 without end.
        """
        over = self.compute_length(Horizon())
        return np.minimum(t / over, 1.0) if over else np.ones_like(t)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.format_arguments()})"


@dataclass(frozen=True, repr=False)
class Constant(Primitive):
    """One level throughout::

        rate(t) = level

    Args:
        level: a factor of the base rate, 0 or more, or an ``Absolute`` rate.
        over: duration, if another schedule follows; endless if omitted.

    Raises:
        ScheduleError: ``level`` or ``over`` is negative or not finite.

    Source: torch's ConstantLR is ``Constant(factor, over=total_iters) >> Constant(1.0)``.

    >>> (Constant(0.5, over=2) >> Constant(1.0))([0, 1, 2, 3])
    array([0.5, 0.5, 1. , 1. ])
    """

    gallery_example = "Constant(0.5)"
    level: Level
    _: KW_ONLY
    over: DurationOrInfinite = None

    def evaluate(self, t: Array, base: float) -> Array:
        return np.full_like(t, resolve_level(self.level, base))


@dataclass(frozen=True, repr=False)
class Wrapper(FieldSchedule):
    """One schedule, changed; written as a call of ``method_name`` on it: ``a.until(30)``."""

    schedule: Schedule
    is_called_by_name: ClassVar[bool] = False
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
        """Return the horizon of the schedule inside."""
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
        inner = parenthesize(self.schedule, self.precedence)
        return f"{inner}.{self.method_name}({self.format_arguments()})"


@cache
def get_field_specs(schedule_class: type[FieldSchedule]) -> dict[str, FieldSpec]:
    """Return the fields that are arguments, each with its ``FieldSpec``."""
    hints = get_type_hints(schedule_class, include_extras=True)
    names = [f.name for f in dataclasses.fields(schedule_class)]
    specs = {
        name: [arg for arg in get_args(hints[name]) if isinstance(arg, FieldSpec)] for name in names
    }
    return {name: field_specs[0] for name, field_specs in specs.items() if field_specs}


def is_operand(value: object) -> bool:
    """Whether ``value`` can be an operand of ``*`` and ``+``: a schedule or a finite number."""
    return isinstance(value, Schedule) or to_finite_float(value) is not None


def parenthesize(schedule: Schedule, precedence: int) -> str:
    """Return the text of ``schedule``, in parentheses if its precedence is lower."""
    text = repr(schedule)
    return text if schedule.precedence >= precedence else f"({text})"


def check_rates(rates: Array, t: Array, schedule: Schedule) -> Array:
    """Return ``rates`` if each is finite and 0 or more.

    Raises:
        ScheduleError: one is not; the message names the first step at which it happens.
    """
    wrong = ~(np.isfinite(rates) & (rates >= 0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise ScheduleError(
            f"{schedule} must give a finite, non-negative rate, but at t = {t[first]:g} it gives "
            f"{rates[first]:g}."
        )
    return rates


def convert_metric(metric: Any) -> float:
    """Return a metric as a float; tensors and arrays of one element, infinity and NaN are allowed.

    Raises:
        ScheduleError: it is not a number.
    """
    try:
        if isinstance(metric, str | bytes | bool):
            raise TypeError
        return float(metric)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise ScheduleError(f"a metric must be a number, got {metric!r}.") from None


def _to_numeric_array(t: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] | None
    try:
        array = np.asarray(t)
    except (TypeError, ValueError, RuntimeError):  # a ragged list, or a tensor with a gradient
        array = None
    if array is None or array.dtype.kind not in "iuf":
        raise ScheduleError(f"t must be a step or an array of steps, got {t!r}.")
    return array


def _check_steps(values: np.ndarray[Any, Any]) -> Array:
    steps = values.astype(np.float64)
    if not steps.min() >= 0:
        raise ScheduleError(f"t must be 0 or more (it counts steps from 0), got {steps.min()!s}.")
    if not steps.max() <= MAX_STEPS:
        raise ScheduleError(
            "t must be at most 2**53, beyond which float64 cannot count single steps, got "
            f"{steps.max()!s}."
        )
    return steps


def _contains_absolute(value: object) -> bool:
    return isinstance(value, Absolute) or (
        isinstance(value, tuple) and any(map(_contains_absolute, value))
    )


def _has_same_structure(state: Any, reference: MetricState) -> bool:
    """Whether a state has the structure of a reference, whose empty tuples may have grown."""
    if not isinstance(state, tuple | list) or len(state) != len(reference):
        return False
    pairs = zip(state, reference, strict=True)
    return all(
        _has_same_structure(item, reference_item)
        for item, reference_item in pairs
        if reference_item and isinstance(reference_item, tuple)
    )


# The one recursion: methods of a schedule build combinators, which are schedules.
from lrlab.schedules import combinators  # noqa: E402
