"""Schedules before training, bound to the same steps and evaluated at every one of them.

Computed here and drawn elsewhere: in the terminal, with matplotlib, on a page.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.errors import ScheduleError, ViewError
from lrlab.schedules import Schedule
from lrlab.schedules.base import Array
from lrlab.schedules.durations import Horizon
from lrlab.schedules.numbers import real
from lrlab.views.facts import Numbers, Part, numbers_of, parts_of

MOST_STEPS = 10_000_000
MOST_LINES = 35
_ABSOLUTE_BASE = 0.1
_HIGHEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Line:
    """One schedule: what it is called, what it is in steps, and its rates, shape (steps,)."""

    label: str
    schedule: Schedule
    rates: Array
    numbers: Numbers
    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Preview:
    """Schedules over the same steps.

    Args:
        lines: one for each schedule.
        steps: how many steps are shown, t = 0 ... steps - 1.
        base: the base rate; 1 where factors of it are shown.
        factors: whether rates are factors of the base rate.
        epoch: steps per epoch, if known.
    """

    lines: tuple[Line, ...]
    steps: int
    base: float
    factors: bool
    epoch: float | None

    @property
    def unit(self) -> str:
        """What the rates are, as an axis says it."""
        return "rate, as a factor of the base rate" if self.factors else "rate"


def preview(
    schedules: Mapping[str, Schedule],
    steps: float | None = None,
    base: float | None = None,
    epoch: float | None = None,
) -> Preview:
    """The rates and numbers of ``schedules``, by their labels.

    Args:
        schedules: 1 to 35 of them.
        steps: how many steps; left out, until the end of the longest, if every one has an end.
        base: the base rate; left out, factors are shown, unless a level is an absolute ``Rate``,
            which needs one: then it is 0.1.
        epoch: steps per epoch, where a duration counts epochs.

    Raises:
        ViewError: there is nothing to show or too much, or steps or epochs are needed and not
            given, or a rate is beyond float32.
        ScheduleError: a schedule cannot be bound or evaluated.

    >>> from lrlab import Cosine, Warmup
    >>> preview({"mine": Warmup(5) >> Cosine(45)}).lines[0].numbers.peak_step
    5
    """
    if not 1 <= len(schedules) <= MOST_LINES:
        raise ViewError(f"from 1 to {MOST_LINES} schedules can be shown, got {len(schedules)}.")
    for schedule in schedules.values():
        _refuse_epochs(schedule, epoch)
    total = _whole(_longest(schedules.values(), epoch) if steps is None else steps)
    relative = all(schedule.relative for schedule in schedules.values())
    rate = (1.0 if relative else _ABSOLUTE_BASE) if base is None else base
    lines = tuple(
        _line(label, schedule.bind(total=total, epoch=epoch), total, rate)
        for label, schedule in schedules.items()
    )
    return Preview(lines, total, float(rate), relative and base is None, epoch)


def labelled(
    schedules: "Schedule | Iterable[Schedule] | Mapping[str, Schedule]",
) -> dict[str, Schedule]:
    """One schedule or several by their labels: their texts, where nobody gave others.

    Raises:
        ViewError: something among them is no schedule.
    """
    if isinstance(schedules, Mapping):
        named = [(str(label), schedule) for label, schedule in schedules.items()]
    elif isinstance(schedules, Schedule):
        named = [(repr(schedules), schedules)]
    elif isinstance(schedules, Iterable) and not isinstance(schedules, str):
        named = [(repr(schedule), schedule) for schedule in schedules]
    else:
        named = [("", schedules)]  # which is refused below
    found: dict[str, Schedule] = {}
    for label, schedule in named:
        if not isinstance(schedule, Schedule):
            raise ViewError(
                f"only schedules can be shown, got {schedule!r}; lrlab.parse reads one."
            )
        # Two functions may print alike and be two schedules.
        twins = sum(known.partition(" #")[0] == label for known in found)
        if found.get(label) != schedule:
            found[f"{label} #{twins + 1}" if twins else label] = schedule
    return found


def _refuse_epochs(schedule: Schedule, epoch: float | None) -> None:
    """Says here what the schedule would say in words of ``bind``."""
    if epoch is None and not _binds(schedule, None) and _binds(schedule, 1e6):
        raise ViewError(
            f"{schedule} counts epochs: say how many steps one has with epoch=... "
            "(--epoch-steps on the command line)."
        )


def _binds(schedule: Schedule, epoch: float | None) -> bool:
    try:
        schedule.bind(total=1e9, epoch=epoch)
    except ScheduleError:
        return False
    return True


def _longest(schedules: Iterable[Schedule], epoch: float | None) -> float:
    ends = []
    for schedule in schedules:
        try:
            end = schedule.length(Horizon(epoch=epoch))
        except ScheduleError:  # a share of what is not known
            end = math.inf
        if math.isinf(end):
            raise ViewError(
                f"{schedule} does not say when it ends: say how many steps to show with steps=... "
                "(--steps on the command line)."
            )
        ends.append(end)
    return max(1, math.ceil(max(ends)))


def _whole(steps: float) -> int:
    number = real(steps)
    if number is None or not number.is_integer() or not 1 <= number <= MOST_STEPS:
        shown = f"{number:.15g}" if number is not None else repr(steps)
        raise ViewError(f"steps must be a whole number from 1 to {MOST_STEPS}, got {shown}.")
    return int(number)


def _line(label: str, schedule: Schedule, steps: int, base: float) -> Line:
    rates = schedule(np.arange(steps), base=base)
    high = ~(rates <= _HIGHEST)
    if high.any():
        at = int(high.argmax())
        raise ViewError(
            f"{schedule} gives {rates[at]:g} at step {at}, and the highest rate that float32 can "
            f"hold is {_HIGHEST:.2g}: try a lower base rate."
        )
    return Line(label, schedule, rates, numbers_of(rates), parts_of(schedule, steps))
