"""The one scheduler: any schedule on any torch optimizer, in place of torch's classes."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from lrlab.errors import SchedulerError
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import real, whole

Rates = list[float | torch.Tensor]
"""One rate per parameter group; always floats here, torch's type allows tensors."""


class LRScheduler(torch_schedulers.LRScheduler):
    """Sets the rate of every parameter group to ``schedule(t, base)``, t counting ``step()``.

    Each rate is computed from the step and the group's base rate alone, so nothing drifts, and once
    its state is loaded nothing depends on the order in which schedulers and checkpoints were built
    and loaded. Nothing of the optimizer is patched. The base rate of a group is its
    ``"initial_lr"``, as checkpoints of optimizers have it, and where that is missing its ``"lr"``
    when the scheduler first sees it.

    Args:
        optimizer: whose parameter groups are scheduled.
        schedule: the rate at step t, for instance ``Warmup(5) >> Cosine(45)``.
        total_steps: calls of ``step()`` in the whole training; needed by durations such as
            ``"10%"`` and by shapes without a duration.
        steps_per_epoch: calls of ``step()`` in one epoch; needed by durations such as ``"5ep"``.
        last_epoch: the step already reached, for code that resumes without ``load_state_dict``;
            -1 (torch's convention, and the default) and 0 both start anew.

    Raises:
        SchedulerError: ``optimizer`` is no optimizer, or ``schedule`` no schedule or one that
            reads a metric.
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
                f"schedule must be a schedule such as Cosine(50), got {schedule!r}; "
                "lrlab.parse(text) reads one from text."
            )
        if schedule.reactive:
            raise SchedulerError(
                f"the schedule must read no metric yet, got {schedule}: drive it yourself with "
                "observe() and given()."
            )
        self.optimizer = optimizer
        self.schedule = schedule.bind(total=total_steps, epoch=steps_per_epoch)
        self.last_epoch = 0
        self._step_count = 1
        self.base_lrs = []
        self._adopt_new_groups()
        start = 0 if last_epoch == -1 else _step(last_epoch)
        if start is None:
            raise SchedulerError(f"last_epoch must be -1 or a step reached, got {last_epoch!r}.")
        self._go_to(start, start + 1, self.base_lrs)

    def __repr__(self) -> str:
        return f"LRScheduler({self.schedule!r}) at step {self.last_epoch}"

    def get_lr(self) -> Rates:
        """The rate of each group at the current step: a pure function of ``last_epoch``."""
        self._adopt_new_groups()
        return self._rates(self.last_epoch, self.base_lrs)

    def get_last_lr(self) -> Rates:
        """The rate of each group as last set: the one the next ``optimizer.step()`` uses."""
        return list(self._last_lr)

    def step(self, epoch: int | None = None) -> None:
        """Goes on to the next step, or to step ``epoch``, and sets the rates.

        Raises:
            SchedulerError: ``epoch`` is no step, a metric for instance.
            ScheduleError: the schedule gives no rate there; nothing has changed then.
        """
        step = self.last_epoch + 1 if epoch is None else _step(epoch)
        if step is None:
            raise SchedulerError(
                f"step() goes to a step, a whole number of 0 or more, got {epoch!r}; this schedule "
                "reads no metric."
            )
        self._adopt_new_groups()
        self._go_to(step, self._step_count + 1, self.base_lrs)

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: numbers and a text, safe for ``torch.load(weights_only=True)``.

        Returns:
            ``last_epoch``, ``_step_count``, ``base_lrs`` and, for people, the ``schedule``.
        """
        return {
            "last_epoch": self.last_epoch,
            "_step_count": self._step_count,
            "base_lrs": list(self.base_lrs),
            "schedule": repr(self.schedule),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken; afterwards the optimizer holds the right rates.

        The optimizer's own state may be loaded before, after or not at all. The schedule stays the
        one this scheduler was built with.

        Raises:
            SchedulerError: the state is none of this kind of scheduler, or one of another number
                of groups; nothing has changed then.
        """
        known = set(state_dict) if isinstance(state_dict, Mapping) else set()
        missing = {"last_epoch", "_step_count", "base_lrs", "schedule"} - known
        if missing:
            raise SchedulerError(
                "the state must be one that state_dict() of lrlab's scheduler returned, but it "
                f"lacks {', '.join(sorted(missing))}."
            )
        step, count = _step(state_dict["last_epoch"]), _step(state_dict["_step_count"])
        base_lrs = [real(rate) for rate in state_dict["base_lrs"]]
        if step is None or count is None or any(rate is None or rate < 0 for rate in base_lrs):
            raise SchedulerError(f"the state is damaged: {dict(state_dict)!r}.")
        groups = len(self.optimizer.param_groups)
        if len(base_lrs) != groups:
            raise SchedulerError(
                f"the state must fit the optimizer, which has {groups} parameter groups, but it is "
                f"of {len(base_lrs)}; build the optimizer as it was when saved."
            )
        self._go_to(step, count, [rate for rate in base_lrs if rate is not None])

    def _go_to(self, step: int, count: int, base_lrs: Rates) -> None:
        """Sets step, base rates and rates, all of them or, where that fails, none."""
        rates = self._rates(step, base_lrs)
        self.last_epoch, self._step_count = step, count
        self.base_lrs, self._last_lr = list(base_lrs), rates
        groups = self.optimizer.param_groups
        for group, base, rate in zip(groups, base_lrs, rates, strict=True):
            group["initial_lr"] = base
            if isinstance(group["lr"], torch.Tensor):
                group["lr"].fill_(rate)  # in place: a compiled step or a CUDA graph reads it
            else:
                group["lr"] = rate

    def _rates(self, step: int, base_lrs: Rates) -> Rates:
        return [self.schedule(step, base=float(base)) for base in base_lrs]

    def _adopt_new_groups(self) -> None:
        """Gives a base rate to each group that has none yet."""
        for group in self.optimizer.param_groups[len(self.base_lrs) :]:
            self.base_lrs.append(float(group.get("initial_lr", group["lr"])))


def _step(value: Any) -> int | None:
    """``value`` as a step, or None where it is none."""
    step = whole(value)
    return None if step is None or step < 0 else step
