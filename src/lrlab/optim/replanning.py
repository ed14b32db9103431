"""A change of how long training is, for all that a scheduler schedules."""

from math import inf, isinf

from lrlab.errors import SchedulerError
from lrlab.optim.track import ScheduledHyperparameter
from lrlab.schedules import Constant, Schedule
from lrlab.schedules.durations import Horizon
from lrlab.schedules.numbers import to_finite_float


def replan_hyperparameters(
    hyperparameters: tuple[ScheduledHyperparameter, ...], new_total_steps: float, at: int, total_steps: float | None
) -> tuple[ScheduledHyperparameter, ...]:
    """The tracks from step ``at`` on, for a training of ``new_total_steps`` steps.

    Args:
        hyperparameters: what follows schedules.
        new_total_steps: how many steps there are now.
        at: the step reached.
        total_steps: how many steps were planned; None for those of the longest schedule that ends.

    Raises:
        SchedulerError: a schedule reads a metric, none has an end, or a number is too low.
    """
    if not (to_finite_float(new_total_steps) or 0) > at:
        raise SchedulerError(
            f"replan goes on to a number of steps above the one reached, {at}, got {new_total_steps!r}."
        )
    schedules = {id(schedule): schedule for scheduled in hyperparameters for schedule in (scheduled.default_schedule, *scheduled.schedules)}
    for schedule in schedules.values():
        if schedule.needs_metric:
            raise SchedulerError(
                f"replan is for schedules with an end, but {schedule} reads a metric; it goes on "
                "for as long as training does."
            )
    if total_steps is None:
        lengths = [schedule.compute_length(Horizon()) for schedule in schedules.values()]
        total_steps = max((length for length in lengths if not isinf(length)), default=inf)
    if isinf(total_steps):
        raise SchedulerError(
            "replan needs the number of steps planned, because no schedule here has an end of its "
            "own: pass LRScheduler total_steps=..."
        )
    if at >= total_steps:
        raise SchedulerError(
            f"replan must come before the planned end, which was step {total_steps:g}, and it is step "
            f"{at} by now: build a new scheduler."
        )
    replanned_schedules = {key: _replan_schedule(schedule, new_total_steps, at, total_steps) for key, schedule in schedules.items()}
    return tuple(
        ScheduledHyperparameter(
            scheduled.hyperparameter,
            replanned_schedules[id(scheduled.default_schedule)],
            [replanned_schedules[id(schedule)] for schedule in scheduled.schedules],
            scheduled.bases,
        )
        for scheduled in hyperparameters
    )


def _replan_schedule(schedule: Schedule, new_total_steps: float, at: int, total_steps: float) -> Schedule:
    if isinstance(schedule, Constant):
        return schedule  # which any stretching would leave as it is
    return schedule.replan(new_total_steps, at=at, total_steps=total_steps)
