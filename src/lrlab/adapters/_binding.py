"""Schedules for trainers that ask for a rate by the step alone: read, checked and bound."""

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
    """A schedule or its text as one that reads no metric, with all durations in steps.

    Args:
        schedule: what to read.
        trainer_name: who asks, for the error.
        total_steps: steps of the whole training, for shares and the rest.
        steps_per_epoch: steps per epoch, for durations in epochs.

    Raises:
        SchedulerError: it is neither, or it reads a metric.
        ScheduleError: the text is none of a schedule, or needs ``total_steps`` or ``steps_per_epoch``.

    >>> bind_schedule("Warmup('10%') >> Cosine()", "a trainer", total=50)
    Warmup(5) >> Cosine(45)
    """
    parsed = parse(schedule) if isinstance(schedule, str) else schedule
    if not isinstance(parsed, Schedule):
        raise SchedulerError(
            f"schedule must be a schedule such as Cosine(50), or its text, got {schedule!r}."
        )
    if parsed.needs_metric:
        raise SchedulerError(
            f"the schedule must read no metric, for {trainer_name} hands it none, got {parsed}: take the "
            "trainer's own callback for it."
        )
    return parsed.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch)
