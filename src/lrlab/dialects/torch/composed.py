"""Schedulers of schedulers: one after another, or several at once."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any

from lrlab.dialects.arguments import count, short
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.parts import ended
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cooldown,
    Custom,
    Formula,
    Plateau,
    Repeat,
    RunningProduct,
    Schedule,
    joins,
)
from lrlab.schedules.durations import Horizon


def SequentialLR(
    schedulers: Sequence[Schedule | LrAndMomentum], milestones: Sequence[int]
) -> Schedule:
    """One after another, each from its milestone on, its own clock at 0 there.

    As in torch, each starts anew from the base rate, but for ``MultiplicativeLR`` and ``SWALR``,
    which go on from the rate used last. Of one that has a momentum, the rate is taken.

    Args:
        schedulers: what the functions here return, one or more.
        milestones: steps in ascending order, one fewer than there are schedulers.

    Raises:
        ScheduleError: an argument is none of this kind.

    >>> from lrlab.dialects.torch import *
    >>> SequentialLR([LinearLR(0.2, total_iters=5), CosineAnnealingLR(45)], milestones=[5])
    Linear(0.2, 1.0, over=5) >> Cosine(45)
    >>> SequentialLR([ConstantLR(0.5, 9), MultiplicativeLR(lambda t: 0.9)], [3])([2, 3, 4], 1.0)
    array([0.5  , 0.45 , 0.405])
    """
    parts = _rates("SequentialLR", schedulers)
    steps = [count("SequentialLR", milestones=step) for step in _listed(milestones)]
    if len(steps) != len(parts) - 1 or steps != sorted(steps):
        raise ScheduleError(
            "SequentialLR: milestones must be steps in ascending order, one fewer than the "
            f"{len(parts)} schedulers, got {short(milestones)}."
        )
    spans = zip(parts, [0, *steps], [*steps, inf], strict=True)
    # One that ends where it begins never comes to act.
    (result, _), *others = [(part, begin) for part, begin, end in spans if end > begin]
    for part, at in others:
        result = _joined(result, part, at)
    return result


def ChainedScheduler(schedulers: Sequence[Schedule | LrAndMomentum]) -> Schedule:
    """Several at once: the product of their factors.

    torch's schedulers multiply the rate in force, each by its own change, where they are
    recursive: all that are factors of the base rate, ``LambdaLR`` and warm restarts apart. Those
    two, and whatever has an absolute rate, set the rate outright and so undo what the others did;
    a chain with one of them is no product in torch, and is refused here.

    Args:
        schedulers: what the functions here return, one or more.

    Raises:
        ScheduleError: an argument is none of this kind.

    >>> from lrlab.dialects.torch import *
    >>> ChainedScheduler([ConstantLR(0.1, 20), ExponentialLR(0.9)])
    (Constant(0.1, over=20) >> Constant(1.0)) * Exponential(0.9)
    """
    parts = _rates("ChainedScheduler", schedulers)
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if not multiplies(part):
            raise ScheduleError(
                f"ChainedScheduler: schedulers must all multiply the rate, but {short(part)} sets "
                "it outright, and torch then forgets what the others did; leave those out, or "
                "write the product that you mean with *."
            )
    return prod(parts[1:], start=parts[0])


def multiplies(part: Schedule) -> bool:
    """Whether torch computes it as a change of the rate in force."""
    if isinstance(part, joins.Sequence):  # that of ConstantLR, and no other
        first, *others = part.schedules
        return isinstance(first, Constant) and others == [Constant(1.0)]
    # A plateau is no part of a chain in torch; what it does is multiply.
    outright = isinstance(part, Custom | Formula | Repeat | joins.Continued)
    return isinstance(part, Plateau) or (part.relative and not outright)


def _joined(first: Schedule, second: Schedule, at: int) -> Schedule:
    """The second after the first, from step ``at`` on."""
    if isinstance(second, RunningProduct):
        # torch multiplies the rate used last by its function at 0 too.
        going_on: Schedule = second.schedule.shift(1).running_product()
    elif isinstance(second, Cooldown) and second.over:
        going_on = second.shift(1)
    else:
        return _cut(first, at) >> second
    return _cut(first, at - 1, reached=True).then(going_on, join="continue")


def _cut(schedule: Schedule, at: float, reached: bool = False) -> Schedule:
    """``schedule`` ended at step ``at`` in as few words as possible; it is ``reached`` where the
    value there matters as well.
    """
    if isinstance(schedule, Constant):
        return Constant(schedule.level, over=at)
    if isinstance(schedule, joins.Sequence):
        *before, last = schedule.schedules
        left = at - sum(part.length(Horizon()) for part in before)
        if left > 0 or (reached and left == 0):
            return joins.Sequence((*before, _cut(last, left, reached)))
        rest = before[0] if len(before) == 1 else joins.Sequence(tuple(before))
        return _cut(rest, at, reached)
    return ended(schedule, at)


def _rates(name: str, schedulers: Any) -> list[Schedule]:
    parts = [part.lr if isinstance(part, LrAndMomentum) else part for part in _listed(schedulers)]
    if not parts or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(
            f"{name}: schedulers must be a list of one or more schedules, got {short(schedulers)}."
        )
    return parts


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []
