"""Find likely mistakes in a schedule: ``lint`` and its rules, each a function ``find_...``."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.combinators import Clip, Product, Repeat, Sequential
from lrlab.schedules.core import Array, Constant, FieldSchedule, Schedule, get_field_specs
from lrlab.schedules.decays import Exponential
from lrlab.schedules.durations import Horizon
from lrlab.schedules.fields import Absolute, resolve_level
from lrlab.schedules.formula import Custom, Formula
from lrlab.schedules.ramps import Linear, LogWarmup, Ramp, Warmup
from lrlab.schedules.staircases import MultiStep, PiecewiseConstant, Step

__all__ = ["lint"]

DEFAULT_TOTAL_STEPS = 1000
"""Number of steps to look at if the length of the training is unknown."""

_MAX_SAMPLES = 10_000
"""Number of steps at which a long training is sampled."""


def lint(
    schedule: Schedule,
    base: float | None = None,
    *,
    total_steps: float | None = None,
    steps_per_epoch: float | None = None,
) -> tuple[str, ...]:
    """Return a message for each likely mistake in ``schedule``.

    It finds a first step (or all steps) with rate 0, jumps between the parts of a sequence, a floor
    above the base rate, a bound that is never reached, a rate that falls to nothing, a schedule
    that ends before or after the training, a warm-up longer than the training, durations in steps
    that look like epochs or are mixed with durations in epochs, and a formula that multiplies by
    the base rate although the scheduler does. These are hints: a finding may be intended.

    Args:
        schedule: any schedule.
        base: the base rate; needed to find such a formula.
        total_steps: steps of the whole training; needed to compare the schedule with it.
        steps_per_epoch: steps per epoch.

    Raises:
        ScheduleError: the schedule cannot be bound to ``total_steps`` and ``steps_per_epoch``, or
            cannot be evaluated.

    >>> from lrlab.schedules import Cosine, Warmup
    >>> schedule = Warmup(5, start=0.0) >> Cosine(30)
    >>> for finding in lint(schedule, total_steps=550, steps_per_epoch=11):
    ...     print(finding)
    the first step has rate 0 and trains nothing; start above 0, e.g. Warmup(5).
    Warmup(5, start=0.0) >> Cosine(30) ends at step 35, but the training has 550 steps in 50 \
