"""What may be written with schedules: the operators and methods that make one out of others."""

from typing import TYPE_CHECKING, ClassVar, Literal

from lrlab.errors import ScheduleError, format_suggestion
from lrlab.schedules.levels import Absolute
from lrlab.schedules.mixin import ScheduleMixin
from lrlab.schedules.numbers import to_finite_float

if TYPE_CHECKING:
    from lrlab.schedules.base import Schedule


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
        from lrlab.schedules.joins import Sequential

        return Sequential((self._schedule, other)) if _is_schedule(other) else NotImplemented

    def __mul__(self, other: "Schedule | float") -> "Schedule":
        """``a * b``: the product of two schedules, or of a schedule and a factor."""
        from lrlab.schedules.arithmetic import Product, to_operands

        return Product(to_operands(self._schedule, other)) if _is_operand(other) else NotImplemented

    def __rmul__(self, other: float) -> "Schedule":
        from lrlab.schedules.arithmetic import Product, to_operands

        return Product(to_operands(other, self._schedule)) if _is_operand(other) else NotImplemented

    def __add__(self, other: "Schedule | float") -> "Schedule":
        """``a + b``: the sum of two schedules, or of a schedule and a factor of the base rate."""
        from lrlab.schedules.arithmetic import Sum, to_operands

        return Sum(to_operands(self._schedule, other)) if _is_operand(other) else NotImplemented

    def __radd__(self, other: float) -> "Schedule":
        from lrlab.schedules.arithmetic import Sum, to_operands

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
        from lrlab.schedules.joins import Continued, Sequential

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
        from lrlab.schedules.clocks import Until

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
        from lrlab.schedules.clocks import Shift

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
        from lrlab.schedules.clocks import Stretch

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
        from lrlab.schedules.clocks import Staircase

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

    def clip(self, low: float | Absolute | None = None, high: float | Absolute | None = None) -> "Schedule":
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
        from lrlab.schedules.arithmetic import Clip

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
        from lrlab.schedules.arithmetic import Affine

        return Affine(self._schedule, slope, offset)

    def cumprod(self) -> "Schedule":
        """The product of this schedule's factors at steps 1, 2, ..., t; 1 at t = 0.

        Raises:
            ScheduleError: this schedule has absolute rates, whose product is no rate.

        >>> from lrlab.schedules import Constant
        >>> Constant(0.5).cumprod()([0, 1, 2])
        array([1.  , 0.5 , 0.25])
        """
        from lrlab.schedules.arithmetic import CumulativeProduct

        return CumulativeProduct(self._schedule)

    def replan(self, new_total_steps: float, *, at: float, total_steps: float | None = None) -> "Schedule":
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
        from lrlab.schedules.replanning import replan_schedule

        return replan_schedule(self._schedule, new_total_steps, at, total_steps)


def _is_schedule(value: object) -> bool:
    from lrlab.schedules.base import Schedule

    return isinstance(value, Schedule)


def _is_operand(value: object) -> bool:
    return _is_schedule(value) or to_finite_float(value) is not None
