"""What looks wrong with the length of a schedule, beside that of the training it is for."""

import math
from collections.abc import Iterator

from lrlab.schedules.base import Schedule
from lrlab.schedules.cycles import Repeat
from lrlab.schedules.durations import Horizon
from lrlab.schedules.linting.subject import Subject
from lrlab.schedules.shape import Shape, kinds
from lrlab.schedules.staircases import MultiStep, Piecewise, Step
from lrlab.schedules.warmups import LogWarmup, Warmup


def epochs_taken_as_steps(subject: Subject) -> Iterator[str]:
    """A schedule that is over in as many steps as training has epochs, or nearly at once."""
    schedule, total, span = subject.schedule, subject.total, _span(subject)
    if total is not None and _looks_like_epochs(span, subject):
        epochs, steps = "", f'give its durations the unit, as in "{span:g}ep".'
        if subject.epoch:
            epochs = f" in {total / subject.epoch:g} epochs"
            steps = f'that is {span * subject.epoch:g} steps, or "{span:g}ep".'
        yield (
            f"{schedule} has done all it does by step {span:g}, and training has {total:g} steps"
            f"{epochs}: if epochs are meant, {steps}"
        )


def _span(subject: Subject) -> float:
    """The step by which a schedule has done all it does; 0 if it never has."""
    end = subject.end
    match subject.schedule:
        case MultiStep(milestones=at) | Piecewise(at=at) if subject.epoch:
            end = float(at[-1])
    # A schedule that ends at its peak, such as a warm-up, is not over but has begun.
    over = math.isfinite(end) and subject.at(end) < subject.peak
    return float(end) if over else 0.0


def _looks_like_epochs(span: float, subject: Subject) -> bool:
    assert subject.total is not None
    if not span > 1 or not span.is_integer():
        return False
    if subject.epoch is None:
        return span <= subject.total / 10
    return subject.epoch > 2 and span <= subject.total / subject.epoch


def units_mixed(subject: Subject) -> Iterator[str]:
    """A few steps beside durations in epochs."""
    if subject.epoch is None or subject.epoch <= 2:
        return
    shapes = [part for part in subject.written.walk() if isinstance(part, Shape)]
    in_epochs = [part for part in shapes if any(_in_epochs(value) for value in _durations(part))]
    if not in_epochs:
        return
    for part in shapes:
        if any(not isinstance(value, str) and value > 1 for value in _durations(part)):
            yield (
                f"{part} counts steps beside {in_epochs[0]}, which counts epochs of "
                f"{subject.epoch:g} steps: write both in one unit."
            )


def _durations(shape: Shape) -> list[float | str]:
    """The values of a shape that say how long something lasts."""
    bound = [name for name, kind in kinds(type(shape)).items() if kind.bind is not None]
    values = [getattr(shape, name) for name in bound]
    flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [value for value in flat if value is not None]


def _in_epochs(value: float | str) -> bool:
    return isinstance(value, str) and value.endswith("ep")


def never_changes(subject: Subject) -> Iterator[str]:
    """Stairs that training never comes to."""
    total = math.inf if subject.total is None else subject.total
    for part in subject.schedule.walk():
        match part:
            case MultiStep(milestones=at) | Piecewise(at=at):
                beyond = [step for step in at if not isinstance(step, str) and step >= total]
            case Step(every=every) if not isinstance(every, str) and every >= total:
                beyond = [every]
            case _:
                beyond = []
        if beyond:
            yield (f"{part} would change at step {beyond[0]:g}, after training ends at {total:g}.")


def warmup_longer_than_training(subject: Subject) -> Iterator[str]:
    """A warm-up that training never comes out of."""
    for part in _long_warmups(subject):
        yield (
            f"{part} is longer than the training of {subject.total:g} steps, which never reaches "
            'the base rate: try "5%".'
        )


def _long_warmups(subject: Subject) -> list[Schedule]:
    total = math.inf if subject.total is None else subject.total
    warmups = (part for part in subject.schedule.walk() if isinstance(part, Warmup | LogWarmup))
    return [warmup for warmup in warmups if warmup.length(Horizon()) > total]


def ends_before_training(subject: Subject) -> Iterator[str]:
    """A schedule that holds its last rate for the rest of training, and not for one step only.

    To reach its end with the last step is what torch's OneCycleLR does.
    """
    if (
        subject.total is None
        or not subject.end < subject.total - 1
        or any(epochs_taken_as_steps(subject))
    ):
        return
    held = subject.at(subject.end)
    if held < subject.peak:
        yield (
            f"{subject.schedule} ends at step {subject.end:g}, before training does at "
            f"{subject.total:g}: from there on the rate is {held:.4g}"
            f"{', which trains nothing' if held == 0 else ''}; leave its duration out to fill the "
            "training."
        )


def ends_after_training(subject: Subject) -> Iterator[str]:
    """A schedule whose end training never comes to."""
    if subject.total is None or math.isinf(subject.end) or _long_warmups(subject):
        return
    if subject.end > subject.total:
        yield (
            f"{subject.schedule} ends at step {subject.end:g}, after training does at "
            f"{subject.total:g}: the last rate is {subject.last:.4g} instead of "
            f"{subject.at(subject.end):.4g}; leave its duration out to end with the training."
        )


def ends_in_mid_cycle(subject: Subject) -> Iterator[str]:
    """A repetition whose lowest rate is not where training ends."""
    schedule = subject.schedule
    if subject.total is None or not isinstance(schedule, Repeat) or schedule.times is not None:
        return
    low = float(subject.rates.min())
    if subject.last > low + 0.2 * (subject.peak - low):
        yield (
            f"training ends in the middle of a repetition of {schedule}: the last rate is "
            f"{subject.last:.4g}, the lowest {low:.4g}; choose a length that ends with it."
        )
