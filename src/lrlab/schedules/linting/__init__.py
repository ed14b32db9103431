"""Mistakes that a schedule may hold although each part of it is right."""

from collections.abc import Callable, Iterator

from lrlab.errors import ScheduleError
from lrlab.schedules.base import Schedule
from lrlab.schedules.linting import lengths, levels
from lrlab.schedules.linting.subject import LintContext

__all__ = ["lint"]

RULES: tuple[Callable[[LintContext], Iterator[str]], ...] = (
    levels.find_zero_first_step,
    levels.find_jumps,
    levels.find_end_above_start,
    levels.find_unreached_bound,
    levels.find_vanishing_rate,
    levels.find_base_rate_applied_twice,
    lengths.find_epochs_taken_as_steps,
    lengths.find_mixed_units,
    lengths.find_warmup_longer_than_training,
    lengths.find_unreached_changes,
    lengths.find_early_end,
    lengths.find_late_end,
    lengths.find_end_in_mid_cycle,
)


def lint(
    schedule: Schedule,
    base: float | None = None,
    *,
    total_steps: float | None = None,
    steps_per_epoch: float | None = None,
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
        total_steps: steps of the whole training, without which nothing is compared to it.
        steps_per_epoch: steps per epoch.

    Raises:
        ScheduleError: the schedule cannot be bound to ``total_steps`` and ``steps_per_epoch``, or gives no rate.

    >>> from lrlab.schedules import Cosine, Warmup
    >>> for finding in lint(Warmup(5, start=0.0) >> Cosine(30), total_steps=550, steps_per_epoch=11):
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
    context = LintContext(schedule.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch), schedule, base, total_steps, steps_per_epoch)
    return tuple(finding for rule in RULES for finding in rule(context))
