"""A change of the horizon in the middle of training, without a jump."""

import math

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.clocks import Shift, Stretch
from lrlab.schedules.durations import Horizon
from lrlab.schedules.joins import Sequence
from lrlab.schedules.numbers import real


def replanned(
    schedule: Schedule, new_total: float, at: float, total: float | None = None
) -> Schedule:
    """``schedule`` up to ``at``, then the rest of it stretched to end at ``new_total``."""
    schedule = schedule.bind(total=total)
    old = schedule.length(Horizon()) if total is None else real(total)
    step, new = real(at), real(new_total)
    if old is None or math.isinf(old):
        raise ScheduleError(
            f"replan: {schedule} has no end of its own, so say how many steps were planned: "
            f"replan({new_total!r}, at={at!r}, total=...)."
        )
    if step is None or not 0 <= step < old:
        raise ScheduleError(
            f"replan: at must be a step before the planned end, {old:g}, got {at!r}."
        )
    if new is None or new <= step:
        raise ScheduleError(
            f"replan: new_total must be a number of steps above at, {step:g}, got {new_total!r}."
        )
    factor = (new - step) / (old - step)
    parts = schedule.schedules if isinstance(schedule, Sequence) else (schedule,)
    starts = schedule.starts.tolist() if isinstance(schedule, Sequence) else [0.0]
    # Parts that are over stay, the one at ``step`` is split, those to come are stretched.
    ruling = max(i for i, start in enumerate(starts) if start <= step)
    split = step - starts[ruling]
    if split and parts[ruling].reactive:
        raise ScheduleError(
            "replan: at must not lie within a part that reads a metric, which would begin anew, "
            f"got {at!r} within {parts[ruling]}: choose the step at which it begins or ends."
        )
    to_come = [_begun(parts[ruling], split), *parts[ruling + 1 :]]
    done = [*parts[:ruling], parts[ruling].until(split)] if split else list(parts[:ruling])
    rest = to_come[0] if len(to_come) == 1 else Sequence(tuple(to_come))
    result = _slowed(rest, factor)
    for part in reversed(done):
        result = part >> result
    return result


# A plan that is changed again and again keeps one shift and one stretch for what is to come.


def _begun(part: Schedule, by: float) -> Schedule:
    """``part`` from ``by`` steps after its start on."""
    match part:
        case Stretch(schedule=inner, by=slow):
            return _slowed(_begun(inner, by / slow), slow)
        case Shift(schedule=inner, by=float() | int() as begun) if begun < 0:
            return inner.shift(begun - by)
        case _:
            return part.shift(-by) if by else part


def _slowed(part: Schedule, by: float) -> Schedule:
    """``part`` taking ``by`` times as long."""
    if isinstance(part, Stretch):
        return _slowed(part.schedule, part.by * by)
    return part.stretch(by) if by != 1 else part
