"""What a scheduler does when a state is loaded into its optimizer: it keeps the groups right."""

from collections.abc import Mapping
from copy import copy
from typing import Any, Protocol, cast
from weakref import finalize, ref

import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedulers

from lrlab._checks import to_finite_float, to_integer
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import LrlabError, SchedulerError
from lrlab.optim.checks import StepCheck, compute_metric_deadline, warn_missing_metric
from lrlab.optim.hyperparameters import GroupValues, ScheduledHyperparameter, get_group_suffixes
from lrlab.optim.param_groups import (
    UNCHANGED,
    ScheduledParamGroups,
    ScheduleReader,
    extend_to_new_groups,
    read_group_schedules,
)
from lrlab.optim.state import (
    ON_MISMATCH_CHOICES,
    OnMismatch,
    build_state_dict,
    parse_state_dict,
    replan_hyperparameters,
    restore_hyperparameters,
)
from lrlab.schedules import Schedule


class HookedScheduler(Protocol):
    """A scheduler, as far as this file knows it."""

    optimizer: Optimizer

    def _holds_values(self) -> bool:
        """Whether the groups hold what it has set, and nothing else has set them since."""

    def _restore_values(self) -> None:
        """Sets the groups to its values of now."""


def register_load_hooks(scheduler: HookedScheduler) -> None:
    """Sets the groups again after every load, if they held what the scheduler had set before it.

    By torch's own hooks, which know the scheduler weakly and go when it goes. Where the optimizer
    is a wrapper, such as accelerate's, loads of what it wraps count too.
    """
    scheduler_ref = ref(scheduler)
    held_values: list[bool] = []

    def before_load(optimizer: Optimizer, state: Any) -> None:
        held_values[:] = [
            (live_scheduler := scheduler_ref()) is not None
            and optimizer in _list_wrapped_optimizers(live_scheduler)
            and live_scheduler._holds_values()
        ]

    def after_load(optimizer: Optimizer) -> None:
        if any(held_values) and (live_scheduler := scheduler_ref()) is not None:
            held_values.clear()
            live_scheduler._restore_values()

    for layer in _list_wrapped_optimizers(scheduler):
        if "_optimizer_load_state_dict_post_hooks" in vars(layer):
            for handle in (
                layer.register_load_state_dict_pre_hook(before_load),
                layer.register_load_state_dict_post_hook(after_load),
            ):
                finalize(scheduler, handle.remove).atexit = False


def _list_wrapped_optimizers(scheduler: HookedScheduler) -> list[Any]:
    """The optimizer, and those that it wraps."""
    layers: list[Any] = [scheduler.optimizer]
    while isinstance(inner := getattr(layers[-1], "optimizer", None), Optimizer):
        layers.append(inner)
    return layers


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
            for scheduled, row in zip(
                self._groups.table.hyperparameters, get_values(self.last_epoch), strict=True
            )
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


