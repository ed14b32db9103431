"""fvcore.common.param_scheduler's schedules, by fvcore's names, arguments and defaults.

fvcore's schedules are functions of the progress ``where``, so these fill the whole training and
need its length: after ``.bind(total_steps=N)`` the rate at t is fvcore's at where = t / N. Values
are absolute rates; to multiply a base rate, as detectron2 does, use lrlab's own schedules.

Intended differences:

- Past the end the last value holds; fvcore raises, climbs or continues.
- Milestones and the ends of parts are rounded to the nearest step; fvcore takes the next step and
  measures the progress in a part from a point between steps.
- ``power``, ``decay`` and ``gamma`` must be above 0, and values 0 or more.
- ``CompositeParamScheduler`` accepts ramps, constants, staircases and composites of rescaled parts,
  as the functions here return them, and needs one ``interval_scaling`` per scheduler.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

import math
from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import add, mul, rshift

from lrlab.dialects.arguments import (
    check_absolute,
    check_argument,
    check_choice,
    check_count,
    check_schedule,
)
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cosine,
    Geometric,
    Linear,
    PiecewiseConstant,
    Polynomial,
    Ramp,
    Schedule,
    Sequential,
    Until,
)
from lrlab.schedules.durations import Horizon
from lrlab.schedules.fields import NonNegative, Positive

__all__ = [
    "CompositeParamScheduler",
    "ConstantParamScheduler",
    "CosineParamScheduler",
    "ExponentialParamScheduler",
    "LinearParamScheduler",
    "MultiStepParamScheduler",
    "PolynomialDecayParamScheduler",
    "StepParamScheduler",
    "StepWithFixedGammaParamScheduler",
]


def ConstantParamScheduler(value: float) -> Schedule:
    """Keep one value throughout.

    >>> ConstantParamScheduler(0.1)
    Constant(Absolute(0.1))
    """
    return Constant(check_absolute("ConstantParamScheduler", value=value))


def CosineParamScheduler(start_value: float, end_value: float) -> Schedule:
    """Follow half a cosine from ``start_value`` to ``end_value`` over the whole training.

    >>> CosineParamScheduler(0.1, 0.0001)
    Cosine(start=Absolute(0.1), end=Absolute(0.0001))
    """
    func_name = "CosineParamScheduler"
    start = check_absolute(func_name, start_value=start_value)
    return Cosine(start=start, end=check_absolute(func_name, end_value=end_value))


def ExponentialParamScheduler(start_value: float, decay: float) -> Schedule:
    """Compute ``start_value * decay ** where``, both above 0.

    >>> ExponentialParamScheduler(2.0, 0.25)
    Geometric(Absolute(2.0), Absolute(0.5))
    """
    func_name = "ExponentialParamScheduler"
    start = check_argument(func_name, Positive, start_value=start_value)
    end = start * check_argument(func_name, Positive, decay=decay)
    return Geometric(Absolute(start), check_absolute(func_name, end=end))


def LinearParamScheduler(start_value: float, end_value: float) -> Schedule:
    """Go from ``start_value`` to ``end_value`` on a straight line over the whole training.

    >>> LinearParamScheduler(0.1, 0.0)
    Linear(Absolute(0.1), 0.0)
    """
    func_name = "LinearParamScheduler"
    start = check_absolute(func_name, start_value=start_value)
    return Linear(start, check_absolute(func_name, end_value=end_value))


def MultiStepParamScheduler(
    values: Sequence[float],
    num_updates: int | None = None,
    milestones: Sequence[int] | None = None,
) -> Schedule:
    """Take one value after another; the next begins at each of ``milestones``.

    Args:
        values: absolute rates.
        num_updates: length of the training to which the milestones refer; if omitted, the last of
            ``milestones``. Only the ratio of both matters.
        milestones: ascending numbers between 0 and ``num_updates``, one fewer than values; evenly
            spaced if omitted.

    Raises:
        ScheduleError: both are missing, or they break these rules.

    >>> MultiStepParamScheduler([0.1, 0.01, 0.001], num_updates=90, milestones=[45, 60])
    PiecewiseConstant(["50%", "66.6666666667%"], [Absolute(0.1), Absolute(0.01), Absolute(0.001)])
    """
    func_name = "MultiStepParamScheduler"
    num_values = len(_check_values(func_name, values))
    if milestones is not None:
        expected_count = num_values - (num_updates is not None)
        if not isinstance(milestones, Sequence) or len(milestones) != expected_count:
            raise ScheduleError(
                f"{func_name}: milestones must be a list of {expected_count} steps, got "
                f"{milestones}."
            )
        steps = [check_count(func_name, minimum=1, milestone=milestone) for milestone in milestones]
        total = (
            steps.pop() if num_updates is None else check_count(func_name, num_updates=num_updates)
        )
    elif num_updates is not None:
        total = check_count(func_name, num_updates=num_updates)
        steps = [math.ceil(total / num_values) * i for i in range(1, num_values)]
    else:
        raise ScheduleError(
            f"{func_name}: num_updates or milestones must be given, got None for both."
        )
    if total < num_values:
        raise ScheduleError(
            f"{func_name}: num_updates must be at least the number of values, {num_values}, got "
            f"{total}."
        )
    if steps != sorted(set(steps)) or max(steps, default=0) >= total:
        raise ScheduleError(
            f"{func_name}: milestones must be ascending and below num_updates, {total}, got "
            f"{steps}."
        )
    return _build_staircase(func_name, values, [step / total for step in steps])


def PolynomialDecayParamScheduler(base_value: float, power: float) -> Schedule:
    """Compute ``base_value * (1 - where) ** power``, with a power above 0.

    >>> PolynomialDecayParamScheduler(0.1, 0.9)
    Polynomial(0.9, start=Absolute(0.1))
    """
    start = check_absolute("PolynomialDecayParamScheduler", base_value=base_value)
    return Polynomial(power, start=start)


def StepParamScheduler(num_updates: float, values: Sequence[float]) -> Schedule:
    """Take one value after another, each for the same time.

    ``num_updates`` must be above 0 and has no effect.

    >>> StepParamScheduler(120, [0.1, 0.01])
    PiecewiseConstant(["50%"], [Absolute(0.1), Absolute(0.01)])
    """
    check_argument("StepParamScheduler", Positive, num_updates=num_updates)
    num_values = len(_check_values("StepParamScheduler", values))
    return _build_staircase(
        "StepParamScheduler", values, [i / num_values for i in range(1, num_values)]
    )


def StepWithFixedGammaParamScheduler(
    base_value: float, num_decays: int, gamma: float, num_updates: int
) -> Schedule:
    """Multiply the value by ``gamma`` ``num_decays`` times, after equal times.

    ``num_decays`` and ``num_updates`` must be at least 1, ``gamma`` and ``base_value`` above 0;
    ``num_updates`` has no effect.

    >>> StepWithFixedGammaParamScheduler(0.5, num_decays=1, gamma=0.5, num_updates=90)
    PiecewiseConstant(["50%"], [Absolute(0.5), Absolute(0.25)])
    """
    func_name = "StepWithFixedGammaParamScheduler"
    base, factor = (
        check_argument(func_name, Positive, base_value=base_value),
        check_argument(func_name, Positive, gamma=gamma),
    )
    decays = check_count(func_name, minimum=1, num_decays=num_decays)
    total = check_count(func_name, minimum=1, num_updates=num_updates)
    return StepParamScheduler(total, list(accumulate([base, *[factor] * decays], mul)))


def _check_values(func_name: str, values: Sequence[float]) -> Sequence[float]:
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ScheduleError(f"{func_name}: values must be a list of one or more, got {values!r}.")
    return values


def _build_staircase(
    func_name: str, values: Sequence[float], milestone_fractions: list[float]
) -> Schedule:
    levels = [check_absolute(func_name, value=value) for value in values]
    return (
        PiecewiseConstant(list(map(_to_percent, milestone_fractions)), levels)
        if milestone_fractions
        else Constant(levels[0])
    )


def CompositeParamScheduler(
    schedulers: Sequence[Schedule], lengths: Sequence[float], interval_scaling: Sequence[str]
) -> Schedule:
    """Run one schedule after another, each for a fraction of the training.

    A ``"rescaled"`` schedule runs as a whole within its fraction. A ``"fixed"`` schedule spans the
    whole training and acts only within its fraction; the composite may then be a sum of the parts,
    each times 1 in its fraction and 0 elsewhere.

    Raises:
        ScheduleError: the lists are empty or of different lengths, the lengths do not add up to 1,
            a scaling is neither of the two, or a scheduler cannot be rescaled.

    >>> from lrlab.dialects.fvcore import LinearParamScheduler
    >>> up, down = LinearParamScheduler(0.0, 0.1), LinearParamScheduler(0.1, 0.0)
    >>> CompositeParamScheduler([up, down], [0.3, 0.7], ["rescaled", "rescaled"])
    Linear(0.0, Absolute(0.1), over="30%") >> Linear(Absolute(0.1), 0.0)
    """
    func_name = "CompositeParamScheduler"
    arguments = (schedulers, lengths, interval_scaling)
    if not all(isinstance(values, Sequence) for values in arguments) or not schedulers:
        raise ScheduleError(
            f"{func_name}: the three arguments must be non-empty lists, got {arguments}."
        )
    if len(set(map(len, arguments))) > 1:
        raise ScheduleError(
            f"{func_name}: schedulers, lengths and interval_scaling must have the same length, got "
            f"{', '.join(str(len(values)) for values in arguments)}."
        )
    for schedule in schedulers:
        check_schedule(func_name, scheduler=schedule)
    part_fractions = [check_argument(func_name, NonNegative, length=length) for length in lengths]
    if abs(sum(part_fractions) - 1) >= 1e-3:
        raise ScheduleError(f"{func_name}: lengths must add up to 1, got {sum(part_fractions):g}.")
    for scaling in interval_scaling:
        check_choice(func_name, "rescaled", "fixed", interval_scaling=scaling)
    starts = [0.0, *accumulate(part_fractions[:-1])]
    part_fractions[-1] = max(0.0, 1 - starts[-1])
    are_last = [False] * (len(part_fractions) - 1) + [True]
    if "fixed" in interval_scaling[1:]:
        pieces = zip(schedulers, starts, part_fractions, interval_scaling, are_last, strict=True)
        return reduce(add, (_restrict_to_interval(*piece) for piece in pieces))
    parts = [
        schedule.until(_to_percent(fraction))
        if scaling == "fixed" and not is_last
        else _rescale(schedule, fraction, None if is_last else fraction)
        for schedule, fraction, scaling, is_last in zip(
            schedulers, part_fractions, interval_scaling, are_last, strict=True
        )
    ]
    return reduce(rshift, parts)


def _restrict_to_interval(
    schedule: Schedule, start: float, fraction: float, scaling: str, is_last: bool
) -> Schedule:
    """Return a part on the clock of the whole, times 1 in its fraction and 0 elsewhere."""
    if scaling == "rescaled":
        schedule = _rescale(schedule, fraction, fraction).shift(_to_percent(start))
    if is_last:  # it holds past its end
        return PiecewiseConstant([_to_percent(start)], [0.0, 1.0]) * schedule
    return (
        PiecewiseConstant([_to_percent(start), _to_percent(start + fraction)], [0.0, 1.0, 0.0])
        * schedule
    )


def _rescale(schedule: Schedule, fraction: float, remaining: float | None) -> Schedule:
    """Rescale a schedule of the whole training to ``fraction`` of it.

    Args:
        schedule: a ramp, a constant, a staircase, or a sequence of these; its durations are
            percentages.
        fraction: fraction of the training that the whole takes now.
        remaining: fraction for a ramp without a duration; it stays without one if None.

    Raises:
        ScheduleError: ``schedule`` is of another kind.
    """
    if isinstance(schedule, Sequential):
        parts = []
        for inner in schedule.schedules:
            parts.append(_rescale(inner, fraction, remaining))
            if remaining is not None:
                remaining -= parts[-1].compute_length(Horizon(total_steps=1))
        return Sequential(tuple(parts))
    if isinstance(schedule, Constant | Ramp):
        over = (
            remaining
            if schedule.over is None
            else fraction * _read_fraction(schedule, schedule.over)
        )
        return schedule if over is None else schedule.replace(over=_to_percent(over))
    if isinstance(schedule, PiecewiseConstant):
        at = [
            _to_percent(fraction * _read_fraction(schedule, milestone)) for milestone in schedule.at
        ]
        stairs = PiecewiseConstant(at, schedule.levels)
        return stairs if remaining is None else stairs.until(_to_percent(remaining))
    if isinstance(schedule, Until):
        whole = _rescale(schedule.schedule, fraction, fraction)
        return whole.until(_to_percent(fraction * _read_fraction(schedule, schedule.at)))
    raise ScheduleError(
        "CompositeParamScheduler: schedulers must be ramps, constants, staircases or composites of "
        f"rescaled ones, got {schedule!r}."
    )


def _read_fraction(schedule: Schedule, duration: float | str) -> float:
    if isinstance(duration, str) and duration.endswith("%"):
        return Horizon(total_steps=1).to_exact_steps(duration)
    raise ScheduleError(
        f"CompositeParamScheduler: durations of schedulers must be percentages, got {schedule!r}."
    )


def _to_percent(fraction: float) -> str:
    """Format a fraction as a percentage, rounded to 12 digits to hide floating-point error.

    >>> _to_percent(0.29)
    '29%'
    """
    return f"{100 * fraction:.12g}%"
