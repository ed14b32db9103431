"""ignite.handlers.param_scheduler's schedules, by ignite's names, arguments and defaults.

Each function takes what ignite's takes, less ``optimizer``, ``param_name``, ``save_history``,
``param_group_index`` and ``output_simulated_values``. ``t`` counts the events that a handler is
attached to; attached to ``ITERATION_STARTED``, the rate at t = 0 is that of the first iteration.
Values are absolute rates, whatever the base rate is. ``LRScheduler`` and ``ParamGroupScheduler``
are missing, because they hold schedules and are none; ``ReduceLROnPlateauScheduler`` is torch's.

Where they differ on purpose:

- A ``cycle_mult`` must be 1 or more. One that is not whole makes cycles of such lengths, which
  ignite cuts to whole events.
- ``start_value_mult`` and ``end_value_mult`` must be above 0, and ``durations`` 1 or more.
- ``create_lr_scheduler_with_warmup`` cannot know the base rate. ignite leaves out an event where
  the warm-up's end is the first rate of ``lr_scheduler``; here, where that shows without the base
  rate: in absolute rates, or in factors when ``warmup_end_value`` is left out.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from operator import rshift

from lrlab.dialects.arguments import absolute, count, read, schedule_of
from lrlab.dialects.parts import Level, ended
from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Knots, Linear, Schedule
from lrlab.schedules.numbers import real
from lrlab.schedules.parameters import Growth, Positive

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
    """A line to ``end_value`` and one back, again and again; no way back where it is ``monotonic``.

    Cycles are ``cycle_size`` long, 2 or more, and each ``cycle_mult`` times as long as the one
    before; its values are that many times as high. A monotonic one may be followed by a line back,
    ``warmup_duration`` long.

    >>> LinearCyclicalScheduler(0.1, 0.0, 10)
    (Linear(Rate(0.1), 0.0, over=5) >> Linear(0.0, Rate(0.1), over=5)).repeat()
    >>> LinearCyclicalScheduler(0.1, 0.0, 10, start_value_mult=0.5, monotonic=True)
    Linear(Rate(0.1), 0.0, over=10).repeat(decay=0.5)
    """
    name = "LinearCyclicalScheduler"
    size = count(name, least=2, cycle_size=cycle_size)
    if warmup_duration and not monotonic:
        raise ScheduleError(
            f"{name}: warmup_duration must be 0 where there is a way back, got {warmup_duration!r}:"
            " say monotonic=True."
        )

    def there(start: Level, end: Level) -> Schedule:
        if monotonic:
            return Linear(start, end, over=size)
        return Linear(start, end, over=size / 2) >> Linear(end, start, over=size / 2)

    mults = (cycle_mult, start_value_mult, end_value_mult)
    return _cycles(name, there, (start_value, end_value), mults, warmup_duration)


def CosineAnnealingScheduler(
    start_value: float,
    end_value: float,
    cycle_size: int,
    cycle_mult: float = 1.0,
    start_value_mult: float = 1.0,
    end_value_mult: float = 1.0,
    warmup_duration: int = 0,
) -> Schedule:
    """Half a cosine to ``end_value``, again and again.

    Cycles are ``cycle_size`` long, 2 or more, and each ``cycle_mult`` times as long as the one
    before; its values are that many times as high. A line back, ``warmup_duration`` long, may
    follow each.

    >>> CosineAnnealingScheduler(0.1, 0.0, 10, cycle_mult=2)
    Cosine(10, start=Rate(0.1)).repeat(growth=2.0)
    """
    size = count("CosineAnnealingScheduler", least=2, cycle_size=cycle_size)

    def there(start: Level, end: Level) -> Schedule:
        return Cosine(size, start=start, end=end)

    mults = (cycle_mult, start_value_mult, end_value_mult)
    values = (start_value, end_value)
    return _cycles("CosineAnnealingScheduler", there, values, mults, warmup_duration)


def PiecewiseLinear(milestones_values: Sequence[tuple[int, float]]) -> Schedule:
    """Lines through values at milestones, pairs in ascending order; a jump where two are equal.

    >>> PiecewiseLinear([(10, 0.5), (20, 0.1)])
    Knots([10, 20], [Rate(0.5), Rate(0.1)])
    """
    try:
        pairs = [(at, value) for at, value in milestones_values]
    except (TypeError, ValueError):
        raise ScheduleError(
            "PiecewiseLinear: milestones_values must be a list of pairs (milestone, value), got "
            f"{milestones_values!r}."
        ) from None
    at = [count("PiecewiseLinear", milestone=milestone) for milestone, _ in pairs]
    return Knots(at, [absolute("PiecewiseLinear", value=value) for _, value in pairs])


def ConcatScheduler(schedulers: Sequence[Schedule], durations: Sequence[int]) -> Schedule:
    """One schedule after another; each but the last lasts as many events as ``durations`` says.

    >>> from lrlab.schedules import Constant, Cosine, Rate
    >>> ConcatScheduler([Cosine(10), Constant(Rate(0.01))], [5])
    Cosine(10).until(5) >> Constant(Rate(0.01))
    """
    both = (schedulers, durations)
    if not all(isinstance(values, Sequence) for values in both) or len(schedulers) < 2:
        raise ScheduleError(
            "ConcatScheduler: schedulers must be a list of two or more, and durations a list too, "
            f"got {schedulers!r} and {durations!r}."
        )
    if len(durations) != len(schedulers) - 1:
        raise ScheduleError(
            f"ConcatScheduler: durations must be {len(schedulers) - 1}, one for each scheduler but "
            f"the last, got {len(durations)}."
        )
    for schedule in schedulers:
        schedule_of("ConcatScheduler", scheduler=schedule)
    spans = [count("ConcatScheduler", least=1, duration=span) for span in durations]
    *first, last = schedulers
    return reduce(rshift, [*map(ended, first, spans), last])


def create_lr_scheduler_with_warmup(
    lr_scheduler: Schedule,
    warmup_start_value: float,
    warmup_duration: int,
    warmup_end_value: float | None = None,
) -> Schedule:
    """A line whose ``warmup_duration`` events end with ``warmup_end_value``, then a schedule.

    The values are absolute rates, the events 2 or more. Without an end value, the warm-up ends
    with the first rate of a schedule in factors, and with the base rate before one in absolute
    rates. Where it ends with the schedule's first rate, that event is the schedule's first.

    >>> from lrlab.schedules import Exponential
    >>> create_lr_scheduler_with_warmup(Exponential(0.98), 0.0, 3)
    Linear(0.0, 1.0, over=2) >> Exponential(0.98)
    >>> create_lr_scheduler_with_warmup(Exponential(0.98), 0.0, 3, warmup_end_value=0.1)
    Linear(0.0, Rate(0.1), over=2).until(3) >> Exponential(0.98)
    """
    name = "create_lr_scheduler_with_warmup"
    schedule_of(name, lr_scheduler=lr_scheduler)
    events = count(name, least=2, warmup_duration=warmup_duration)
    end: Level
    if warmup_end_value is None:
        meets = lr_scheduler.relative
        end = lr_scheduler(0) if meets else 1.0
    else:
        end = absolute(name, warmup_end_value=warmup_end_value)
        firsts = {lr_scheduler(0, base=base) for base in (1.0, 2.0)}
        meets = firsts == {real(warmup_end_value)}
    start = absolute(name, warmup_start_value=warmup_start_value)
    line = Linear(start, end, over=events - 1)
    return (line if meets else line.until(events)) >> lr_scheduler


def _cycles(
    name: str,
    there: Callable[[Level, Level], Schedule],
    values: tuple[float, float],
    mults: tuple[float, float, float],
    warmup: int,
) -> Schedule:
    """Cycles made by ``there`` of a start and an end, each with a factor of its own per cycle."""
    start, end = values
    growth, start_mult, end_mult = mults
    back = count(name, warmup_duration=warmup)
    read(name, Positive, start_value_mult=start_mult)
    read(name, Positive, end_value_mult=end_mult)
    read(name, Growth, cycle_mult=growth)
    absolute(name, start_value=start)
    absolute(name, end_value=end)

    def cycles(start: float, end: float, mult: float) -> Schedule:
        low = absolute(name, end_value=end)
        one = there(absolute(name, start_value=start), low)
        if back:
            again = absolute(name, start_value=start * start_mult)
            one = one >> Linear(low, again, over=back)
        return one.repeat(growth=growth, decay=mult)

    if start_mult == end_mult or not end:
        return cycles(start, end, start_mult)
    if not start:
        return cycles(start, end, end_mult)
    return cycles(start, 0.0, start_mult) + cycles(0.0, end, end_mult)
