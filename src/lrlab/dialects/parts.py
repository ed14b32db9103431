"""Pieces from which several libraries' schedules are made."""

from collections.abc import Callable, Mapping

from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Linear, Rate, Schedule
from lrlab.schedules.durations import Horizon

Level = float | Rate

RAMPS: Mapping[str, Callable[[Level, Level, float], Schedule]] = {
    "cos": lambda start, end, over: Cosine(over, start=start, end=end),
    "linear": lambda start, end, over: Linear(start, end, over=over),
}
"""The ramps of a one-cycle schedule by the names of ``anneal_strategy``."""


def ended(schedule: Schedule, at: float) -> Schedule:
    """``schedule``, ending after ``at`` steps; as it is where it does so by itself.

    >>> ended(Cosine(10), 10), ended(Cosine(10), 5)
    (Cosine(10), Cosine(10).until(5))
    """
    try:
        ends = schedule.length(Horizon()) == at
    except ScheduleError:  # it is measured by a horizon yet unknown
        ends = False
    return schedule if ends else schedule.until(at)
