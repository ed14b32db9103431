"""Schedulers of schedulers: one after another, or several at once."""

from collections.abc import Sequence
from math import inf, prod
from typing import Any

from lrlab.dialects.arguments import check_count, shorten
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.dialects.parts import truncate
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cooldown,
    Custom,
    Formula,
    Plateau,
    Repeat,
    CumulativeProduct,
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
    parts = _select_lr_schedules("SequentialLR", schedulers)
    steps = [check_count("SequentialLR", milestones=step) for step in _to_list(milestones)]
    if len(steps) != len(parts) - 1 or steps != sorted(steps):
        raise ScheduleError(
            "SequentialLR: milestones must be steps in ascending order, one fewer than the "
            f"{len(parts)} schedulers, got {shorten(milestones)}."
        )
    spans = zip(parts, [0, *steps], [*steps, inf], strict=True)
    # One that ends where it begins never comes to act.
    (result, _), *others = [(part, begin) for part, begin, end in spans if end > begin]
    for part, at in others:
        result = _append(result, part, at)
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
    parts = _select_lr_schedules("ChainedScheduler", schedulers)
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if not _is_chainable(part):
            raise ScheduleError(
                f"ChainedScheduler: schedulers must all multiply the rate, but {shorten(part)} sets "
                "it outright, and torch then forgets what the others did; leave those out, or "
                "write the product that you mean with *."
            )
    return prod(parts[1:], start=parts[0])


def _is_chainable(schedule: Schedule) -> bool:
    """Whether torch computes it as a change of the rate in force."""
    if isinstance(schedule, joins.Sequential):  # that of ConstantLR, and no other
        first, *others = schedule.schedules
        return isinstance(first, Constant) and others == [Constant(1.0)]
    # A plateau is no part of a chain in torch; what it does is multiply.
    sets_lr_outright = isinstance(schedule, Custom | Formula | Repeat | joins.Continued)
    return isinstance(schedule, Plateau) or (schedule.is_relative and not sets_lr_outright)


def _append(first: Schedule, second: Schedule, milestone: int) -> Schedule:
    """The second after the first, from step ``milestone`` on."""
    if isinstance(second, CumulativeProduct):
        # torch multiplies the rate used last by its function at 0 too.
        continuation: Schedule = second.schedule.shift(1).cumprod()
    elif isinstance(second, Cooldown) and second.over:
        continuation = second.shift(1)
    else:
        return _truncate_parts(first, milestone) >> second
    return _truncate_parts(first, milestone - 1, includes_end=True).then(continuation, join="continue")


def _truncate_parts(schedule: Schedule, at: float, includes_end: bool = False) -> Schedule:
    """``schedule`` ended at step ``at`` in as few words as possible; it is ``includes_end`` where the
    value there matters as well.
    """
    if isinstance(schedule, Constant):
        return Constant(schedule.level, over=at)
    if isinstance(schedule, joins.Sequential):
        *before, last = schedule.schedules
        remaining = at - sum(part.compute_length(Horizon()) for part in before)
        if remaining > 0 or (includes_end and remaining == 0):
            return joins.Sequential((*before, _truncate_parts(last, remaining, includes_end)))
        rest = before[0] if len(before) == 1 else joins.Sequential(tuple(before))
        return _truncate_parts(rest, at, includes_end)
    return truncate(schedule, at)


def _select_lr_schedules(func_name: str, schedulers: Any) -> list[Schedule]:
    parts = [part.lr if isinstance(part, LrAndMomentum) else part for part in _to_list(schedulers)]
    if not parts or not all(isinstance(part, Schedule) for part in parts):
        raise ScheduleError(
            f"{func_name}: schedulers must be a list of one or more schedules, got {shorten(schedulers)}."
        )
    return parts


def _to_list(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else []
