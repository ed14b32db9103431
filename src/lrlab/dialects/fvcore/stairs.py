"""fvcore's staircases."""

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from lrlab.dialects.arguments import absolute, count, read
from lrlab.dialects.fvcore.shares import percent
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Piecewise, Schedule
from lrlab.schedules.parameters import Positive


def MultiStepParamScheduler(
    values: Sequence[float],
    num_updates: int | None = None,
    milestones: Sequence[int] | None = None,
) -> Schedule:
    """One value after another, at ``milestones`` of ``num_updates``, which set the scale only.

    Without ``num_updates`` the last milestone takes its place; without ``milestones`` they are
    spread evenly.

    Raises:
        ScheduleError: both are missing, they do not fit the values, or the milestones are not
            ascending numbers between 0 and ``num_updates``.

    >>> MultiStepParamScheduler([0.1, 0.01, 0.001], num_updates=90, milestones=[45, 60])
    Piecewise(["50%", "66.6666666667%"], [Rate(0.1), Rate(0.01), Rate(0.001)])
    """
    name = "MultiStepParamScheduler"
    stairs = len(_filled(name, values))
    if milestones is not None:
        needed = stairs - (num_updates is not None)
        if not isinstance(milestones, Sequence) or len(milestones) != needed:
            raise ScheduleError(f"{name}: milestones must be a list of {needed}, got {milestones}.")
        steps = [count(name, least=1, milestone=milestone) for milestone in milestones]
        whole = steps.pop() if num_updates is None else count(name, num_updates=num_updates)
    elif num_updates is not None:
        whole = count(name, num_updates=num_updates)
        steps = [math.ceil(whole / stairs) * i for i in range(1, stairs)]
    else:
        raise ScheduleError(f"{name}: num_updates or milestones must be given, got None for both.")
    if whole < stairs:
        raise ScheduleError(
            f"{name}: num_updates must be at least the number of values, {stairs}, got {whole}."
        )
    if steps != sorted(set(steps)) or max(steps, default=0) >= whole:
        raise ScheduleError(
            f"{name}: milestones must be ascending and below num_updates, {whole}, got {steps}."
        )
    return _stairs(name, values, [step / whole for step in steps])


def StepParamScheduler(num_updates: float, values: Sequence[float]) -> Schedule:
    """One value after another, each for as long; ``num_updates`` must be above 0 and has no effect.

    >>> StepParamScheduler(120, [0.1, 0.01, 0.001, 0.0001])
    Piecewise(["25%", "50%", "75%"], [Rate(0.1), Rate(0.01), Rate(0.001), Rate(0.0001)])
    """
    read("StepParamScheduler", Positive, num_updates=num_updates)
    stairs = len(_filled("StepParamScheduler", values))
    return _stairs("StepParamScheduler", values, [i / stairs for i in range(1, stairs)])


def StepWithFixedGammaParamScheduler(
    base_value: float, num_decays: int, gamma: float, num_updates: int
) -> Schedule:
    """Multiplied ``num_decays`` times by ``gamma``, after equal times.

    Both numbers are 1 or more, ``gamma`` and ``base_value`` above 0; ``num_updates`` has no effect.

    >>> StepWithFixedGammaParamScheduler(0.5, num_decays=2, gamma=0.5, num_updates=90)
    Piecewise(["33.3333333333%", "66.6666666667%"], [Rate(0.5), Rate(0.25), Rate(0.125)])
    """
    name = "StepWithFixedGammaParamScheduler"
    base, factor = read(name, Positive, base_value=base_value), read(name, Positive, gamma=gamma)
    decays = count(name, least=1, num_decays=num_decays)
    whole = count(name, least=1, num_updates=num_updates)
    return StepParamScheduler(whole, list(accumulate([base, *[factor] * decays], mul)))


def _filled(function: str, values: Sequence[float]) -> Sequence[float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ScheduleError(f"{function}: values must be a list of one or more, got {values!r}.")
    return values


def _stairs(function: str, values: Sequence[float], shares: list[float]) -> Schedule:
    levels = [absolute(function, value=value) for value in values]
    return Piecewise(list(map(percent, shares)), levels) if shares else Constant(levels[0])
