"""Shares of a training, for schedules that are made for the whole of it."""

from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, PiecewiseConstant, Ramp, Schedule, Sequential, Until
from lrlab.schedules.durations import Horizon


def _to_percent(fraction: float) -> str:
    """A share as a duration, without the last bits of the product.

    >>> _to_percent(0.29)
    '29%'
    """
    return f"{100 * fraction:.12g}%"


def _rescale(schedule: Schedule, fraction: float, remaining: float | None) -> Schedule:
    """``schedule``, which is made for a whole training, made for ``fraction`` of it.

    Args:
        schedule: a ramp, a constant, a staircase, or a sequence of these, with durations in shares.
        fraction: what the whole is now.
        remaining: what a ramp that takes the rest takes; still the rest when None.

    Raises:
        ScheduleError: it is another schedule.
    """
    if isinstance(schedule, Sequential):
        parts = []
        for inner in schedule.schedules:
            parts.append(_rescale(inner, fraction, remaining))
            if remaining is not None:
                remaining -= parts[-1].compute_length(Horizon(total_steps=1))
        return Sequential(tuple(parts))
    if isinstance(schedule, Constant | Ramp):
        over = remaining if schedule.over is None else fraction * _read_fraction(schedule, schedule.over)
        return schedule if over is None else schedule.replace(over=_to_percent(over))
    if isinstance(schedule, PiecewiseConstant):
        at = [_to_percent(fraction * _read_fraction(schedule, milestone)) for milestone in schedule.at]
        stairs = PiecewiseConstant(at, schedule.levels)
        return stairs if remaining is None else stairs.until(_to_percent(remaining))
    if isinstance(schedule, Until):
        whole = _rescale(schedule.schedule, fraction, fraction)
        return whole.until(_to_percent(fraction * _read_fraction(schedule, schedule.at)))
    raise ScheduleError(
        "CompositeParamScheduler: schedulers must be ramps, constants, staircases or composites of "
        f"rescaled ones, got {schedule!r}."
    )


def _read_fraction(schedule: Schedule, duration: float | str) -> float:
    if isinstance(duration, str) and duration.endswith("%"):
        return Horizon(total_steps=1).to_exact_steps(duration)
    raise ScheduleError(
        f"CompositeParamScheduler: durations of schedulers must be shares, got {schedule!r}."
    )
