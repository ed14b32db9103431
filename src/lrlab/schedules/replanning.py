"""A change of the horizon in the middle of training, without a jump."""

import math

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.clocks import Shift, Stretch
from lrlab.schedules.durations import Horizon
from lrlab.schedules.joins import Sequential
from lrlab.schedules.numbers import to_finite_float


def replan_schedule(
    schedule: Schedule, new_total_steps: float, at: float, total_steps: float | None = None
) -> Schedule:
    """``schedule`` up to ``at``, then the rest of it stretched to end at ``new_total_steps``."""
    schedule = schedule.bind(total_steps=total_steps)
    old = schedule.compute_length(Horizon()) if total_steps is None else to_finite_float(total_steps)
    step, new = to_finite_float(at), to_finite_float(new_total_steps)
    if old is None or math.isinf(old):
        raise ScheduleError(
            f"replan: {schedule} has no end of its own, so say how many steps were planned: "
            f"replan({new_total_steps!r}, at={at!r}, total=...)."
        )
    if step is None or not 0 <= step < old:
        raise ScheduleError(
            f"replan: at must be a step before the planned end, {old:g}, got {at!r}."
        )
    if new is None or new <= step:
        raise ScheduleError(
            f"replan: new_total must be a number of steps above at, {step:g}, got {new_total_steps!r}."
        )
    factor = (new - step) / (old - step)
    parts = schedule.schedules if isinstance(schedule, Sequential) else (schedule,)
    starts = schedule.starts.tolist() if isinstance(schedule, Sequential) else [0.0]
    # Parts that are over stay, the one at ``step`` is split, those to come are stretched.
    active = max(i for i, start in enumerate(starts) if start <= step)
    steps_into_active = step - starts[active]
    if steps_into_active and parts[active].needs_metric:
        raise ScheduleError(
            "replan: at must not lie within a part that reads a metric, which would begin anew, "
            f"got {at!r} within {parts[active]}: choose the step at which it begins or ends."
        )
    remaining_parts = [_skip_steps(parts[active], steps_into_active), *parts[active + 1 :]]
    finished_parts = [*parts[:active], parts[active].until(steps_into_active)] if steps_into_active else list(parts[:active])
    rest = remaining_parts[0] if len(remaining_parts) == 1 else Sequential(tuple(remaining_parts))
    result = _stretch(rest, factor)
    for part in reversed(finished_parts):
        result = part >> result
    return result


# A plan that is changed again and again keeps one shift and one stretch for what is to come.


def _skip_steps(part: Schedule, by: float) -> Schedule:
    """``part`` from ``by`` steps after its start on."""
    match part:
        case Stretch(schedule=inner, by=slow):
            return _stretch(_skip_steps(inner, by / slow), slow)
        case Shift(schedule=inner, by=float() | int() as begun) if begun < 0:
            return inner.shift(begun - by)
        case _:
            return part.shift(-by) if by else part


def _stretch(part: Schedule, factor: float) -> Schedule:
    """``part`` taking ``factor`` times as long."""
    if isinstance(part, Stretch):
        return _stretch(part.schedule, part.by * factor)
    return part.stretch(factor) if factor != 1 else part
