"""Shares of a training, for schedules that are made for the whole of it."""

from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Piecewise, Ramp, Schedule, Sequence, Until
from lrlab.schedules.durations import Horizon


def percent(share: float) -> str:
    """A share as a duration, without the last bits of the product.

    >>> percent(0.29)
    '29%'
    """
    return f"{100 * share:.12g}%"


def part(schedule: Schedule, share: float, rest: float | None) -> Schedule:
    """``schedule``, which is made for a whole training, made for ``share`` of it.

    Args:
        schedule: a ramp, a constant, a staircase, or a sequence of these, with durations in shares.
        share: what the whole is now.
        rest: what a ramp that takes the rest takes; still the rest when None.

    Raises:
        ScheduleError: it is another schedule.
    """
    if isinstance(schedule, Sequence):
        parts = []
        for inner in schedule.schedules:
            parts.append(part(inner, share, rest))
            if rest is not None:
                rest -= parts[-1].length(Horizon(total=1))
        return Sequence(tuple(parts))
    if isinstance(schedule, Constant | Ramp):
        over = rest if schedule.over is None else share * _share(schedule, schedule.over)
        return schedule if over is None else schedule.changed(over=percent(over))
    if isinstance(schedule, Piecewise):
        at = [percent(share * _share(schedule, milestone)) for milestone in schedule.at]
        stairs = Piecewise(at, schedule.levels)
        return stairs if rest is None else stairs.until(percent(rest))
    if isinstance(schedule, Until):
        whole = part(schedule.schedule, share, share)
        return whole.until(percent(share * _share(schedule, schedule.at)))
    raise ScheduleError(
        "CompositeParamScheduler: schedulers must be ramps, constants, staircases or composites of "
        f"rescaled ones, got {schedule!r}."
    )


def _share(schedule: Schedule, duration: float | str) -> float:
    if isinstance(duration, str) and duration.endswith("%"):
        return Horizon(total=1).length(duration)
    raise ScheduleError(
        f"CompositeParamScheduler: durations of schedulers must be shares, got {schedule!r}."
    )
