"""fvcore's schedule that is made of others."""

from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from operator import add, rshift

from lrlab.dialects.arguments import one_of, read, schedule_of
from lrlab.dialects.fvcore.shares import part, percent
from lrlab.errors import ScheduleError
from lrlab.schedules import Piecewise, Schedule
from lrlab.schedules.parameters import NotNegative


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
    Linear(0.0, Rate(0.1), over="30%") >> Linear(Rate(0.1), 0.0)
    """
    name = "CompositeParamScheduler"
    given = (schedulers, lengths, interval_scaling)
    if not all(isinstance(values, Sequence) for values in given) or not schedulers:
        raise ScheduleError(f"{name}: the three arguments must be lists, not empty, got {given}.")
    if len(set(map(len, given))) > 1:
        raise ScheduleError(
            f"{name}: schedulers, lengths and interval_scaling must be as many, got "
            f"{', '.join(str(len(values)) for values in given)}."
        )
    for schedule in schedulers:
        schedule_of(name, scheduler=schedule)
    shares = [read(name, NotNegative, length=length) for length in lengths]
    if abs(sum(shares) - 1) >= 1e-3:
        raise ScheduleError(f"{name}: lengths must add up to 1, got {sum(shares):g}.")
    for scaling in interval_scaling:
        one_of(name, "rescaled", "fixed", interval_scaling=scaling)
    starts = [0.0, *accumulate(shares[:-1])]
    shares[-1] = max(0.0, 1 - starts[-1])
    lasts = [False] * (len(shares) - 1) + [True]
    if "fixed" in interval_scaling[1:]:
        pieces = zip(schedulers, starts, shares, interval_scaling, lasts, strict=True)
        return reduce(add, (_seen(*piece) for piece in pieces))
    parts = [
        schedule.until(percent(share))
        if scaling == "fixed" and not last
        else part(schedule, share, None if last else share)
        for schedule, share, scaling, last in zip(
            schedulers, shares, interval_scaling, lasts, strict=True
        )
    ]
    return reduce(rshift, parts)


def _seen(schedule: Schedule, start: float, share: float, scaling: str, last: bool) -> Schedule:
    """A part on the clock of the whole, times 1 in its share and 0 elsewhere."""
    if scaling == "rescaled":
        schedule = part(schedule, share, share).shift(percent(start))
    if last:  # which holds past its end
        return Piecewise([percent(start)], [0.0, 1.0]) * schedule
    return Piecewise([percent(start), percent(start + share)], [0.0, 1.0, 0.0]) * schedule
