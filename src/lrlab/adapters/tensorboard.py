"""Scheduled hyperparameters in TensorBoard, at the steps that used them."""

from typing import Any, Protocol

from lrlab.errors import SchedulerError
from lrlab.optim import LRScheduler


class Writer(Protocol):
    """A writer of scalars, such as ``torch.utils.tensorboard.SummaryWriter`` or tensorboardX's."""

    def add_scalar(self, tag: str, scalar_value: float, global_step: int, /) -> Any:
        """Write one value of the curve ``tag``."""


def log(writer: Writer, scheduler: LRScheduler, prefix: str = "") -> None:
    """Write every scheduled hyperparameter as the last ``optimizer.step()`` used it.

    Call it after ``scheduler.step()``. The step in TensorBoard is that of the schedule, from 0, so
    a curve shows ``schedule(t, base)``; ``scheduler.get_last_lr()`` would be one step ahead.

    Args:
        writer: any object with ``add_scalar(tag, value, step)``.
        scheduler: the scheduler; its ``get_logs()`` gives the names, such as ``"lr"``.
        prefix: prefix of every name, such as ``"generator/"`` if there are two schedulers; none by
            default.

    Raises:
        SchedulerError: the scheduler has not made a step yet.

    >>> import torch
    >>> from lrlab import Linear, LRScheduler
    >>> class Printer:
    ...     def add_scalar(self, tag, value, step):
    ...         print(f"{tag} at step {step}: {value:.3f}")
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = LRScheduler(optimizer, Linear(1.0, 0.6, over=4))
    >>> for batch in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     log(Printer(), scheduler)
    lr at step 0: 0.100
    lr at step 1: 0.090
    """
    if not isinstance(scheduler, LRScheduler) or not hasattr(writer, "add_scalar"):
        raise SchedulerError(
            "log takes a writer with add_scalar and then lrlab's scheduler, got "
            f"{type(writer).__name__} and {type(scheduler).__name__}."
        )
    used_step = scheduler.last_epoch - 1
    if used_step < 0:
        raise SchedulerError(
            "log writes used values, but at step 0 no value was used: call it after "
            "scheduler.step()."
        )
    for name, value in scheduler.get_logs().items():
        writer.add_scalar(prefix + name, value, used_step)
