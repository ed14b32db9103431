"""fvcore's staircases."""

import math
from collections.abc import Sequence
from itertools import accumulate
from operator import mul

from lrlab.dialects.arguments import check_absolute, check_count, check_argument
from lrlab.dialects.fvcore.shares import _to_percent
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, PiecewiseConstant, Schedule
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
    PiecewiseConstant(["50%", "66.6666666667%"], [Absolute(0.1), Absolute(0.01), Absolute(0.001)])
    """
    func_name = "MultiStepParamScheduler"
    num_values = len(_check_values(func_name, values))
    if milestones is not None:
        needed = num_values - (num_updates is not None)
        if not isinstance(milestones, Sequence) or len(milestones) != needed:
            raise ScheduleError(f"{func_name}: milestones must be a list of {needed}, got {milestones}.")
        steps = [check_count(func_name, minimum=1, milestone=milestone) for milestone in milestones]
        total = steps.pop() if num_updates is None else check_count(func_name, num_updates=num_updates)
    elif num_updates is not None:
        total = check_count(func_name, num_updates=num_updates)
        steps = [math.ceil(total / num_values) * i for i in range(1, num_values)]
    else:
        raise ScheduleError(f"{func_name}: num_updates or milestones must be given, got None for both.")
    if total < num_values:
        raise ScheduleError(
            f"{func_name}: num_updates must be at least the number of values, {num_values}, got {total}."
        )
    if steps != sorted(set(steps)) or max(steps, default=0) >= total:
        raise ScheduleError(
            f"{func_name}: milestones must be ascending and below num_updates, {total}, got {steps}."
        )
    return _build_staircase(func_name, values, [step / total for step in steps])


def StepParamScheduler(num_updates: float, values: Sequence[float]) -> Schedule:
    """One value after another, each for as long; ``num_updates`` must be above 0 and has no effect.

    >>> StepParamScheduler(120, [0.1, 0.01, 0.001, 0.0001])
    PiecewiseConstant(["25%", "50%", "75%"], [Absolute(0.1), Absolute(0.01), Absolute(0.001), Absolute(0.0001)])
    """
    check_argument("StepParamScheduler", Positive, num_updates=num_updates)
    num_values = len(_check_values("StepParamScheduler", values))
    return _build_staircase("StepParamScheduler", values, [i / num_values for i in range(1, num_values)])


def StepWithFixedGammaParamScheduler(
    base_value: float, num_decays: int, gamma: float, num_updates: int
) -> Schedule:
    """Multiplied ``num_decays`` times by ``gamma``, after equal times.

    Both numbers are 1 or more, ``gamma`` and ``base_value`` above 0; ``num_updates`` has no effect.

    >>> StepWithFixedGammaParamScheduler(0.5, num_decays=2, gamma=0.5, num_updates=90)
    PiecewiseConstant(["33.3333333333%", "66.6666666667%"], [Absolute(0.5), Absolute(0.25), Absolute(0.125)])
    """
    func_name = "StepWithFixedGammaParamScheduler"
    base, factor = check_argument(func_name, Positive, base_value=base_value), check_argument(func_name, Positive, gamma=gamma)
    decays = check_count(func_name, minimum=1, num_decays=num_decays)
    total = check_count(func_name, minimum=1, num_updates=num_updates)
    return StepParamScheduler(total, list(accumulate([base, *[factor] * decays], mul)))


def _check_values(func_name: str, values: Sequence[float]) -> Sequence[float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ScheduleError(f"{func_name}: values must be a list of one or more, got {values!r}.")
    return values


def _build_staircase(func_name: str, values: Sequence[float], milestone_fractions: list[float]) -> Schedule:
    levels = [check_absolute(func_name, value=value) for value in values]
    return PiecewiseConstant(list(map(_to_percent, milestone_fractions)), levels) if milestone_fractions else Constant(levels[0])
