"""Schedules for trainers that ask for a rate by the step alone: read, checked and bound."""

from typing import Any

from lrlab.dialects import parse
from lrlab.errors import SchedulerError
from lrlab.schedules import Schedule


def plain(
    schedule: Any, trainer: str, total: float | None = None, epoch: float | None = None
) -> Schedule:
    """A schedule or its text as one that reads no metric, with all durations in steps.

    Args:
        schedule: what to read.
        trainer: who asks, for the error.
        total: steps of the whole training, for shares and the rest.
        epoch: steps per epoch, for durations in epochs.

    Raises:
        SchedulerError: it is neither, or it reads a metric.
        ScheduleError: the text is none of a schedule, or needs ``total`` or ``epoch``.

    >>> plain("Warmup('10%') >> Cosine()", "a trainer", total=50)
    Warmup(5) >> Cosine(45)
    """
    read = parse(schedule) if isinstance(schedule, str) else schedule
    if not isinstance(read, Schedule):
        raise SchedulerError(
            f"schedule must be a schedule such as Cosine(50), or its text, got {schedule!r}."
        )
    if read.reactive:
        raise SchedulerError(
            f"the schedule must read no metric, for {trainer} hands it none, got {read}: take the "
            "trainer's own callback for it."
        )
    return read.bind(total=total, epoch=epoch)
