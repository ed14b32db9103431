"""fvcore's schedule that is made of others."""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import add, rshift

from lrlab.dialects.arguments import check_choice, check_argument, check_schedule
from lrlab.dialects.fvcore.shares import _rescale, _to_percent
from lrlab.errors import ScheduleError
from lrlab.schedules import PiecewiseConstant, Schedule
from lrlab.schedules.parameters import NonNegative


def CompositeParamScheduler(
    schedulers: Sequence[Schedule], lengths: Sequence[float], interval_scaling: Sequence[str]
) -> Schedule:
    """One schedule after another, each for a share of the training.

    A ``"rescaled"`` one runs as a whole within its share. A ``"fixed"`` one is made for the whole
    training, and its share shows a piece of it; then the parts are added up, each times 1 in its
    share and 0 elsewhere.

    Raises:
        ScheduleError: the lists are empty, do not fit each other, the lengths do not add up to 1,
            a scaling is neither of the two, or a scheduler cannot be rescaled.

    >>> from lrlab.dialects.fvcore import LinearParamScheduler
    >>> up, down = LinearParamScheduler(0.0, 0.1), LinearParamScheduler(0.1, 0.0)
    >>> CompositeParamScheduler([up, down], [0.3, 0.7], ["rescaled", "rescaled"])
    Linear(0.0, Absolute(0.1), over="30%") >> Linear(Absolute(0.1), 0.0)
    """
    func_name = "CompositeParamScheduler"
    arguments = (schedulers, lengths, interval_scaling)
    if not all(isinstance(values, Sequence) for values in arguments) or not schedulers:
        raise ScheduleError(f"{func_name}: the three arguments must be lists, not empty, got {arguments}.")
    if len(set(map(len, arguments))) > 1:
        raise ScheduleError(
            f"{func_name}: schedulers, lengths and interval_scaling must be as many, got "
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


def _restrict_to_interval(schedule: Schedule, start: float, fraction: float, scaling: str, is_last: bool) -> Schedule:
    """A part on the clock of the whole, times 1 in its share and 0 elsewhere."""
    if scaling == "rescaled":
        schedule = _rescale(schedule, fraction, fraction).shift(_to_percent(start))
    if is_last:  # which holds past its end
        return PiecewiseConstant([_to_percent(start)], [0.0, 1.0]) * schedule
    return PiecewiseConstant([_to_percent(start), _to_percent(start + fraction)], [0.0, 1.0, 0.0]) * schedule
