"""What a scheduler says of itself: its schedule, the rates used and next, and what to log."""

from typing import cast

import torch
from torch.optim import lr_scheduler as torch_schedulers

from lrlab.errors import SchedulerError
from lrlab.optim.groups import ScheduledParamGroups
from lrlab.optim.hyperparameters import get_group_suffixes
from lrlab.schedules import Schedule
from lrlab.schedules.numbers import to_finite_float

GroupLrs = list[float | torch.Tensor]
"""One rate per parameter group; always floats here, torch's type allows tensors."""


class _SchedulerProperties(torch_schedulers.LRScheduler):
    """What can be read of a scheduler; to read it changes nothing."""

    _groups: ScheduledParamGroups

    def __repr__(self) -> str:
        text = ", ".join(map(repr, self._groups.table.hyperparameters))
        return f"LRScheduler({text}) at step {self.last_epoch}"

    @property
    def schedule(self) -> Schedule:
        """The schedule of the rate, durations in steps; of the first group where they differ."""
        return self._groups.table.hyperparameters[0].schedules[0]

    @property
    def needs_metric(self) -> bool:
        """Whether a schedule reads a metric."""
        return any(scheduled.needs_metric for scheduled in self._groups.table.hyperparameters)

    @property
    def base_lrs(self) -> GroupLrs:
        """The base rate of each group; what is changed counts from when rates are set next, by
        ``step()`` mostly.
        """
        return cast(GroupLrs, self._groups.table.hyperparameters[0].bases)

    @base_lrs.setter
    def base_lrs(self, rates: GroupLrs) -> None:
        known = self._groups.table.hyperparameters[0].bases
        try:
            read = [to_finite_float(float(rate)) for rate in rates]
        except (TypeError, ValueError, RuntimeError):
            read = [None]
        if len(read) != len(known) or any(rate is None or rate < 0 for rate in read):
            raise SchedulerError(
                f"base_lrs must be a rate of 0 or more for each of the {len(known)} parameter "
                f"groups, got {rates!r}."
            )
        known[:] = [rate for rate in read if rate is not None]

    @property
    def used_lrs(self) -> list[float]:
        """The rate of each group that the last ``optimizer.step()`` used, once ``step()`` is called
        after it; before the first ``step()``, the first rate.
        """
        return self._groups.get_used_values(self.last_epoch)[0]

    @property
    def next_lrs(self) -> list[float]:
        """The rate of each group that the next ``optimizer.step()`` uses."""
        return self._groups.get_values(self.last_epoch)[0]

    def get_logs(self, *, next_step: bool = False) -> dict[str, float]:
        """Every scheduled hyperparameter by a name to log it under: ``"lr"``, or ``"lr/head"`` and
        the like where there are several groups; those without a name of their own have a number.

        Args:
            next_step: whether as the next ``optimizer.step()`` uses it, and not, as for ``used_lrs``, as
                the last one did.

        >>> import torch
        >>> from lrlab import LRScheduler
        >>> optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> LRScheduler(optimizer, "Cosine(45)", weight_decay="Constant(Absolute(0.01))").get_logs()
        {'lr': 0.1, 'weight_decay': 0.01}
        """
        get_values = self._groups.get_values if next_step else self._groups.get_used_values
        suffixes = get_group_suffixes(self.optimizer.param_groups)
        return {
            f"{scheduled.hyperparameter}{label}": value
            for scheduled, row in zip(self._groups.table.hyperparameters, get_values(self.last_epoch), strict=True)
            for label, value in zip(suffixes, row, strict=False)  # a new group has none yet
        }

    def get_last_lr(self) -> GroupLrs:
        """The rate of each group as last set, which is what torch means by it: that of ``next_lrs``."""
        return [*self.next_lrs]

    @property  # torch's own is an attribute, which people read
    def _last_lr(self) -> GroupLrs:  # type: ignore[override]
        return self.get_last_lr()

    def get_lr(self) -> GroupLrs:
        """The rate of each group at the current step: a pure function of ``last_epoch``."""
        rate, *_ = self._groups.get_hyperparameters(self.optimizer.param_groups)
        return [*rate.compute_values(max(0, self.last_epoch))]