class LRScheduler(_SchedulerProperties):
    """Sets the rate of every parameter group to ``schedule(t, base)``, t counting ``step()``.

    Each rate is computed from the step and the group's base rate alone, so nothing drifts, and once
    its state is loaded nothing depends on the order in which schedulers and checkpoints were built
    and loaded. Nothing of the optimizer is patched. The base rate of a group is its
    ``"initial_lr"``, as checkpoints of optimizers have it, and where that is missing its ``"lr"``
    when the scheduler first sees it.

    Any other hyperparameter may have a schedule too; its levels are factors of the group's own
    value (kept as ``"initial_momentum"`` and the like), or absolute as ``Absolute(0.85)``. A rate that
    is a tensor is filled in place, so that compiled optimizer steps and captured graphs see it.

    A parameter group that the optimizer gets later follows the schedule of all groups from the next
    ``step()`` on, on the same clock as the others, from a base rate of its own; by this class's
    ``add_param_group`` at once, and with a schedule of its own if it is to have one.

    Args:
        optimizer: whose parameter groups are scheduled.
        schedule: of the rate: ``Warmup(5) >> Cosine(45)``, or its text. What
            ``dialects.torch.OneCycleLR`` and its like return schedules the momentum too.
        total_steps: calls of ``step()`` in the whole training; needed by durations such as
            ``"10%"`` and by shapes without a duration.
        steps_per_epoch: calls of ``step()`` in one epoch; needed by durations such as ``"5ep"``.
        momentum: a schedule or its text; of ``betas[0]`` where the optimizer is of Adam's kind.
        weight_decay: a schedule or its text.
        betas: that of ``betas[0]``, or a pair for both, None for one that stays as it is.
        groups: what single groups follow instead, by place or ``"name"``: a schedule of the rate
            (``{"head": "Cosine(45)"}``) or several (``{0: {"lr": ..., "weight_decay": ...}}``).
        on_mismatch: what to do when a state is loaded that was saved under another schedule or base
            rate: ``"error"``, or ``"keep"`` (those of now), or ``"load"``.
        last_epoch: the last step that was done, for code that resumes without
            ``load_state_dict``: training goes on with the one after. -1, the default, is none.
        **hyperparameter_schedules: schedules of any other hyperparameter, by its name.

    Raises:
        SchedulerError: ``optimizer`` is no optimizer; something is no schedule; there is no such
            hyperparameter or group.
        ScheduleError: a text is no schedule, or one needs ``total_steps`` or ``count_steps_per_epoch``.

    >>> import torch
    >>> from lrlab import Linear
    >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    >>> scheduler = LRScheduler(optimizer, Linear(1.0, 0.5, over=2))
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.used_lrs, scheduler.next_lrs)
    [0.1] [0.07500000000000001]
    [0.07500000000000001] [0.05]
    [0.05] [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Schedule | LrAndMomentum | str,
        *,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        momentum: Schedule | str | None = None,
        weight_decay: Schedule | str | None = None,
        betas: Schedule | str | tuple[Schedule | str | None, ...] | None = None,
        groups: Mapping[int | str, Any] | None = None,
        on_mismatch: OnMismatch = "error",
        last_epoch: int = -1,
        **hyperparameter_schedules: Schedule | str,
    ) -> None:
        # torch's own __init__ wraps optimizer.step to warn about the order of calls, which raises
        # false alarms under mixed precision and ties the two objects together; it is not called.
        if not isinstance(optimizer, Optimizer):
            raise SchedulerError(
                f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}."
            )
        if on_mismatch not in ON_MISMATCH_CHOICES:
            raise SchedulerError(
                f"on_mismatch must be {' or '.join(ON_MISMATCH_CHOICES)}, got {on_mismatch!r}."
            )
        done = to_integer(last_epoch)
        if done is None or done < -1:
            raise SchedulerError(
                f"last_epoch must be the last step done, or -1 for none, got {last_epoch!r}."
            )
        has_base_lrs = all("initial_lr" in group for group in optimizer.param_groups)
        if done >= 0 and not has_base_lrs:
            raise SchedulerError(
                f"last_epoch must be -1, got {done}, for an optimizer that has no initial_lr: load "
                "its state before, or load the scheduler's state instead."
            )
        start = done + 1
        named_schedules = {
            "momentum": momentum,
            "weight_decay": weight_decay,
            "betas": betas,
            **hyperparameter_schedules,
        }
        reader = ScheduleReader(optimizer, total_steps, steps_per_epoch)
        group_schedules = read_group_schedules(reader, schedule, named_schedules, groups or {})
        self.optimizer = optimizer
        self._groups = ScheduledParamGroups(group_schedules, optimizer.param_groups, start)
        self._on_mismatch = on_mismatch
        self._total_steps: float | None = total_steps  # trainers stop by an attribute total_steps
        self._steps_per_epoch = steps_per_epoch
        self._accept_scheduled_base = not has_base_lrs
        self._step_check: StepCheck | None = StepCheck(optimizer)
        self._metric_deadline = (
            compute_metric_deadline(total_steps, steps_per_epoch) if self.needs_metric else None
        )
        self.last_epoch = start
        self._step_count = start + 1
        register_load_hooks(self)

    def _holds_values(self) -> bool:
        """Whether the groups hold what this scheduler has set, and nothing else has since."""
        groups = self.optimizer.param_groups
        return self.last_epoch >= 0 and self._groups.matches(groups, self.last_epoch)

    def _restore_values(self) -> None:
        """Sets the groups to the values of now; done by itself when the optimizer has loaded."""
        self._set_values(
            self.last_epoch, self._hyperparameters, self._groups.get_used_values(self.last_epoch)
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        register_load_hooks(self)

    def __copy__(self) -> "LRScheduler":
        # On the same optimizer, but what moves is its own.
        other = object.__new__(type(self))
        copies = {"_groups": copy(self._groups), "_step_check": copy(self._step_check)}
        other.__dict__.update(self.__dict__ | copies)
        return other

    def step(
        self,
        value: Any = None,
        /,
        *,
        metrics: Any = None,
        epoch: int | None = None,
        skipped: bool = False,
    ) -> None:
        """Goes on to the next step and sets every scheduled hyperparameter.

        Args:
            value: the metric, or, as in torch, the epoch where the schedule reads no metric.
            metrics: for a schedule that reads one: what was measured after training with the
                rates of now.
            epoch: the step to go to, if not the next.
            skipped: whether the optimizer skipped its step, as under mixed precision; then the
                schedule does not go on either.

        Raises:
            SchedulerError: ``epoch`` is no step, or there is a metric that nothing reads.
            ScheduleError: the schedule gives no rate there, or ``metrics`` is no number. Nothing
                has changed then.
        """
        if value is not None or metrics is not None or epoch is not None or skipped:
            if value is not None:
                # SequentialLR of older versions of torch begins a child, at -1, with step(0).
                if self.needs_metric and self.last_epoch >= 0:
                    metrics, other = value, metrics
                else:
                    epoch, other = value, epoch
                if other is not None:
                    raise SchedulerError(
                        f"step() takes one metric or one epoch, got {value!r} and {other!r}."
                    )
            self._step_with_arguments(metrics, epoch, bool(skipped))
            return
        t = self.last_epoch + 1
        groups = self.optimizer.param_groups
        table = self._groups.table
        i = t - table.first_step
        # As few operations as can be: a step costs less than a third of one of torch's.
        if (
            0 < i < table.length
            and len(groups) == table.group_count
            and table.base_lrs == table.hyperparameters[0].bases
        ):
            for group_index, key, numbers, scale, hyperparameter in table.cells:
                group = groups[group_index]
                if type(group[key]) is float:
                    group[key] = numbers[i] * scale
                else:
                    hyperparameter.write(group, numbers[i] * scale)
        else:
            self._set_values(t, self._hyperparameters, self._groups.get_values(t - 1))
        self.last_epoch = t
        self._step_count += 1
        if self._step_check is not None and not self._step_check.check_step(self.optimizer):
            self._step_check = None
        if self._metric_deadline is not None and t > self._metric_deadline:
            self._metric_deadline = None
            warn_missing_metric(t)

    def observe(self, metric: Any) -> None:
        """Takes in a metric between two steps: the rates of now follow it, the step stays.

        For trainers that measure at other times than they step; call it after ``step()``.

        Args:
            metric: any number; NaN is never an improvement.

        Raises:
            SchedulerError: no schedule reads a metric.
            ScheduleError: it is no number. Nothing has changed then.
        """
        self._set_values(
            self.last_epoch,
            self._observe_metric(metric),
            self._groups.get_used_values(self.last_epoch),
        )

    def add_param_group(self, group: dict[str, Any], schedule: Any = None) -> None:
        """Adds a parameter group to the optimizer, and sets it to its values of now at once.

        ``optimizer.add_param_group`` does too, but leaves it as it came until the next ``step()``.

        Args:
            group: what ``optimizer.add_param_group`` takes.
            schedule: what it follows instead of the schedule for all, on the same clock: of the
                rate, or of several hyperparameters by name.

        Raises:
            SchedulerError: something is no schedule, or there is no such hyperparameter.
            ScheduleError: a text is none. The group is not added then.

        >>> import torch
        >>> body, head = (torch.zeros(1, requires_grad=True) for _ in range(2))
        >>> scheduler = LRScheduler(torch.optim.SGD([body], lr=0.1), "Linear(1, 0, over=10)")
        >>> scheduler.step(epoch=5)
        >>> scheduler.add_param_group({"params": [head], "lr": 1.0}, "Warmup(4).shift(5)")
        >>> scheduler.next_lrs
        [0.05, 0.2]
        """
        reader = ScheduleReader(self.optimizer, self._total_steps, self._steps_per_epoch)
        overrides = {} if schedule is None else reader.read_group(schedule)
        t, used_values, hyperparameters = (
            self.last_epoch,
            self._groups.get_used_values(self.last_epoch),
            self._hyperparameters,
        )
        known = {scheduled.hyperparameter for scheduled in hyperparameters}
        new = [
            ScheduledHyperparameter(hyperparameter, UNCHANGED)
            for hyperparameter in overrides
            if hyperparameter not in known
        ]
        self.optimizer.add_param_group(group)
        groups = self.optimizer.param_groups
        try:
            hyperparameters = extend_to_new_groups(
                (*hyperparameters, *new), groups, {len(groups) - 1: overrides}
            )
            self._set_values(t, hyperparameters, [*used_values, *([] for _ in new)])
        except LrlabError:
            groups.pop()
            raise

    def replan(self, new_total_steps: float) -> None:
        """Goes on as for a training of ``new_total_steps`` steps: no jump now, and the end comes then.

        Every schedule that is still to come is stretched or shrunk, as ``schedule.replan`` does.
        The state that is saved from now on is one of the schedules changed in this way: load it
        with ``on_mismatch="load"``, or into a scheduler that was replanned alike.

        Raises:
            SchedulerError: ``new_total_steps`` is no number of steps above the current one, the planned
                end has passed, a schedule reads a metric, or all go on for ever.

        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> scheduler = LRScheduler(optimizer, "Linear(1, 0, over=10)")
        >>> scheduler.step(epoch=5)
        >>> scheduler.replan(15)
        >>> scheduler.schedule
        Linear(1.0, 0.0, over=10).until(5) >> Linear(1.0, 0.0, over=10).shift(-5).stretch(2.0)
        """
        t = self.last_epoch
        self._set_values(
            t,
            replan_hyperparameters(self._hyperparameters, new_total_steps, t, self._total_steps),
            self._groups.get_used_values(t),
        )
        self._total_steps = new_total_steps

    def state_dict(self) -> dict[str, Any]:
        """Where it stands: numbers and texts, safe for ``torch.load(weights_only=True)``.

        Returns:
            ``last_epoch``, ``_step_count``, ``total_steps`` and, of each of the
            ``hyperparameters``, the schedule's text, the base value and the value used last of
            every group, and what its schedule keeps of the metrics; and the value that it holds,
            where something else than this scheduler has set it.
        """
        t, hyperparameters, groups = (
            self.last_epoch,
            self._hyperparameters,
            self.optimizer.param_groups,
        )
        current_values = None
        if t >= 0 and not self._holds_values():  # another scheduler has set them since
            current_values = [
                [float(scheduled.hyperparameter.read(group)) for group in groups]
                for scheduled in hyperparameters
            ]
        return build_state_dict(
            hyperparameters,
            self._groups.get_used_values(t),
            current_values,
            t,
            self._step_count,
            self._total_steps,
        )

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Goes on where ``state_dict`` was taken; afterwards the groups hold the right values.

        The optimizer's own state may be loaded before, after or not at all.

        Raises:
            SchedulerError: the state is none of this kind of scheduler or of another number of
                groups, or was saved under another schedule or base rate and ``on_mismatch`` does not
                say what to do. Nothing has changed then.
        """
        groups = self.optimizer.param_groups
        step, step_count, saved = parse_state_dict(state_dict, len(groups))
        hyperparameters = restore_hyperparameters(
            saved,
            self._hyperparameters,
            step,
            self._on_mismatch,
            self.optimizer,
            self._accept_scheduled_base,
        )
        saved_values = {name: entry.used_values for name, entry in saved.items()}
        used_values = [
            saved_values.get(str(scheduled.hyperparameter), list(scheduled.bases))
            for scheduled in hyperparameters
        ]
        self._set_values(step, hyperparameters, used_values)
        for scheduled in hyperparameters:
            entry = saved.get(str(scheduled.hyperparameter))
            if (
                entry
                and entry.current_values
                and entry.schedules == [repr(schedule) for schedule in scheduled.schedules]
            ):
                for group, value in zip(groups, entry.current_values, strict=True):
                    scheduled.hyperparameter.write(group, value)
        if self._metric_deadline is not None:
            deadline = step + compute_metric_deadline(self._total_steps, self._steps_per_epoch)
            self._metric_deadline = (
                None
                if any(scheduled.has_changed_state for scheduled in hyperparameters)
                else deadline
            )
        self._step_count = step_count
        if self._on_mismatch == "load":  # what was planned too, which replan goes by
            self._total_steps = to_finite_float(state_dict.get("total_steps"))

    @property
    def _hyperparameters(self) -> tuple[ScheduledHyperparameter, ...]:
        """What every group follows, those that are new too."""
        return self._groups.get_hyperparameters(self.optimizer.param_groups)

    def _set_values(
        self,
        t: int,
        hyperparameters: tuple[ScheduledHyperparameter, ...],
        used_values: list[GroupValues],
    ) -> None:
        self._groups.set_groups(t, hyperparameters, used_values, self.optimizer.param_groups)
        self.last_epoch = t

    def _step_with_arguments(self, metrics: Any, epoch: Any, skipped: bool) -> None:
        t = self.last_epoch + 1 if epoch is None else _parse_step(epoch)
        if t is None:
            raise SchedulerError(
                f"step() goes to a step, a whole number of 0 or more, got {epoch!r}"
                + ("." if self.needs_metric else "; this schedule reads no metric.")
            )
        scheduled_groups, now = self._groups, self.last_epoch
        hyperparameters = (
            self._hyperparameters if metrics is None else self._observe_metric(metrics)
        )
        if skipped:
            self._set_values(now, hyperparameters, scheduled_groups.get_used_values(now))
        else:
            self._set_values(t, hyperparameters, scheduled_groups.get_values(now))
            self._step_count += 1

    def _observe_metric(self, metric: Any) -> tuple[ScheduledHyperparameter, ...]:
        if not self.needs_metric:
            raise SchedulerError(
                f"only a schedule that reads metrics can observe {metric!r}; Plateau() is one."
            )
        hyperparameters = tuple(
            scheduled.update_states(self.last_epoch, metric) for scheduled in self._hyperparameters
        )
        self._metric_deadline = None
        return hyperparameters

    def _update_lr(self, epoch: int | None = None) -> None:
        # By which torch's SequentialLR begins a child of its own.
        self._step_with_arguments(None, self.last_epoch + 1 if epoch is None else epoch, False)
        self._step_count -= 1


def _parse_step(value: Any) -> int | None:
    """``value`` as a step, or None where it is none."""
    step = to_integer(value)
    return None if step is None or step < 0 else step
