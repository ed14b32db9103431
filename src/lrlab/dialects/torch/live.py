"""Reads a live scheduler of torch's, and checks that it has the rate in hand."""

from math import inf, isclose
from typing import Any

from lrlab.dialects.torch.readers import _get_class_name, _read_scheduler
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule


def from_scheduler(scheduler: Any) -> Schedule:
    """The schedule of a scheduler of torch's, at any point of its life.

    ``schedule(scheduler.last_epoch, base=group["initial_lr"])`` is the rate in force. (A
    ``ChainedScheduler`` counts no steps; its children do. ``ReduceLROnPlateau`` keeps no
    ``initial_lr``; its base rate is the present one then.) It is the rate's schedule alone: the
    momentum that ``CyclicLR`` and ``OneCycleLR`` cycle is what their functions here give. Metrics
    that a ``ReduceLROnPlateau`` has seen are forgotten, and a ``CosineAnnealingLR`` that has passed
    its end goes on climbing and falling as it does in torch; a ``OneCycleLR`` holds there.

    Args:
        scheduler: an object of one of torch's own classes, nested ones too.

    Raises:
        ScheduleError: it is none, its parameter groups have different schedules, or the rate in
            force is not its own, because something else has set it.

    >>> import torch
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> from_scheduler(torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9))
    Exponential(0.9)
    """
    schedule = _read_scheduler(scheduler)
    step = _get_step(scheduler)
    if step >= getattr(scheduler, "total_steps", inf):
        return schedule  # torch's one-cycle has left its plan
    for group in scheduler.optimizer.param_groups:
        current_lr = float(group["lr"])
        base = float(group.get("initial_lr", current_lr))
        expected_lr = schedule(step, base=base)
        # torch's rates drift, and may be float32.
        if not isclose(expected_lr, current_lr, rel_tol=1e-4, abs_tol=1e-6 * base):
            raise ScheduleError(
                f"from_scheduler: the rate in force must be the scheduler's own, but it is "
                f"{current_lr:g} and that of {schedule} is {expected_lr:g} at step {step}: something else has "
                "set it too, or the optimizer's own state was not loaded. Build the schedule with "
                f"torch.{_get_class_name(scheduler)}(...)."
            )
    return schedule


def _get_step(scheduler: Any) -> int:
    if _get_class_name(scheduler) == "ChainedScheduler":
        return _get_step(scheduler._schedulers[0])
    return int(scheduler.last_epoch)
