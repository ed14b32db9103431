"""Binds schedules for trainers that take a function of the step: Keras and fastai."""

from typing import Any

from lrlab.dialects import parse
from lrlab.errors import SchedulerError
from lrlab.schedules import Schedule


def bind_schedule(
    schedule: Any,
    trainer_name: str,
    total_steps: float | None = None,
    steps_per_epoch: float | None = None,
) -> Schedule:
    """Return a schedule or its text as a schedule with all durations in steps.

    Args:
        schedule: a schedule or its text.
        trainer_name: name of the trainer, for the error.
        total_steps: steps of the whole training; for percentages and omitted durations.
        steps_per_epoch: steps per epoch; for durations in epochs.

    Raises:
        SchedulerError: ``schedule`` is neither, or it is metric-driven.
        ScheduleError: the text is not a schedule, or needs ``total_steps`` or ``steps_per_epoch``.

    >>> bind_schedule("Warmup('10%') >> Cosine()", "a trainer", total_steps=50)
    Warmup(5) >> Cosine(45)
    """
    parsed = parse(schedule) if isinstance(schedule, str) else schedule
    if not isinstance(parsed, Schedule):
        raise SchedulerError(
            f"schedule must be a schedule such as Cosine(50), or its text, got {schedule!r}."
        )
    if parsed.needs_metric:
        raise SchedulerError(
            f"the schedule must read no metric, because {trainer_name} passes none, got {parsed}: "
            "use the trainer's own callback for it."
        )
    return parsed.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch)
