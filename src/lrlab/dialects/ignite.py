"""ignite.handlers.param_scheduler's schedules, by ignite's names, arguments and defaults.

Each function takes ignite's arguments without ``optimizer``, ``param_name``, ``save_history``,
``param_group_index`` and ``output_simulated_values``. ``t`` counts the handler's events; for
``ITERATION_STARTED``, the rate at t = 0 is that of the first iteration. Values are absolute rates.
``LRScheduler`` and ``ParamGroupScheduler`` are missing, because they only wrap schedules;
``ReduceLROnPlateauScheduler`` is that of ``dialects.torch``.

Intended differences:

- ``cycle_mult`` must be at least 1. If it is not whole, neither are the cycles; ignite cuts them to
  whole events.
- ``start_value_mult`` and ``end_value_mult`` must be above 0, and ``durations`` 1 or more.
- ``create_lr_scheduler_with_warmup`` does not know the base rate. ignite drops one event if the
  warm-up ends at the first rate of ``lr_scheduler``; this function does so only if that is certain
  without the base rate: for absolute rates, or for factors without ``warmup_end_value``.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import rshift

from lrlab._checks import to_finite_float
from lrlab.dialects.arguments import check_absolute, check_argument, check_count, check_schedule
from lrlab.dialects.building_blocks import truncate
from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Linear, PiecewiseInterpolate, Schedule
from lrlab.schedules.fields import AtLeastOne, Level, Positive

__all__ = [
    "ConcatScheduler",
    "CosineAnnealingScheduler",
    "LinearCyclicalScheduler",
    "PiecewiseLinear",
    "create_lr_scheduler_with_warmup",
]


def LinearCyclicalScheduler(
    start_value: float,
    end_value: float,
    cycle_size: int,
    cycle_mult: float = 1.0,
    start_value_mult: float = 1.0,
    end_value_mult: float = 1.0,
    warmup_duration: int = 0,
    *,
    monotonic: bool = False,
) -> Schedule:
    """Repeat a line to ``end_value`` and one back; ``monotonic`` leaves out the way back.

    Cycles take ``cycle_size`` events (2 or more), each ``cycle_mult`` times as many as the last.
    ``start_value_mult`` and ``end_value_mult`` multiply the values in every cycle. In a monotonic
    schedule, a line back of ``warmup_duration`` events may follow each cycle.

    >>> LinearCyclicalScheduler(0.1, 0.0, 10)
    (Linear(Absolute(0.1), 0.0, over=5) >> Linear(0.0, Absolute(0.1), over=5)).repeat()
    >>> LinearCyclicalScheduler(0.1, 0.0, 10, start_value_mult=0.5, monotonic=True)
    Linear(Absolute(0.1), 0.0, over=10).repeat(decay=0.5)
    """
    func_name = "LinearCyclicalScheduler"
    size = check_count(func_name, minimum=2, cycle_size=cycle_size)
    if warmup_duration and not monotonic:
        raise ScheduleError(
            f"{func_name}: warmup_duration must be 0 unless monotonic=True, got "
            f"{warmup_duration!r}."
        )

    def build_cycle(start: Level, end: Level) -> Schedule:
        if monotonic:
            return Linear(start, end, over=size)
        return Linear(start, end, over=size / 2) >> Linear(end, start, over=size / 2)

    multipliers = (cycle_mult, start_value_mult, end_value_mult)
    return _repeat_cycles(
        func_name, build_cycle, (start_value, end_value), multipliers, warmup_duration
    )


def CosineAnnealingScheduler(
    start_value: float,
    end_value: float,
    cycle_size: int,
    cycle_mult: float = 1.0,
    start_value_mult: float = 1.0,
    end_value_mult: float = 1.0,
    warmup_duration: int = 0,
) -> Schedule:
    """Repeat half a cosine to ``end_value``.

    Cycles take ``cycle_size`` events (2 or more), each ``cycle_mult`` times as many as the last.
    ``start_value_mult`` and ``end_value_mult`` multiply the values in every cycle. A line back of
    ``warmup_duration`` events may follow each cycle.

    >>> CosineAnnealingScheduler(0.1, 0.0, 10, cycle_mult=2)
    Cosine(10, start=Absolute(0.1)).repeat(growth=2.0)
    """
    size = check_count("CosineAnnealingScheduler", minimum=2, cycle_size=cycle_size)

    def build_cycle(start: Level, end: Level) -> Schedule:
        return Cosine(size, start=start, end=end)

    multipliers = (cycle_mult, start_value_mult, end_value_mult)
    values = (start_value, end_value)
    return _repeat_cycles(
        "CosineAnnealingScheduler", build_cycle, values, multipliers, warmup_duration
    )


def _repeat_cycles(
    func_name: str,
    build_cycle: Callable[[Level, Level], Schedule],
    values: tuple[float, float],
    multipliers: tuple[float, float, float],
    warmup_duration: int,
) -> Schedule:
    """Repeat the cycle that ``build_cycle`` builds from a start and an end value.

    ``multipliers`` are those of the length, the start and the end.
    """
    start, end = values
    growth, start_mult, end_mult = multipliers
    return_steps = check_count(func_name, warmup_duration=warmup_duration)
    check_argument(func_name, Positive, start_value_mult=start_mult)
    check_argument(func_name, Positive, end_value_mult=end_mult)
    check_argument(func_name, AtLeastOne, cycle_mult=growth)
    check_absolute(func_name, start_value=start)
    check_absolute(func_name, end_value=end)

    def repeat(start: float, end: float, decay: float) -> Schedule:
        low = check_absolute(func_name, end_value=end)
        cycle = build_cycle(check_absolute(func_name, start_value=start), low)
        if return_steps:
            next_start = check_absolute(func_name, start_value=start * start_mult)
            cycle = cycle >> Linear(low, next_start, over=return_steps)
        return cycle.repeat(growth=growth, decay=decay)

    if start_mult == end_mult or not end:
        return repeat(start, end, start_mult)
    if not start:
        return repeat(start, end, end_mult)
    return repeat(start, 0.0, start_mult) + repeat(0.0, end, end_mult)


def ConcatScheduler(schedulers: Sequence[Schedule], durations: Sequence[int]) -> Schedule:
    """Run one schedule after another; ``durations`` are the events of each but the last.

    >>> from lrlab.schedules import Absolute, Constant, Cosine
    >>> ConcatScheduler([Cosine(10), Constant(Absolute(0.01))], [5])
    Cosine(10).until(5) >> Constant(Absolute(0.01))
    """
    arguments = (schedulers, durations)
    if not all(isinstance(values, Sequence) for values in arguments) or len(schedulers) < 2:
        raise ScheduleError(
            "ConcatScheduler: schedulers must be a list of two or more, and durations a list, got "
            f"{schedulers!r} and {durations!r}."
        )
    if len(durations) != len(schedulers) - 1:
        raise ScheduleError(
            "ConcatScheduler: durations must have one entry for each scheduler but the last, "
            f"{len(schedulers) - 1}, got {len(durations)}."
        )
    for schedule in schedulers:
        check_schedule("ConcatScheduler", scheduler=schedule)
    lengths = [check_count("ConcatScheduler", minimum=1, duration=span) for span in durations]
    *first, last = schedulers
    return reduce(rshift, [*map(truncate, first, lengths), last])


def create_lr_scheduler_with_warmup(
    lr_scheduler: Schedule,
    warmup_start_value: float,
    warmup_duration: int,
    warmup_end_value: float | None = None,
) -> Schedule:
    """Put a line of ``warmup_duration`` events (2 or more) before a schedule.

    The line goes from ``warmup_start_value`` to ``warmup_end_value``, both absolute rates. Without
    an end value, it goes to the first rate of a schedule of factors, and to the base rate before a
    schedule of absolute rates. If it ends at the schedule's first rate, its last event is also the
    first of the schedule.

    >>> from lrlab.schedules import Exponential
    >>> create_lr_scheduler_with_warmup(Exponential(0.98), 0.0, 3)
    Linear(0.0, 1.0, over=2) >> Exponential(0.98)
    >>> create_lr_scheduler_with_warmup(Exponential(0.98), 0.0, 3, warmup_end_value=0.1)
    Linear(0.0, Absolute(0.1), over=2).until(3) >> Exponential(0.98)
    """
    func_name = "create_lr_scheduler_with_warmup"
    check_schedule(func_name, lr_scheduler=lr_scheduler)
    events = check_count(func_name, minimum=2, warmup_duration=warmup_duration)
    end: Level
    if warmup_end_value is None:
        ends_at_first_value = lr_scheduler.is_relative
        end = lr_scheduler(0) if ends_at_first_value else 1.0
    else:
        end = check_absolute(func_name, warmup_end_value=warmup_end_value)
        first_values = {lr_scheduler(0, base=base) for base in (1.0, 2.0)}
        ends_at_first_value = first_values == {to_finite_float(warmup_end_value)}
    start = check_absolute(func_name, warmup_start_value=warmup_start_value)
    line = Linear(start, end, over=events - 1)
    return (line if ends_at_first_value else line.until(events)) >> lr_scheduler


def PiecewiseLinear(milestones_values: Sequence[tuple[int, float]]) -> Schedule:
    """Connect values at milestones, pairs in ascending order, by lines; equal milestones jump.

    >>> PiecewiseLinear([(10, 0.5), (20, 0.1)])
    PiecewiseInterpolate([10, 20], [Absolute(0.5), Absolute(0.1)])
    """
    try:
        pairs = [(at, value) for at, value in milestones_values]
    except (TypeError, ValueError):
        raise ScheduleError(
            "PiecewiseLinear: milestones_values must be a list of pairs (milestone, value), got "
            f"{milestones_values!r}."
        ) from None
    at = [check_count("PiecewiseLinear", milestone=milestone) for milestone, _ in pairs]
    return PiecewiseInterpolate(
        at, [check_absolute("PiecewiseLinear", value=value) for _, value in pairs]
    )
