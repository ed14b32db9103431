"""The one scheduler: any schedule on any torch optimizer, in place of torch's classes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from lrlab.errors import SchedulerError
from lrlab.schedules import Schedule

Rates = list[float | torch.Tensor]
"""One rate per parameter group; always floats here, torch's type allows tensors."""


class LRScheduler(torch_schedulers.LRScheduler):
    """Sets the rate of every parameter group to ``schedule(t, base)``, t counting ``step()``.

    Each rate is computed from the step and the group's base rate alone, so nothing drifts and
    nothing depends on the order in which schedulers and checkpoints are built and loaded. Nothing
    of the optimizer is patched. The base rate of a group is its ``"initial_lr"``, and where that
    is missing its ``"lr"`` at the time the scheduler is built.

    Args:
        optimizer: whose parameter groups are scheduled.
        schedule: the rate at step t, for instance ``Warmup(5) >> Cosine(45)``.
        total_steps: calls of ``step()`` in the whole training; needed by durations such as
            ``"10%"`` and by shapes without a duration.
        steps_per_epoch: calls of ``step()`` in one epoch; needed by durations such as ``"5ep"``.
        last_epoch: the step already reached, for code that resumes without ``load_state_dict``;
            -1 (torch's convention, and the default) and 0 both start anew.

    Raises:
        SchedulerError: ``optimizer`` is no optimizer or ``schedule`` no schedule.
        ScheduleError: the schedule needs ``total_steps`` or ``steps_per_epoch``.

    >>> import torch
    >>> from lrlab.schedules import Linear
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = LRScheduler(optimizer, Linear(1.0, 0.5, over=2))
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.get_last_lr())
    [0.07500000000000001]
    [0.05]
    [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule,
        *,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        last_epoch: int = -1,
    ) -> None:
        # torch's own __init__ wraps optimizer.step to warn about the order of calls, which raises
        # false alarms under mixed precision and ties the two objects together; it is not called.
        if not isinstance(optimizer, Optimizer):
            raise SchedulerError(
                f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}."
            )
        if not isinstance(schedule, Schedule):
            raise SchedulerError(
                "schedule must be a schedule such as Cosine(50), got "
                f"{type(schedule).__name__}; lrlab.parse(text) reads one from text."
            )
        self.optimizer = optimizer
        self.schedule = schedule.bind(total=total_steps, epoch=steps_per_epoch)
        self.last_epoch = max(0, last_epoch)
        self._step_count = self.last_epoch + 1
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", _number(group["lr"]))
        self._set_rates()

    @property
    def base_lrs(self) -> Rates:
        """The base rate of each group, kept in the group as ``"initial_lr"``."""
        return [
            _number(group.setdefault("initial_lr", _number(group["lr"])))
            for group in self.optimizer.param_groups
        ]

    @base_lrs.setter
    def base_lrs(self, rates: Rates) -> None:
        groups = self.optimizer.param_groups
        if len(rates) != len(groups):
            raise SchedulerError(
                f"there must be one base rate per parameter group: the optimizer has {len(groups)} "
                f"groups, got {len(rates)} rates; build the optimizer as it was when saved."
            )
        for group, rate in zip(groups, rates, strict=True):
            group["initial_lr"] = _number(rate)

    def get_lr(self) -> Rates:
        """The rate of each group at the current step: a pure function of ``last_epoch``."""
        return [self.schedule(self.last_epoch, _number(base)) for base in self.base_lrs]

    def get_last_lr(self) -> Rates:
        """The rate of each group as last set: the one the next ``optimizer.step()`` uses."""
        return list(self._last_lr)

    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next step, or to step ``epoch``, and sets the rates."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else int(epoch)
        self._step_count += 1
        self._set_rates()

    def state_dict(self) -> dict[str, Any]:
        """The step and the base rates: numbers only, safe for ``torch.load(weights_only=True)``."""
        return {
            "last_epoch": self.last_epoch,
            "_step_count": self._step_count,
            "base_lrs": self.base_lrs,
            "schedule": repr(self.schedule),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken; afterwards the optimizer holds the right rates.

        The optimizer's own state may be loaded before, after or not at all.

        Raises:
            SchedulerError: the state is none of this scheduler, or of another number of groups.
        """
        try:
            step, count = int(state_dict["last_epoch"]), int(state_dict["_step_count"])
            base_lrs = list(state_dict["base_lrs"])
        except KeyError as missing:
            raise SchedulerError(
                f"the state must be one that lrlab's state_dict() returned, but it lacks {missing}."
            ) from None
        self.base_lrs = base_lrs
        self.last_epoch, self._step_count = step, count
        self._set_rates()

    def _set_rates(self) -> None:
        self._last_lr = self.get_lr()
        for group, rate in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)  # in place: a compiled step or a CUDA graph reads it
            else:
                group["lr"] = rate


def _number(rate: Any) -> float:
    return float(rate)
