"""What looks wrong with the length of a schedule, beside that of the training it is for."""

import math
from collections.abc import Iterator

from lrlab.schedules.base import Schedule
from lrlab.schedules.cycles import Repeat
from lrlab.schedules.durations import Horizon
from lrlab.schedules.linting.subject import LintContext
from lrlab.schedules.shape import Primitive, get_field_specs
from lrlab.schedules.staircases import MultiStep, PiecewiseConstant, Step
from lrlab.schedules.warmups import LogWarmup, Warmup


def find_epochs_taken_as_steps(context: LintContext) -> Iterator[str]:
    """A schedule that is over in as many steps as training has epochs, or nearly at once."""
    schedule, total, last_change = context.schedule, context.total_steps, _find_last_change(context)
    if total is not None and _looks_like_epochs(last_change, context):
        epochs, steps = "", f'give its durations the unit, as in "{last_change:g}ep".'
        if context.steps_per_epoch:
            epochs = f" in {total / context.steps_per_epoch:g} epochs"
            steps = f'that is {last_change * context.steps_per_epoch:g} steps, or "{last_change:g}ep".'
        yield (
            f"{schedule} has done all it does by step {last_change:g}, and training has {total:g} steps"
            f"{epochs}: if epochs are meant, {steps}"
        )


def _find_last_change(context: LintContext) -> float:
    """The step by which a schedule has done all it does; 0 if it never has."""
    end = context.end_step
    match context.schedule:
        case MultiStep(milestones=at) | PiecewiseConstant(at=at) if context.steps_per_epoch:
            end = float(at[-1])
    # A schedule that ends at its peak, such as a warm-up, is not over but has begun.
    is_over = math.isfinite(end) and context.compute_rate(end) < context.peak_rate
    return float(end) if is_over else 0.0


def _looks_like_epochs(last_change: float, context: LintContext) -> bool:
    assert context.total_steps is not None
    if not last_change > 1 or not last_change.is_integer():
        return False
    if context.steps_per_epoch is None:
        return last_change <= context.total_steps / 10
    return context.steps_per_epoch > 2 and last_change <= context.total_steps / context.steps_per_epoch


def find_mixed_units(context: LintContext) -> Iterator[str]:
    """A few steps beside durations in epochs."""
    if context.steps_per_epoch is None or context.steps_per_epoch <= 2:
        return
    primitives = [part for part in context.unbound.walk() if isinstance(part, Primitive)]
    in_epochs = [part for part in primitives if any(_is_in_epochs(value) for value in _list_durations(part))]
    if not in_epochs:
        return
    for part in primitives:
        if any(not isinstance(value, str) and value > 1 for value in _list_durations(part)):
            yield (
                f"{part} counts steps beside {in_epochs[0]}, which counts epochs of "
                f"{context.steps_per_epoch:g} steps: write both in one unit."
            )


def _list_durations(primitive: Primitive) -> list[float | str]:
    """The values of a shape that say how long something lasts."""
    bound = [name for name, kind in get_field_specs(type(primitive)).items() if kind.bind is not None]
    values = [getattr(primitive, name) for name in bound]
    flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [value for value in flat if value is not None]


def _is_in_epochs(value: float | str) -> bool:
    return isinstance(value, str) and value.endswith("ep")


def find_unreached_changes(context: LintContext) -> Iterator[str]:
    """Stairs that training never comes to."""
    total = math.inf if context.total_steps is None else context.total_steps
    for part in context.schedule.walk():
        match part:
            case MultiStep(milestones=at) | PiecewiseConstant(at=at):
                beyond = [step for step in at if not isinstance(step, str) and step >= total]
            case Step(every=every) if not isinstance(every, str) and every >= total:
                beyond = [every]
            case _:
                beyond = []
        if beyond:
            yield (f"{part} would change at step {beyond[0]:g}, after training ends at {total:g}.")


def find_warmup_longer_than_training(context: LintContext) -> Iterator[str]:
    """A warm-up that training never comes out of."""
    for part in _find_long_warmups(context):
        yield (
            f"{part} is longer than the training of {context.total_steps:g} steps, which never reaches "
            'the base rate: try "5%".'
        )


def _find_long_warmups(context: LintContext) -> list[Schedule]:
    total = math.inf if context.total_steps is None else context.total_steps
    warmups = (part for part in context.schedule.walk() if isinstance(part, Warmup | LogWarmup))
    return [warmup for warmup in warmups if warmup.compute_length(Horizon()) > total]


def find_early_end(context: LintContext) -> Iterator[str]:
    """A schedule that holds its last rate for the rest of training, and not for one step only.

    To reach its end with the last step is what torch's OneCycleLR does.
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
            f"{context.schedule} ends at step {context.end_step:g}, before training does at "
            f"{context.total_steps:g}: from there on the rate is {last_rate:.4g}"
            f"{', which trains nothing' if last_rate == 0 else ''}; leave its duration out to fill the "
            "training."
        )


def find_late_end(context: LintContext) -> Iterator[str]:
    """A schedule whose end training never comes to."""
    if context.total_steps is None or math.isinf(context.end_step) or _find_long_warmups(context):
        return
    if context.end_step > context.total_steps:
        yield (
            f"{context.schedule} ends at step {context.end_step:g}, after training does at "
            f"{context.total_steps:g}: the last rate is {context.last_rate:.4g} instead of "
            f"{context.compute_rate(context.end_step):.4g}; leave its duration out to end with the training."
        )


def find_end_in_mid_cycle(context: LintContext) -> Iterator[str]:
    """A repetition whose lowest rate is not where training ends."""
    schedule = context.schedule
    if context.total_steps is None or not isinstance(schedule, Repeat) or schedule.times is not None:
        return
    low = float(context.rates.min())
    if context.last_rate > low + 0.2 * (context.peak_rate - low):
        yield (
            f"training ends in the middle of a repetition of {schedule}: the last rate is "
            f"{context.last_rate:.4g}, the lowest {low:.4g}; choose a length that ends with it."
        )
