"""How a schedule reads metrics: a state of plain values, what it observes, and what that makes it.

A schedule that reads none, which is nearly every one, has the empty state and never changes.
"""

from typing import TYPE_CHECKING, Any

from lrlab.errors import ScheduleError
from lrlab.schedules.mixin import Mixin
from lrlab.schedules.numbers import real

if TYPE_CHECKING:
    from lrlab.schedules.base import Schedule

State = tuple[Any, ...]
"""Numbers, None and tuples of these; ``()`` for a schedule that reads no metric."""


class Reaction(Mixin):
    """The pure state machine that every schedule is.

    It begins in ``initial()``; ``observe`` gives the next state; ``given(state)`` is the schedule
    that the state makes of it, whose rate at the current step is the one to use.
    """

    @property
    def reactive(self) -> bool:
        """Whether it reads metrics."""
        return any(child.reactive for child in self._self.children())

    def initial(self) -> State:
        """The state before any metric."""
        return tuple(c.initial() for c in self._self.children()) if self.reactive else ()

    def observe(self, state: State, t: float, metric: Any, base: float | None = None) -> State:
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
        >>> state = schedule.initial()
        >>> for t, loss in enumerate([0.9, 0.9, 0.5, 0.6]):
        ...     state = schedule.observe(state, t, loss)
        >>> schedule.given(state)
        Warmup(2) >> Constant(0.1)
        """
        step = real(t)
        if step is None or step < 0:
            raise ScheduleError(f"t must be a step of 0 or more, got {t!r}.")
        self._check(state)
        return self.observed(state, step, read_metric(metric), self._self.bases(base)[1])

    def observed(self, state: State, t: float, metric: float, base: float) -> State:
        """``observe`` with a metric that is read, for the rate that ``evaluate`` is given."""
        if not self.reactive:
            return state
        after = []
        for i, child in enumerate(self._self.children()):
            place = self.place(i, t, base, state)
            after.append(
                state[i] if place is None else child.observed(state[i], place[0], metric, place[1])
            )
        return tuple(after)

    def given(self, state: State) -> "Schedule":
        """The schedule that the metrics observed so far make of this one.

        Raises:
            ScheduleError: ``state`` is none of this schedule.
        """
        self._check(state)
        return self.made(state)

    def made(self, state: State) -> "Schedule":
        """``given`` with a state that is checked."""
        if not self.reactive:
            return self._self
        children = zip(self._self.children(), state, strict=True)
        return self._self.rebuilt(tuple(child.made(own) for child, own in children))

    def _check(self, state: State) -> None:
        if not _alike(state, self.initial()):
            raise ScheduleError(
                f"the state must be one that initial() or observe() of {self} returned, got "
                f"{state!r}."
            )

    def place(self, child: int, t: float, base: float, state: State) -> tuple[float, float] | None:
        """The step and base rate of a child while this one is at ``t``; None while it rests."""
        return t, base


def _alike(state: Any, first: State) -> bool:
    """Whether a state has the parts that the first one has; an empty one may have grown."""
    if not isinstance(state, tuple | list) or len(state) != len(first):
        return False
    pairs = zip(state, first, strict=True)
    return all(_alike(one, other) for one, other in pairs if other and isinstance(other, tuple))


def read_metric(metric: Any) -> float:
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
