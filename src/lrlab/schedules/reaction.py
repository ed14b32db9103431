"""How a schedule reads metrics: a state of plain values, what it observes, and what that makes it.

A schedule that reads none, which is nearly every one, has the empty state and never changes.
"""

from typing import TYPE_CHECKING, Any

from lrlab.errors import ScheduleError
from lrlab.schedules.mixin import ScheduleMixin
from lrlab.schedules.numbers import to_finite_float

if TYPE_CHECKING:
    from lrlab.schedules.base import Schedule

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

    def update_state(self, state: MetricState, t: float, metric: Any, base: float | None = None) -> MetricState:
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
        return self.apply_metric(state, step, convert_metric(metric), self._schedule.resolve_base(base)[1])

    def apply_metric(self, state: MetricState, t: float, metric: float, base: float) -> MetricState:
        """``update_state`` with a metric that is read, for the rate that ``evaluate`` is given."""
        if not self.needs_metric:
            return state
        new_states = []
        for i, child in enumerate(self._schedule.children()):
            location = self.locate_child(i, t, base, state)
            new_states.append(
                state[i] if location is None else child.apply_metric(state[i], location[0], metric, location[1])
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
        return self._schedule.replace_children(tuple(child.apply_state(child_state) for child, child_state in children))

    def _check_state(self, state: MetricState) -> None:
        if not _has_same_structure(state, self.init_state()):
            raise ScheduleError(
                f"the state must be one that initial() or observe() of {self} returned, got "
                f"{state!r}."
            )

    def locate_child(self, index: int, t: float, base: float, state: MetricState) -> tuple[float, float] | None:
        """The step and base rate of a child while this one is at ``t``; None while it rests."""
        return t, base


def _has_same_structure(state: Any, reference: MetricState) -> bool:
    """Whether a state has the parts that the first one has; an empty one may have grown."""
    if not isinstance(state, tuple | list) or len(state) != len(reference):
        return False
    pairs = zip(state, reference, strict=True)
    return all(_has_same_structure(one, other) for one, other in pairs if other and isinstance(other, tuple))


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
