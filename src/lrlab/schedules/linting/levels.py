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
from lrlab.schedules.joins import Sequential
from lrlab.schedules.levels import Absolute, resolve_level
from lrlab.schedules.linting.subject import DEFAULT_TOTAL_STEPS, LintContext
from lrlab.schedules.ramps import Constant, Ramp
from lrlab.schedules.staircases import Step


def find_zero_first_step(context: LintContext) -> Iterator[str]:
    """A step that changes no weight."""
    if context.compute_rate(0) > 0:
        return
    if context.peak_rate == 0:
        yield f"{context.schedule} has rate 0 at every step, which trains nothing."
    else:
        yield (
            "the first step has rate 0 and trains nothing; Warmup(...) without start=0.0 counts "
            "from its first step."
        )


def find_jumps(context: LintContext) -> Iterator[str]:
    """Parts of a sequence that do not meet."""
    for sequence in context.schedule.walk():
        if not isinstance(sequence, Sequential):
            continue
        pairs = zip(sequence.schedules, sequence.schedules[1:], strict=False)
        for start, (previous_part, next_part) in zip(sequence.starts[1:].tolist(), pairs, strict=True):
            if isinstance(previous_part, type(next_part) | Constant):  # a restart, or a stair: it is meant
                continue
            if context.total_steps is not None and start >= context.total_steps:
                continue
            rate_before = previous_part(previous_part.compute_length(Horizon()), base=context.evaluation_base)
            rate_after = next_part(0, base=context.evaluation_base)
            if abs(rate_after - rate_before) > 0.05 * max(rate_after, rate_before):
                # Only what begins at the base rate itself begins at any other one too.
                continues = rate_before > 0 and math.isclose(rate_after, context.base_or_one)
                remedy = 'join with .then(..., join="continue")' if continues else "change a level"
                yield (
                    f"the rate jumps from {rate_before:.4g} to {rate_after:.4g} at step {start:g}, where "
                    f"{next_part} begins: to go on from {rate_before:.4g}, {remedy}."
                )


def find_end_above_start(context: LintContext) -> Iterator[str]:
    """A floor in rates above the base rate it is the floor of."""
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
    """A decay per epoch that is stepped more often."""
    if context.total_steps is None or not 0 <= context.last_rate < 1e-9 * context.peak_rate:
        return
    for part in context.schedule.walk():
        if isinstance(part, Exponential | Step) and part.gamma < 1:
            yield (
                f"the rate falls to {context.last_rate:.1g} by the last of {context.total_steps:g} steps: if "
                f'{part} is meant to count epochs, give it the unit, as in every="1ep".'
            )


def find_unreached_bound(context: LintContext) -> Iterator[str]:
    """A floor or a ceiling that training does not come to."""
    clip = context.schedule
    if context.total_steps is None or not isinstance(clip, Clip):
        return
    rates = dataclasses.replace(context, schedule=clip.schedule).rates
    if clip.low is not None and rates.min() > resolve_level(clip.low, context.base_or_one):
        yield _describe_unreached_bound("low", clip.low, float(rates.min()), context)
    if clip.high is not None and rates.max() < resolve_level(clip.high, context.base_or_one):
        yield _describe_unreached_bound("high", clip.high, float(rates.max()), context)


def _describe_unreached_bound(name: str, level: float | Absolute, closest_rate: float, context: LintContext) -> str:
    return (
        f"the bound {name}={level!r} of {context.schedule} is never reached: in "
        f"{context.total_steps:g} steps the rate comes to {closest_rate:.4g}."
    )


def find_base_rate_applied_twice(context: LintContext) -> Iterator[str]:
    """A formula that multiplies by the base rate, which the scheduler does too."""
    base = context.base
    if base is None or base == 1:
        return
    for part in _iter_unscaled_parts(context.schedule):
        if isinstance(part, Formula | Custom) and math.isclose(peak := _compute_peak(part), base):
            yield (
                f"{part} peaks at {peak:g}, which is the base rate itself: the base rate is "
                f"applied twice, and the rate peaks at {base:g} * {base:g} = {base * base:g}. A "
                f"formula gives a factor of the base rate, so leave the {base:g} out of it."
            )


def _iter_unscaled_parts(schedule: Schedule) -> Iterator[Schedule]:
    """All parts but those multiplied by a number, which is a correction that is meant."""
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
