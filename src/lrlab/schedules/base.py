"""What every schedule is: an immutable value that gives the rate at step t."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, overload

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.algebra import OperatorsMixin
from lrlab.schedules.durations import MAX_STEPS, Horizon
from lrlab.schedules.numbers import to_finite_float
from lrlab.schedules.reaction import MetricStateMixin

__all__ = ["Schedule"]

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

    def bind(self, total_steps: float | None = None, steps_per_epoch: float | None = None) -> "Schedule":
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
        return self.bind_to_horizon(Horizon(total_steps=total_steps, steps_per_epoch=steps_per_epoch))


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