epochs: if you mean epochs, that is 385 steps; write "5ep", "30ep".
    """
    if not isinstance(schedule, Schedule):
        raise ScheduleError(
            f"lint: schedule must be a schedule, got {schedule!r}; use parse(text)."
        )
    context = LintContext(
        schedule.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch),
        schedule,
        base,
        total_steps,
        steps_per_epoch,
    )
    return tuple(finding for rule in RULES for finding in rule(context))


@dataclass(frozen=True)
class LintContext:
    """A bound schedule and its training, as far as that is known.

    Args:
        schedule: the bound schedule.
        unbound: the schedule before it was bound.
        base, total_steps, steps_per_epoch: the arguments of ``lint``.
    """

    schedule: Schedule
    unbound: Schedule
    base: float | None
    total_steps: float | None
    steps_per_epoch: float | None

    @property
    def base_or_one(self) -> float:
        """The base rate, or 1 if unknown."""
        return 1.0 if self.base is None else self.base

    def compute_rate(self, t: float) -> float:
        """Return the rate at a step."""
        return self.schedule(t, base=self.evaluation_base)

    @property
    def evaluation_base(self) -> float | None:
        return self.base if self.base is not None or self.schedule.is_relative else 0.1

    @cached_property
    def rates(self) -> Array:
        """The rates at every step of the training, or at a sample of them."""
        end = (
            self.total_steps
            if self.total_steps is not None
            else min(self.end_step, DEFAULT_TOTAL_STEPS)
        )
        steps = np.unique(np.linspace(0, max(0, end - 1), _MAX_SAMPLES).round())
        return self.schedule(steps, base=self.evaluation_base)

    @property
    def peak_rate(self) -> float:
        """The highest rate of the training."""
        return float(self.rates.max())

    @property
    def last_rate(self) -> float:
        """The last rate that the training uses."""
        return float(self.rates[-1])

    @cached_property
    def end_step(self) -> float:
        """The step at which the schedule ends, infinite if it never does."""
        return self.schedule.compute_length(Horizon())


def find_epochs_taken_as_steps(context: LintContext) -> Iterator[str]:
    """Find a schedule that ends after as many steps as there are epochs, or very early."""
    schedule, total, last_change = context.schedule, context.total_steps, _find_last_change(context)
    if total is not None and _looks_like_epochs(last_change, context):
        durations = _list_numeric_durations(context.unbound) or [last_change]
        in_epochs = ", ".join(f'"{duration:g}ep"' for duration in durations)
        epochs, remedy = "", f"write {in_epochs}{_describe_missing_epoch(context)}."
        if context.steps_per_epoch:
            epochs = f" in {total / context.steps_per_epoch:g} epochs"
            remedy = f"that is {last_change * context.steps_per_epoch:g} steps; {remedy}"
        yield (
            f"{schedule} ends at step {last_change:g}, but the training has {total:g} steps"
            f"{epochs}: if you mean epochs, {remedy}"
        )


def _list_numeric_durations(schedule: Schedule) -> list[float]:
    """List the durations in steps that the text of a schedule has, each once."""
    parts = [part for part in schedule.walk() if isinstance(part, FieldSchedule)]
    values = [value for part in parts for value in _list_durations(part)]
    return list(dict.fromkeys(v for v in values if not isinstance(v, str) and v > 1))


def _describe_missing_epoch(context: LintContext) -> str:
    """Return what a remedy in epochs needs besides if the length of an epoch is unknown."""
    return "" if context.steps_per_epoch else " and give `steps_per_epoch`"


def _find_last_change(context: LintContext) -> float:
    """Return the step after which a schedule no longer changes; 0 if there is none."""
    end = context.end_step
    match context.schedule:
        case MultiStep(milestones=at) | PiecewiseConstant(at=at) if context.steps_per_epoch:
            end = float(at[-1])
    # A schedule that ends at its peak, such as a warm-up, counts as endless.
    is_over = math.isfinite(end) and context.compute_rate(end) < context.peak_rate
    return float(end) if is_over else 0.0


def _looks_like_epochs(last_change: float, context: LintContext) -> bool:
    assert context.total_steps is not None
    if not last_change > 1 or not last_change.is_integer():
        return False
    if context.steps_per_epoch is None:
        return last_change <= context.total_steps / 10
    return (
        context.steps_per_epoch > 2 and last_change <= context.total_steps / context.steps_per_epoch
    )


def find_mixed_units(context: LintContext) -> Iterator[str]:
    """Find durations in steps mixed with durations in epochs."""
    if context.steps_per_epoch is None or context.steps_per_epoch <= 2:
        return
    parts = [part for part in context.unbound.walk() if isinstance(part, FieldSchedule)]
    in_epochs = [
        part for part in parts if any(_is_in_epochs(value) for value in _list_durations(part))
    ]
    if not in_epochs:
        return
    for part in parts:
        if any(not isinstance(value, str) and value > 1 for value in _list_durations(part)):
            yield (
                f"{part} counts steps, but {in_epochs[0]} counts epochs of "
                f"{context.steps_per_epoch:g} steps: write both in one unit."
            )


def _list_durations(part: FieldSchedule) -> list[float | str]:
    """List the arguments of a schedule that are durations."""
    names = [name for name, spec in get_field_specs(type(part)).items() if spec.bind is not None]
    values = [getattr(part, name) for name in names]
    flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [value for value in flat if value is not None]


def _is_in_epochs(value: float | str) -> bool:
    return isinstance(value, str) and value.endswith("ep")


def find_unreached_changes(context: LintContext) -> Iterator[str]:
    """Find jumps that the training never reaches."""
    total = math.inf if context.total_steps is None else context.total_steps
    for part in context.schedule.walk():
        match part:
            case MultiStep(milestones=at) | PiecewiseConstant(at=at):
                unreached = [step for step in at if not isinstance(step, str) and step >= total]
            case Step(every=every) if not isinstance(every, str) and every >= total:
                unreached = [every]
            case _:
                unreached = []
        if unreached:
            yield (
                f"{part} would change at step {unreached[0]:g}, after the training ends at "
                f"{total:g}."
            )


def find_warmup_longer_than_training(context: LintContext) -> Iterator[str]:
    """Find a warm-up that is longer than the training."""
    for part in _find_long_warmups(context):
        yield (
            f"{part} is longer than the training of {context.total_steps:g} steps, which never "
            'reaches the base rate: try "5%".'
        )


def _find_long_warmups(context: LintContext) -> list[Schedule]:
    total = math.inf if context.total_steps is None else context.total_steps
    warmups = (part for part in context.schedule.walk() if isinstance(part, Warmup | LogWarmup))
    return [warmup for warmup in warmups if warmup.compute_length(Horizon()) > total]


def find_early_end(context: LintContext) -> Iterator[str]:
    """Find a schedule that ends more than one step before the training.

    torch's OneCycleLR ends one step before it.
    """
    if (
        context.total_steps is None
        or not context.end_step < context.total_steps - 1
        or any(find_epochs_taken_as_steps(context))
    ):
        return
    last_rate = context.compute_rate(context.end_step)
    if last_rate < context.peak_rate:
        yield (
            f"{context.schedule} ends at step {context.end_step:g}, before the training ends at "
            f"{context.total_steps:g}: from there on the rate is {last_rate:.4g}"
            f"{', which trains nothing' if last_rate == 0 else ''}; omit its duration to fill the "
            "training."
        )


def find_late_end(context: LintContext) -> Iterator[str]:
    """Find a schedule that ends after the training."""
    if context.total_steps is None or math.isinf(context.end_step) or _find_long_warmups(context):
        return
    if context.end_step > context.total_steps:
        yield (
            f"{context.schedule} ends at step {context.end_step:g}, after the training ends at "
            f"{context.total_steps:g}: the last rate is {context.last_rate:.4g} instead of "
            f"{context.compute_rate(context.end_step):.4g}; omit its duration to end with the "
            "training."
        )


def find_end_in_mid_cycle(context: LintContext) -> Iterator[str]:
    """Find a repetition whose lowest rate is not at the end of the training."""
    schedule = context.schedule
    if (
        context.total_steps is None
        or not isinstance(schedule, Repeat)
        or schedule.times is not None
    ):
        return
    low = float(context.rates.min())
    if context.last_rate > low + 0.2 * (context.peak_rate - low):
        yield (
            f"the training ends in the middle of a repetition of {schedule}: the last rate is "
            f"{context.last_rate:.4g}, the lowest {low:.4g}; choose a length that ends with it."
        )


def find_zero_first_step(context: LintContext) -> Iterator[str]:
    """Find a first step, or all steps, with rate 0."""
    if context.compute_rate(0) > 0:
        return
    if context.peak_rate == 0:
        yield f"{context.schedule} has rate 0 at every step, which trains nothing."
    else:
        remedy = _suggest_start_above_zero(context.unbound)
        yield f"the first step has rate 0 and trains nothing; start above 0, e.g. {remedy}."


def _suggest_start_above_zero(schedule: Schedule) -> Schedule:
    """Suggest a warm-up whose first step is not wasted, as long as that of ``schedule`` if any."""
    first = schedule
    while first.children():
        first = first.children()[0]
    match first:
        case Warmup():
            return first.replace(start=None)
        case Linear(over=over):
            return Warmup(over)
    return Warmup(10)


def find_jumps(context: LintContext) -> Iterator[str]:
    """Find jumps between the parts of a sequence."""
    for sequence in context.schedule.walk():
        if not isinstance(sequence, Sequential):
            continue
        pairs = zip(sequence.schedules, sequence.schedules[1:], strict=False)
        for start, (previous_part, next_part) in zip(
            sequence.starts[1:].tolist(), pairs, strict=True
        ):
            # A restart or a stair is intended.
            if isinstance(previous_part, type(next_part) | Constant):
                continue
            if context.total_steps is not None and start >= context.total_steps:
                continue
            rate_before = previous_part(
                previous_part.compute_length(Horizon()), base=context.evaluation_base
            )
            rate_after = next_part(0, base=context.evaluation_base)
            if abs(rate_after - rate_before) > 0.05 * max(rate_after, rate_before):
                # join="continue" only helps if the next part starts at the base rate.
                can_continue = rate_before > 0 and math.isclose(rate_after, context.base_or_one)
                remedy = (
                    'join with .then(..., join="continue")' if can_continue else "change a level"
                )
                yield (
                    f"the rate jumps from {rate_before:.4g} to {rate_after:.4g} at step {start:g}, "
                    f"where {next_part} starts: to continue from {rate_before:.4g}, {remedy}."
                )


def find_end_above_start(context: LintContext) -> Iterator[str]:
    """Find a ramp from the base rate to an absolute rate above it."""
    base = math.inf if context.base is None else context.base
    for part in context.schedule.walk():
        if not isinstance(part, Ramp) or part.start != 1.0 or not isinstance(part.end, Absolute):
            continue
        if part.end.value > base:
            yield (
                f"{part} rises: its end, {part.end.value:g}, is above the base rate, {base:g}; a "
                "factor of the base rate is a plain number."
            )


def find_vanishing_rate(context: LintContext) -> Iterator[str]:
    """Find a decay to almost 0, such as a decay per epoch that is stepped every batch."""
    if context.total_steps is None or not 0 <= context.last_rate < 1e-9 * context.peak_rate:
        return
    for part in context.unbound.walk():
        if not isinstance(part, Exponential | Step) or part.gamma >= 1:
            continue
        if not isinstance(part.every, str):
            yield (
                f"the rate falls to {context.last_rate:.1g} by the last of {context.total_steps:g} "
                f'steps: if {part} should count epochs, write every="{part.every:g}ep"'
                f"{_describe_missing_epoch(context)}."
            )


def find_unreached_bound(context: LintContext) -> Iterator[str]:
    """Find a bound that the rate never reaches."""
    clip = context.schedule
    if context.total_steps is None or not isinstance(clip, Clip):
        return
    rates = dataclasses.replace(context, schedule=clip.schedule).rates
    if clip.low is not None and rates.min() > resolve_level(clip.low, context.base_or_one):
        yield _describe_unreached_bound("low", clip.low, float(rates.min()), context)
    if clip.high is not None and rates.max() < resolve_level(clip.high, context.base_or_one):
        yield _describe_unreached_bound("high", clip.high, float(rates.max()), context)


def _describe_unreached_bound(
    name: str, level: float | Absolute, closest_rate: float, context: LintContext
) -> str:
    return (
        f"the bound {name}={level!r} of {context.schedule} is never reached: in "
        f"{context.total_steps:g} steps the rate only gets to {closest_rate:.4g}."
    )


def find_base_rate_applied_twice(context: LintContext) -> Iterator[str]:
    """Find a formula that multiplies by the base rate, as the scheduler does."""
    base = context.base
    if base is None or base == 1:
        return
    for part in _iter_unscaled_parts(context.schedule):
        if isinstance(part, Formula | Custom) and math.isclose(peak := _compute_peak(part), base):
            yield (
                f"{part} peaks at {peak:g}, which is the base rate itself: the base rate is "
                f"applied twice, and the rate peaks at {base:g} * {base:g} = {base * base:g}. A "
                f"formula gives a factor of the base rate, so remove the {base:g}."
            )


def _iter_unscaled_parts(schedule: Schedule) -> Iterator[Schedule]:
    """Iterate over all parts except those multiplied by a number, an intended correction."""
    if isinstance(schedule, Product) and any(isinstance(s, Constant) for s in schedule.children()):
        return
    yield schedule
    for child in schedule.children():
        yield from _iter_unscaled_parts(child)


def _compute_peak(part: Schedule) -> float:
    for steps in (DEFAULT_TOTAL_STEPS, 1):  # a formula may be right for a short training only
        try:
            return float(part(np.arange(steps)).max())
        except ScheduleError:
            continue
    return math.nan


RULES: tuple[Callable[[LintContext], Iterator[str]], ...] = (
    find_zero_first_step,
    find_jumps,
    find_end_above_start,
    find_unreached_bound,
    find_vanishing_rate,
    find_base_rate_applied_twice,
    find_epochs_taken_as_steps,
    find_mixed_units,
    find_warmup_longer_than_training,
    find_unreached_changes,
    find_early_end,
    find_late_end,
    find_end_in_mid_cycle,
)
