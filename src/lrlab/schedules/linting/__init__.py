"""Mistakes that a schedule may hold although each part of it is right."""

from collections.abc import Callable, Iterator

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.linting import lengths, levels
from lrlab.schedules.linting.subject import Subject

__all__ = ["lint"]

RULES: tuple[Callable[[Subject], Iterator[str]], ...] = (
    levels.first_step_at_zero,
    levels.jumps_at_joins,
    levels.end_above_start,
    levels.bound_never_reached,
    levels.falls_to_nothing,
    levels.base_rate_twice,
    lengths.epochs_taken_as_steps,
    lengths.units_mixed,
    lengths.warmup_longer_than_training,
    lengths.never_changes,
    lengths.ends_before_training,
    lengths.ends_after_training,
    lengths.ends_in_mid_cycle,
)


def lint(
    schedule: Schedule,
    base: float | None = None,
    *,
    total: float | None = None,
    epoch: float | None = None,
) -> tuple[str, ...]:
    """One sentence or two for each thing about ``schedule`` that looks like a mistake.

    Found are a first step at rate 0 (or all of them), jumps where parts of a sequence meet, a floor
    above the rate it is the floor of, a bound that never acts, a rate that falls to nothing, a
    schedule that ends before training or after it or never changes, a warm-up longer than the
    training, durations that look like epochs but count steps or stand beside such in epochs, and a
    formula that multiplies by the base rate although the scheduler does. What is meant may look
    like a mistake: these are hints.

    Args:
        schedule: any schedule.
        base: the base rate, without which the last of these is not looked for.
        total: steps of the whole training, without which nothing is compared to it.
        epoch: steps per epoch.

    Raises:
        ScheduleError: the schedule cannot be bound to ``total`` and ``epoch``, or gives no rate.

    >>> from lrlab.schedules import Cosine, Warmup
    >>> for finding in lint(Warmup(5, start=0.0) >> Cosine(30), total=550, epoch=11):
    ...     print(finding)
    the first step has rate 0 and trains nothing; Warmup(...) without start=0.0 counts from its \
first step.
    Warmup(5, start=0.0) >> Cosine(30) has done all it does by step 35, and training has 550 \
steps in 50 epochs: if epochs are meant, that is 385 steps, or "35ep".
    """
    if not isinstance(schedule, Schedule):
        raise ScheduleError(
            f"only schedules are looked at, got {schedule!r}; parse(text) reads one."
        )
    subject = Subject(schedule.bind(total=total, epoch=epoch), schedule, base, total, epoch)
    return tuple(finding for rule in RULES for finding in rule(subject))
