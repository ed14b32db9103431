"""``LRScheduler``: puts schedules on a torch optimizer, steps them, saves and resumes them."""

from collections.abc import Mapping
from copy import copy
from typing import Any, cast
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

GroupLrs = list[float | torch.Tensor]
"""One learning rate per parameter group; always floats here, torch's type allows tensors."""


class LRScheduler(torch_schedulers.LRScheduler):
    """Sets every parameter group's learning rate to ``schedule(t, base)`` at step t.

    The step counts calls of ``step()`` from 0.

    Each value is computed from the step and the group's base value alone, so nothing drifts, and
    after ``load_state_dict`` the optimizer has the right values whatever the order in which
    schedulers and checkpoints were built and loaded. The optimizer is not patched. The base
    learning rate of a group is its ``"initial_lr"``, which checkpoints of optimizers contain, or
    else its ``"lr"`` when the scheduler first sees it.

    Any other hyperparameter may have a schedule too. Its levels are factors of the group's initial
    value (stored as ``"initial_momentum"`` and the like), or absolute, as ``Absolute(0.85)``. A
    learning rate that is a tensor is filled in place, so that compiled optimizer steps and captured
    graphs see it.

    A parameter group that is added to the optimizer later follows the schedule of all groups from
    the next ``step()`` on, on the same clock, from its own base learning rate. The scheduler's own
    ``add_param_group`` sets it at once, and can give it another schedule.

    Args:
        optimizer: the optimizer whose parameter groups are scheduled.
        schedule: schedule of the learning rate: ``Warmup(5) >> Cosine(45)``, or its text. The
            results of ``dialects.torch.OneCycleLR`` and ``CyclicLR`` schedule the momentum too.
        total_steps: calls of ``step()`` in the whole training; needed by durations such as
            ``"10%"`` and by primitives without a duration.
        steps_per_epoch: calls of ``step()`` in one epoch; needed by durations such as ``"5ep"``.
        momentum: a schedule or its text; for optimizers such as Adam, of ``betas[0]``.
        weight_decay: a schedule or its text.
        betas: schedule of ``betas[0]``, or a pair for both; None leaves one unchanged.
        groups: schedules of single groups, by index or ``"name"``: one of the learning rate
            (``{"head": "Cosine(45)"}``) or several (``{0: {"lr": ..., "weight_decay": ...}}``).
        on_mismatch: what to do when a state is loaded that was saved with another schedule or base
            value: raise an ``"error"``, ``"keep"`` the schedules and base values of this scheduler,
            or ``"load"`` the saved ones.
        last_epoch: the last completed step, to resume without ``load_state_dict``; -1, the
            default, for none.
        **hyperparameter_schedules: schedules of any other hyperparameter, by its name.

    Raises:
        SchedulerError: ``optimizer`` is not an optimizer, something is not a schedule, or the
            optimizer has no such hyperparameter or group.
        ScheduleError: a text is not a schedule, or one needs ``total_steps`` or
            ``steps_per_epoch``.

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
        # torch's own __init__ is not called: it wraps optimizer.step to warn about the order of
        # calls, which raises false alarms under mixed precision and ties the two objects together.
        if not isinstance(optimizer, Optimizer):
            raise SchedulerError(
                f"optimizer must be a torch.optim.Optimizer, got {type(optimizer).__name__}."
            )
        if on_mismatch not in ON_MISMATCH_CHOICES:
            raise SchedulerError(
                f"on_mismatch must be {' or '.join(ON_MISMATCH_CHOICES)}, got {on_mismatch!r}."
            )
        last_step = to_integer(last_epoch)
        if last_step is None or last_step < -1:
            raise SchedulerError(
                f"last_epoch must be the last completed step, or -1 for none, got {last_epoch!r}."
            )
        has_base_lrs = all("initial_lr" in group for group in optimizer.param_groups)
        if last_step >= 0 and not has_base_lrs:
            raise SchedulerError(
                f"last_epoch must be -1 for an optimizer without initial_lr, got {last_step}: load "
                "the optimizer's state first, or load the scheduler's state instead."
            )
        start = last_step + 1
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
        _register_load_hooks(self)

    def __repr__(self) -> str:
        text = ", ".join(map(repr, self._groups.table.hyperparameters))
        return f"LRScheduler({text}) at step {self.last_epoch}"

    @property
    def schedule(self) -> Schedule:
        """The learning rate's schedule, durations in steps; the first group's if they differ."""
        return self._groups.table.hyperparameters[0].schedules[0]

    @property
    def needs_metric(self) -> bool:
        """Whether a schedule is metric-driven."""
        return any(scheduled.needs_metric for scheduled in self._groups.table.hyperparameters)

    @property
    def base_lrs(self) -> GroupLrs:
        """The base learning rate of each group; a change takes effect when values are next set,
        usually at the next ``step()``.
        """
        return cast(GroupLrs, self._groups.table.hyperparameters[0].bases)

    @base_lrs.setter
    def base_lrs(self, lrs: GroupLrs) -> None:
        bases = self._groups.table.hyperparameters[0].bases
        try:
            new_bases = [to_finite_float(float(lr)) for lr in lrs]
        except (TypeError, ValueError, RuntimeError):
            new_bases = [None]
        if len(new_bases) != len(bases) or any(base is None or base < 0 for base in new_bases):
            raise SchedulerError(
                f"base_lrs must be a non-negative learning rate for each of the {len(bases)} "
                f"parameter groups, got {lrs!r}."
            )
        bases[:] = [base for base in new_bases if base is not None]

    @property
    def used_lrs(self) -> list[float]:
        """The learning rate of each group in the last ``optimizer.step()``, read after the
        ``step()`` that follows it; before the first ``step()``, the initial one.
        """
        return self._groups.get_used_values(self.last_epoch)[0]

    @property
    def next_lrs(self) -> list[float]:
        """The learning rate of each group in the next ``optimizer.step()``."""
        return self._groups.get_values(self.last_epoch)[0]

    def get_logs(self, *, next_step: bool = False) -> dict[str, float]:
        """Return the value of every scheduled hyperparameter by the name to log it under.

        Names are ``"lr"``, ``"momentum"``, ..., or with several groups ``"lr/head"``, by the name
        of the group, or its index if it has none.

        Args:
            next_step: whether to return what the next ``optimizer.step()`` uses; by default, what
                the last one used, as ``used_lrs`` does.

        >>> import torch
        >>> from lrlab import LRScheduler
        >>> optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.1)
        >>> LRScheduler(optimizer, "Cosine(45)", weight_decay="Constant(Absolute(0.01))").get_logs()
        {'lr': 0.1, 'weight_decay': 0.01}
        """
        get_values = self._groups.get_values if next_step else self._groups.get_used_values
        suffixes = get_group_suffixes(self.optimizer.param_groups)
        return {
            f"{scheduled.hyperparameter}{suffix}": value
            for scheduled, row in zip(
                self._groups.table.hyperparameters, get_values(self.last_epoch), strict=True
            )
            for suffix, value in zip(suffixes, row, strict=False)  # a new group has none yet
        }

    def get_last_lr(self) -> GroupLrs:
        """Return the learning rates as last set, as torch does: those of ``next_lrs``."""
        return [*self.next_lrs]

    @property  # torch's own is an attribute that users read
    def _last_lr(self) -> GroupLrs:  # type: ignore[override]
        return self.get_last_lr()

    def get_lr(self) -> GroupLrs:
        """Compute the learning rates of the current step: a pure function of ``last_epoch``."""
        scheduled_lr, *_ = self._groups.get_hyperparameters(self.optimizer.param_groups)
        return [*scheduled_lr.compute_values(max(0, self.last_epoch))]

    def step(
        self,
        value: Any = None,
        /,
        *,
        metrics: Any = None,
        epoch: int | None = None,
        skipped: bool = False,
    ) -> None:
        """Advance to the next step and set every scheduled hyperparameter.

        Args:
            value: the metric, or, as in torch, the epoch if no schedule reads a metric.
            metrics: the metric for metric-driven schedules, measured after training with the
                current values.
            epoch: the step to go to; the next one by default.
            skipped: whether the optimizer skipped its step, as under mixed precision; the schedule
                then does not advance either.

        Raises:
            SchedulerError: ``epoch`` is not a step, or no schedule reads the metric.
            ScheduleError: the schedule has no value there, or ``metrics`` is not a number. Nothing
                changes then.
        """
        if value is not None or metrics is not None or epoch is not None or skipped:
            if value is not None:
                # SequentialLR of older versions of torch begins a child, at -1, with step(0).
                if self.needs_metric and self.last_epoch >= 0:
                    metrics, second_value = value, metrics
                else:
                    epoch, second_value = value, epoch
                if second_value is not None:
                    raise SchedulerError(
                        f"step() takes one metric or one epoch, got {value!r} and {second_value!r}."
                    )
            self._step_with_arguments(metrics, epoch, bool(skipped))
            return
        t = self.last_epoch + 1
        groups = self.optimizer.param_groups
        table = self._groups.table
        i = t - table.first_step
        # As few operations as possible: a step takes less than a third of the time of torch's.
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
        """Pass a metric between two steps: the values change at once, the step does not.

        This is for trainers that do not measure when they step. Call it after ``step()``.

        Args:
            metric: any number; NaN never counts as an improvement.

        Raises:
            SchedulerError: no schedule reads a metric.
            ScheduleError: ``metric`` is not a number. Nothing changes then.
        """
        self._set_values(
            self.last_epoch,
            self._observe_metric(metric),
            self._groups.get_used_values(self.last_epoch),
        )

    def add_param_group(self, group: dict[str, Any], schedule: Any = None) -> None:
        """Add a parameter group to the optimizer and set it to its current values at once.

        ``optimizer.add_param_group`` works too, but leaves the group as it is until the next
        ``step()``.

        Args:
            group: what ``optimizer.add_param_group`` takes.
            schedule: schedule of the group's learning rate, or several schedules by
                hyperparameter, on the same clock; the schedule of all groups if omitted.

        Raises:
            SchedulerError: something is not a schedule, or the optimizer has no such
                hyperparameter.
            ScheduleError: a text is not a schedule. The group is not added then.

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
        t, hyperparameters = self.last_epoch, self._hyperparameters
        used_values = self._groups.get_used_values(t)
        known_hyperparameters = {scheduled.hyperparameter for scheduled in hyperparameters}
        new_hyperparameters = [
            ScheduledHyperparameter(hyperparameter, UNCHANGED)
            for hyperparameter in overrides
            if hyperparameter not in known_hyperparameters
        ]
        self.optimizer.add_param_group(group)
        groups = self.optimizer.param_groups
        try:
            hyperparameters = extend_to_new_groups(
                (*hyperparameters, *new_hyperparameters), groups, {len(groups) - 1: overrides}
            )
            self._set_values(t, hyperparameters, [*used_values, *([] for _ in new_hyperparameters)])
        except LrlabError:
            groups.pop()
            raise

    def replan(self, new_total_steps: float) -> None:
        """Stretch or shrink the rest of every schedule to end at ``new_total_steps``.

        There is no jump, as in ``schedule.replan``. A state that is saved from now on has the
        changed schedules: load it with ``on_mismatch="load"``, or into a scheduler with the same
        change.

        Raises:
            SchedulerError: ``new_total_steps`` is not above the current step, the planned end has
                passed, a schedule is metric-driven, or no schedule has an end.

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
        """Return the state: numbers and texts, safe for ``torch.load(weights_only=True)``.

        Returns:
            ``last_epoch``, ``_step_count``, ``total_steps`` and, for each of the
            ``hyperparameters``: the text of its ``default_schedule`` and, for every group, the
            texts of its ``schedules``, its ``bases``, its ``used_values`` and the ``states`` of its
            metric-driven schedules; and its ``current_values``, if something other than this
            scheduler set them.
        """
        t, hyperparameters = self.last_epoch, self._hyperparameters
        current_values = None
        if t >= 0 and not self._groups_have_values():  # something else has set them since
            current_values = [
                [
                    float(scheduled.hyperparameter.read(group))
                    for group in self.optimizer.param_groups
                ]
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
        """Resume where ``state_dict`` was saved; afterwards the groups have the right values.

        The optimizer's own state may be loaded before, after or not at all.

        Raises:
            SchedulerError: the state is not of an ``LRScheduler`` with as many groups, or it was
                saved with another schedule or base value and ``on_mismatch`` is ``"error"``.
                Nothing changes then.
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
            has_seen_metric = any(scheduled.has_changed_state for scheduled in hyperparameters)
            self._metric_deadline = None if has_seen_metric else deadline
        self._step_count = step_count
        if self._on_mismatch == "load":  # the planned length too, which replan needs
            self._total_steps = to_finite_float(state_dict.get("total_steps"))

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _register_load_hooks(self)

    def __copy__(self) -> "LRScheduler":
        # The copy shares the optimizer, but no state of the scheduler.
        other = object.__new__(type(self))
        copies = {"_groups": copy(self._groups), "_step_check": copy(self._step_check)}
        other.__dict__.update(self.__dict__ | copies)
        return other

    @property
    def _hyperparameters(self) -> tuple[ScheduledHyperparameter, ...]:
        """Every scheduled hyperparameter, new groups included."""
        return self._groups.get_hyperparameters(self.optimizer.param_groups)

    def _set_values(
        self,
        t: int,
        hyperparameters: tuple[ScheduledHyperparameter, ...],
        used_values: list[GroupValues],
    ) -> None:
        self._groups.set_groups(t, hyperparameters, used_values, self.optimizer.param_groups)
        self.last_epoch = t

    def _groups_have_values(self) -> bool:
        """Whether the groups have the values that this scheduler set last."""
        groups = self.optimizer.param_groups
        return self.last_epoch >= 0 and self._groups.matches(groups, self.last_epoch)

    def _restore_values(self) -> None:
        """Set the groups to the current values again, after the optimizer has loaded a state."""
        self._set_values(
            self.last_epoch, self._hyperparameters, self._groups.get_used_values(self.last_epoch)
        )

    def _step_with_arguments(self, metrics: Any, epoch: Any, skipped: bool) -> None:
        t = self.last_epoch + 1 if epoch is None else _parse_step(epoch)
        if t is None:
            raise SchedulerError(
                f"step(): epoch must be a non-negative whole number, got {epoch!r}"
                + ("." if self.needs_metric else "; this schedule reads no metric.")
            )
        scheduled_groups, current_step = self._groups, self.last_epoch
        hyperparameters = (
            self._hyperparameters if metrics is None else self._observe_metric(metrics)
        )
        if skipped:
            used_values = scheduled_groups.get_used_values(current_step)
            self._set_values(current_step, hyperparameters, used_values)
        else:
            self._set_values(t, hyperparameters, scheduled_groups.get_values(current_step))
            self._step_count += 1

    def _observe_metric(self, metric: Any) -> tuple[ScheduledHyperparameter, ...]:
        if not self.needs_metric:
            raise SchedulerError(
                f"no schedule here reads a metric, got {metric!r}; Plateau() reads one."
            )
        hyperparameters = tuple(
            scheduled.update_states(self.last_epoch, metric) for scheduled in self._hyperparameters
        )
        self._metric_deadline = None
        return hyperparameters

    def _update_lr(self, epoch: int | None = None) -> None:
        # torch's SequentialLR calls it to begin a child.
        self._step_with_arguments(None, self.last_epoch + 1 if epoch is None else epoch, False)
        self._step_count -= 1


