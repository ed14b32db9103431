"""What every schedule is: an immutable value that gives the rate at step t.

``Schedule`` holds what all share; ``Shape`` adds what a frozen dataclass of parameters needs.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import inf
from typing import Any, ClassVar, Self, get_args, get_type_hints, overload

import numpy as np
from numpy.typing import NDArray

from lrlab.errors import ScheduleError
from lrlab.schedules.durations import Horizon
from lrlab.schedules.levels import Rate
from lrlab.schedules.numbers import real
from lrlab.schedules.parameters import Kind, shown

Array = NDArray[np.float64]


class Schedule(ABC):
    """A pure function from the step t to a rate.

    ``t`` counts calls of ``scheduler.step()`` from 0. ``schedule(t)`` is a factor of the base
    rate, ``schedule(t, base=0.1)`` the rate itself. ``t`` may be a number or an array of any
    shape; both ways give the same bits. Evaluation is closed-form: O(1) in t, in any order.
    """

    __array_ufunc__ = None  # so that NumPy's numbers leave ``number * schedule`` to us
    methods_in_text: ClassVar[tuple[str, ...]] = ("until", "then")
    """What may be called on a schedule in a text."""

    precedence: ClassVar[int] = 3
    """How tightly the text of this schedule binds: 3 a call, 2 a product, 1 a sequence."""

    @abstractmethod
    def evaluate(self, t: Array, base: float) -> Array:
        """The rates at ``t``, a one-dimensional array of steps >= 0, for the rate ``base``."""

    @abstractmethod
    def length(self, horizon: Horizon) -> float:
        """Steps from the start to the end, not rounded; infinite if there is no end of its own."""

    @abstractmethod
    def within(self, horizon: Horizon) -> "Schedule":
        """This schedule with every duration turned into steps of ``horizon``."""

    @abstractmethod
    def __repr__(self) -> str:
        """The text of the schedule, which is also the Python expression that builds it."""

    def children(self) -> tuple["Schedule", ...]:
        """The schedules that this one is composed of, in order."""
        return ()

    def walk(self) -> Iterator["Schedule"]:
        """This schedule and everything inside it, outermost first."""
        yield self
        for child in self.children():
            yield from child.walk()

    @overload
    def __call__(self, t: float, base: float | None = None) -> float: ...
    @overload
    def __call__(self, t: Sequence[Any] | NDArray[Any], base: float | None = None) -> Array: ...
    def __call__(self, t: Any, base: float | None = None) -> float | Array:
        """The rate at step ``t`` for a base rate, or its factor when ``base`` is left out.

        Args:
            t: step or array of steps, 0 or more; past its end a schedule holds its last value.
            base: the rate given to the optimizer; needed when a level is an absolute ``Rate``.

        Returns:
            A float for a number, a float64 array of the same shape for an array.

        Raises:
            ScheduleError: ``t`` is negative or no number, ``base`` is missing or no rate, or the
                schedule still needs ``bind``.
        """
        steps = _steps(t)
        flat = np.ascontiguousarray(steps).reshape(-1)
        rates = self._rates(flat, base)
        return float(rates[0]) if steps.ndim == 0 else rates.reshape(steps.shape)

    def _rates(self, t: Array, base: float | None) -> Array:
        bound = self._bound
        if base is None:
            if not self.relative:
                raise ScheduleError(
                    f"{self} has an absolute Rate, so it needs the base rate too: "
                    "schedule(t, base=0.1)."
                )
            return bound.evaluate(t, 1.0)
        rate = real(base)
        if rate is None or rate < 0:
            raise ScheduleError(f"base must be a rate of 0 or more, got {base!r}.")
        return rate * bound.evaluate(t, 1.0) if self.relative else bound.evaluate(t, rate)

    @property
    def relative(self) -> bool:
        """Whether every level is a factor of the base rate, so that rate = base * factor."""
        return all(child.relative for child in self.children())

    @cached_property
    def _bound(self) -> "Schedule":
        # Binding to a horizon of which nothing is known succeeds just when nothing is needed.
        return self.within(Horizon())

    def bind(self, total: float | None = None, epoch: float | None = None) -> "Schedule":
        """This schedule with all durations in steps.

        Args:
            total: steps of the whole training, what shares (``"10%"``) and shapes without a
                duration are measured by.
            epoch: steps per epoch, what durations such as ``"5ep"`` are measured by.

        Raises:
            ScheduleError: one of them is not above 0, or is left out and needed.

        >>> from lrlab.schedules import Cosine, Warmup
        >>> (Warmup("10%") >> Cosine()).bind(total=50)
        Warmup(5) >> Cosine(45)
        """
        for name, value in (("total", total), ("epoch", epoch)):
            if value is not None and not (real(value) or 0) > 0:
                raise ScheduleError(
                    f"bind: {name} must be a number of steps above 0, got {value!r}."
                )
        return self.within(Horizon(total=total, epoch=epoch))

    # Combinators are schedules themselves, so their module is imported when one is made.

    def __rshift__(self, other: "Schedule") -> "Schedule":
        """``a >> b``: b after a, on its own clock, its levels factors of the same base rate."""
        from lrlab.schedules.combinators import Sequence

        return Sequence((self, other)) if isinstance(other, Schedule) else NotImplemented

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        """``a * b``: the product of two schedules, or of a schedule and a factor."""
        from lrlab.schedules.combinators import product

        return product(self, other) if _is_operand(other) else NotImplemented

    def __rmul__(self, other: float) -> "Schedule":
        from lrlab.schedules.combinators import product

        return product(other, self) if _is_operand(other) else NotImplemented

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

        return Until(self, at)

    def then(self, other: "Schedule", at: float | str | None = None) -> "Schedule":
        """``other`` after this one, as ``>>``; with ``at``, from that step on.

        Args:
            other: what follows, on its own clock.
            at: a duration after which it does; the end of this schedule when left out.

        Raises:
            ScheduleError: ``other`` is no schedule, ``at`` no duration, or there is no end to
                follow.

        >>> from lrlab.schedules import Constant, Exponential
        >>> Exponential(0.5).then(Constant(0.1), at=2)([0, 1, 2, 3])
        array([1. , 0.5, 0.1, 0.1])
        """
        if not isinstance(other, Schedule):
            raise ScheduleError(f"then: what follows must be a schedule, got {other!r}.")
        return (self if at is None else self.until(at)) >> other


def _is_operand(value: object) -> bool:
    return isinstance(value, Schedule) or real(value) is not None


def _steps(t: Any) -> Array:
    try:
        given = np.asarray(t)
    except (TypeError, ValueError, RuntimeError):  # torch raises the last
        given = np.asarray("ragged")
    if given.dtype.kind not in "iuf":
        raise ScheduleError(f"t must be a step or an array of steps, got {t!r}.")
    steps = given.astype(np.float64)
    if steps.size and not steps.min() >= 0:
        raise ScheduleError(f"t must be 0 or more (it counts steps from 0), got {steps.min()!s}.")
    return steps


@dataclass(frozen=True, repr=False)
class Shape(Schedule):
    """A primitive schedule: a frozen dataclass whose fields are annotated with a ``Kind``.

    A new shape is a frozen dataclass (``repr=False``) with ``evaluate``; reading, checking,
    binding, printing and parsing of its parameters follow from the annotations. It lasts as long
    as its field ``over`` says; where that is None or missing, it has no end of its own.
    """

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            object.__setattr__(self, name, self._read(name, kind, getattr(self, name)))

    def _read(self, name: str, kind: Kind, value: Any) -> Any:
        if value is None and kind.optional:
            return None
        read = kind.read(value)
        if read is None:
            raise ScheduleError(
                f"{type(self).__name__}: {name} must be {kind.rule}, got {value!r}."
            )
        return read

    @property
    def relative(self) -> bool:
        return not any(isinstance(getattr(self, name), Rate) for name in _kinds(type(self)))

    def length(self, horizon: Horizon) -> float:
        over: float | str | None = getattr(self, "over", None)
        return inf if over is None else horizon.length(over)

    def within(self, horizon: Horizon) -> Self:
        changes = {
            name: kind.bind(getattr(self, name), horizon, repr(self))
            for name, kind in _kinds(type(self)).items()
            if kind.bind is not None
        }
        unchanged = all(getattr(self, name) == value for name, value in changes.items())
        return self if unchanged else dataclasses.replace(self, **changes)

    def __repr__(self) -> str:
        fields = dataclasses.fields(self)
        changed = [getattr(self, f.name) != f.default for f in fields]
        last = max((i for i, f in enumerate(fields) if changed[i] and not f.kw_only), default=-1)
        words = [shown(getattr(self, f.name)) for f in fields[: last + 1]]
        words += [
            f"{f.name}={shown(getattr(self, f.name))}"
            for i, f in enumerate(fields)
            if f.kw_only and changed[i]
        ]
        return f"{type(self).__name__}({', '.join(words)})"


@cache
def _kinds(shape: type[Shape]) -> dict[str, Kind]:
    hints = get_type_hints(shape, include_extras=True)
    names = [f.name for f in dataclasses.fields(shape)]
    found = {
        name: [arg for arg in get_args(hints[name]) if isinstance(arg, Kind)] for name in names
    }
    return {name: kinds[0] for name, kinds in found.items() if kinds}
