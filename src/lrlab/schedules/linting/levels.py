"""What looks wrong with the levels of a schedule."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.arithmetic import Clip, Product
from lrlab.schedules.base import Schedule
from lrlab.schedules.decays import Exponential
from lrlab.schedules.durations import Horizon
from lrlab.schedules.formulas import Custom, Formula
from lrlab.schedules.joins import Sequence
from lrlab.schedules.levels import Rate, resolve
from lrlab.schedules.linting.subject import STEPS, Subject
from lrlab.schedules.ramps import Constant, Ramp
from lrlab.schedules.staircases import Step


def first_step_at_zero(subject: Subject) -> Iterator[str]:
    """A step that changes no weight."""
    if subject.at(0) > 0:
        return
    if subject.peak == 0:
        yield f"{subject.schedule} has rate 0 at every step, which trains nothing."
    else:
        yield (
            "the first step has rate 0 and trains nothing; Warmup(...) without start=0.0 counts "
            "from its first step."
        )


def jumps_at_joins(subject: Subject) -> Iterator[str]:
    """Parts of a sequence that do not meet."""
    for sequence in subject.schedule.walk():
        if not isinstance(sequence, Sequence):
            continue
        pairs = zip(sequence.schedules, sequence.schedules[1:], strict=False)
        for start, (before, after) in zip(sequence.starts[1:].tolist(), pairs, strict=True):
            if isinstance(before, type(after) | Constant):  # a restart, or a stair: it is meant
                continue
            if subject.total is not None and start >= subject.total:
                continue
            ended = before(before.length(Horizon()), base=subject.given_base)
            begun = after(0, base=subject.given_base)
            if abs(begun - ended) > 0.05 * max(begun, ended):
                # Only what begins at the base rate itself begins at any other one too.
                continues = ended > 0 and math.isclose(begun, subject.rate)
                remedy = 'join with .then(..., join="continue")' if continues else "change a level"
                yield (
                    f"the rate jumps from {ended:.4g} to {begun:.4g} at step {start:g}, where "
                    f"{after} begins: to go on from {ended:.4g}, {remedy}."
                )


def end_above_start(subject: Subject) -> Iterator[str]:
    """A floor in rates above the base rate it is the floor of."""
    base = math.inf if subject.base is None else subject.base
    for part in subject.schedule.walk():
        if not isinstance(part, Ramp) or part.start != 1.0 or not isinstance(part.end, Rate):
            continue
        if part.end.value > base:
            yield (
                f"{part} rises: its end, {part.end.value:g}, is above the base rate, {base:g}; a "
                "factor of the base rate is a plain number."
            )


def falls_to_nothing(subject: Subject) -> Iterator[str]:
    """A decay per epoch that is stepped more often."""
    if subject.total is None or not 0 <= subject.last < 1e-9 * subject.peak:
        return
    for part in subject.schedule.walk():
        if isinstance(part, Exponential | Step) and part.gamma < 1:
            yield (
                f"the rate falls to {subject.last:.1g} by the last of {subject.total:g} steps: if "
                f'{part} is meant to count epochs, give it the unit, as in every="1ep".'
            )


def bound_never_reached(subject: Subject) -> Iterator[str]:
    """A floor or a ceiling that training does not come to."""
    clip = subject.schedule
    if subject.total is None or not isinstance(clip, Clip):
        return
    rates = dataclasses.replace(subject, schedule=clip.schedule).rates
    if clip.low is not None and rates.min() > resolve(clip.low, subject.rate):
        yield _never("low", clip.low, float(rates.min()), subject)
    if clip.high is not None and rates.max() < resolve(clip.high, subject.rate):
        yield _never("high", clip.high, float(rates.max()), subject)


def _never(name: str, level: float | Rate, nearest: float, subject: Subject) -> str:
    return (
        f"the bound {name}={level!r} of {subject.schedule} is never reached: in "
        f"{subject.total:g} steps the rate comes to {nearest:.4g}."
    )


def base_rate_twice(subject: Subject) -> Iterator[str]:
    """A formula that multiplies by the base rate, which the scheduler does too."""
    base = subject.base
    if base is None or base == 1:
        return
    for part in _unscaled(subject.schedule):
        if isinstance(part, Formula | Custom) and math.isclose(peak := _peak(part), base):
            yield (
                f"{part} peaks at {peak:g}, which is the base rate itself: the base rate is "
                f"applied twice, and the rate peaks at {base:g} * {base:g} = {base * base:g}. A "
                f"formula gives a factor of the base rate, so leave the {base:g} out of it."
            )


def _unscaled(schedule: Schedule) -> Iterator[Schedule]:
    """All parts but those multiplied by a number, which is a correction that is meant."""
    if isinstance(schedule, Product) and any(isinstance(s, Constant) for s in schedule.children()):
        return
    yield schedule
    for child in schedule.children():
        yield from _unscaled(child)


def _peak(part: Schedule) -> float:
    for steps in (STEPS, 1):  # a formula may be right for a short training only
        try:
            return float(part(np.arange(steps)).max())
        except ScheduleError:
            continue
    return math.nan
