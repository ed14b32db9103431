"""A change of how long training is, for all that a scheduler schedules."""

from math import inf, isinf

from lrlab.errors import SchedulerError
from lrlab.optim.track import Track
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.numbers import real


def replanned(
    tracks: tuple[Track, ...], new_total: float, at: int, total: float | None
) -> tuple[Track, ...]:
    """The tracks from step ``at`` on, for a training of ``new_total`` steps.

    Args:
        tracks: what follows schedules.
        new_total: how many steps there are now.
        at: the step reached.
        total: how many steps were planned; None for those of the longest schedule that ends.

    Raises:
        SchedulerError: a schedule reads a metric, none has an end, or a number is too low.
    """
    if not (real(new_total) or 0) > at:
        raise SchedulerError(
            f"replan goes on to a number of steps above the one reached, {at}, got {new_total!r}."
        )
    schedules = {id(one): one for track in tracks for one in (track.common, *track.schedules)}
    for schedule in schedules.values():
        if schedule.reactive:
            raise SchedulerError(
                f"replan is for schedules with an end, but {schedule} reads a metric; it goes on "
                "for as long as training does."
            )
    if total is None:
        lengths = [schedule.length(Horizon()) for schedule in schedules.values()]
        total = max((length for length in lengths if not isinf(length)), default=inf)
    if isinf(total):
        raise SchedulerError(
            "replan needs the number of steps planned, because no schedule here has an end of its "
            "own: pass LRScheduler total_steps=..."
        )
    if at >= total:
        raise SchedulerError(
            f"replan must come before the planned end, which was step {total:g}, and it is step "
            f"{at} by now: build a new scheduler."
        )
    changed = {key: _replanned(one, new_total, at, total) for key, one in schedules.items()}
    return tuple(
        Track(
            track.what,
            changed[id(track.common)],
            [changed[id(one)] for one in track.schedules],
            track.bases,
        )
        for track in tracks
    )


def _replanned(schedule: Schedule, new_total: float, at: int, total: float) -> Schedule:
    if isinstance(schedule, Constant):
        return schedule  # which any stretching would leave as it is
    return schedule.replan(new_total, at=at, total=total)
