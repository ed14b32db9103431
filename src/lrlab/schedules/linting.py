"""Mistakes that a schedule may hold although each part of it is right."""

import math
from collections.abc import Iterator

import numpy as np

from lrlab.errors import ScheduleError
from lrlab.schedules.arithmetic import Product
from lrlab.schedules.base import Schedule
from lrlab.schedules.formulas import Custom, Formula
from lrlab.schedules.ramps import Constant

__all__ = ["lint"]

_STEPS = 1000
"""How far a formula is looked at: one that has not peaked by then is not this mistake."""


def lint(schedule: Schedule, base: float) -> tuple[str, ...]:
    """One sentence for each mistake found in a bound ``schedule`` on the base rate ``base``.

    Found today: a formula or function that multiplies by the base rate, which the scheduler does
    too (the mistake of passing ``lambda t: 0.1 / (1 + 0.01*t)`` to torch's LambdaLR at rate 0.1).

    >>> lint(Formula("0.1 / (1 + 0.01*t)"), base=0.1)[0]
    'Formula("0.1 / (1 + 0.01*t)") peaks at 0.1, which is the base rate itself: the base rate is \
applied twice, and the rate peaks at 0.1 * 0.1 = 0.01. A formula gives a factor of the base rate, \
so leave the 0.1 out of it.'
    >>> lint(Formula("1 / (1 + 0.01*t)"), base=0.1)
    ()
    """
    return tuple(_base_rate_twice(schedule, base))


def _base_rate_twice(schedule: Schedule, base: float) -> Iterator[str]:
    if base == 1:
        return
    for part in _unscaled(schedule):
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
    for steps in (_STEPS, 1):  # a formula may be right for a short training only
        try:
            return float(part(np.arange(steps)).max())
        except ScheduleError:
            continue
    return math.nan