def _register_load_hooks(scheduler: LRScheduler) -> None:
    """Make the scheduler set its values again after every load into its optimizer.

    It does so only if the groups had its values before the load. The hooks are torch's own, refer
    to the scheduler weakly and are removed with it. If the optimizer is a wrapper, such as
    accelerate's, loads into the wrapped optimizer count too.
    """
    scheduler_ref = ref(scheduler)
    must_restore: list[bool] = []

    def check_values(optimizer: Optimizer, state: Any) -> None:
        must_restore[:] = [
            (live_scheduler := scheduler_ref()) is not None
            and optimizer in _list_optimizers(live_scheduler)
            and live_scheduler._groups_have_values()
        ]

    def restore_values(optimizer: Optimizer) -> None:
        if any(must_restore) and (live_scheduler := scheduler_ref()) is not None:
            must_restore.clear()
            live_scheduler._restore_values()

    for optimizer in _list_optimizers(scheduler):
        if "_optimizer_load_state_dict_post_hooks" in vars(optimizer):
            for handle in (
                optimizer.register_load_state_dict_pre_hook(check_values),
                optimizer.register_load_state_dict_post_hook(restore_values),
            ):
                finalize(scheduler, handle.remove).atexit = False


def _list_optimizers(scheduler: LRScheduler) -> list[Any]:
    """Return the scheduler's optimizer and the optimizers that it wraps."""
    optimizers: list[Any] = [scheduler.optimizer]
    while isinstance(inner := getattr(optimizers[-1], "optimizer", None), Optimizer):
        optimizers.append(inner)
    return optimizers


def _parse_step(value: Any) -> int | None:
    """Return ``value`` as a step, or None if it is not a step."""
    step = to_integer(value)
    return None if step is None or step < 0 else step
