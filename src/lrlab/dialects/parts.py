"""Pieces from which several libraries' schedules are made."""

from collections.abc import Callable, Mapping

from lrlab.errors import ScheduleError
from lrlab.schedules import Cosine, Linear, Absolute, Schedule
from lrlab.schedules.durations import Horizon

Level = float | Absolute

ANNEAL_RAMPS: Mapping[str, Callable[[Level, Level, float], Schedule]] = {
    "cos": lambda start, end, over: Cosine(over, start=start, end=end),
    "linear": lambda start, end, over: Linear(start, end, over=over),
}
"""The ramps of a one-cycle schedule by the names of ``anneal_strategy``."""


def truncate(schedule: Schedule, at: float) -> Schedule:
    """``schedule``, ending after ``at`` steps; as it is where it does so by itself.

    >>> truncate(Cosine(10), 10), truncate(Cosine(10), 5)
    (Cosine(10), Cosine(10).until(5))
    """
    try:
        ends_there = schedule.compute_length(Horizon()) == at
    except ScheduleError:  # it is measured by a horizon yet unknown
        ends_there = False
    return schedule if ends_there else schedule.until(at)
