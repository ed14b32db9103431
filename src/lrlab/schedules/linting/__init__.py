"""Mistakes that a schedule may hold although each part of it is right."""

from collections.abc import Callable, Iterator

from lrlab.schedules.base import Schedule
from lrlab.schedules.linting import lengths, levels
from lrlab.schedules.linting.subject import Subject

__all__ = ["lint"]

RULES: tuple[Callable[[Subject], Iterator[str]], ...] = (
    levels.first_step_at_zero,
    levels.jumps_at_joins,
    levels.bound_never_reached,
    levels.base_rate_twice,
    lengths.epochs_taken_as_steps,
    lengths.warmup_longer_than_training,
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

    Found are a first step at rate 0, jumps where parts of a sequence meet, a bound that never
    acts, a schedule that ends before training or after it, a warm-up longer than the training,
    durations that look like epochs but count steps, and a formula that multiplies by the base rate
    although the scheduler does. What is meant may look like a mistake: these are hints.

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
    the first step has rate 0 and trains nothing: leave start=0.0 out of Warmup.
    Warmup(5, start=0.0) >> Cosine(30) has done all it does by step 35, and training has 550 \
steps in 50 epochs: if epochs are meant, give its durations the unit, as in "35ep".
    """
    bound = schedule.bind(total=total, epoch=epoch)
    subject = Subject(bound, base, total, epoch)
    return tuple(finding for rule in RULES for finding in rule(subject))
