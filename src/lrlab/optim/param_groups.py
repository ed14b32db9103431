"""An optimizer's parameter groups: their schedules, base values, and setting them each step."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.optim import Optimizer

from lrlab._checks import to_finite_float
from lrlab.dialects import parse
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import SchedulerError, format_suggestion
from lrlab.optim.hyperparameters import (
    GroupValues,
    Hyperparameter,
    ParamGroup,
    ScheduledHyperparameter,
    find_hyperparameter,
)
from lrlab.optim.values import EMPTY_TABLE, ValueTable, precompute
from lrlab.schedules import Constant, Schedule

UNCHANGED = Constant(1.0)

SCHEDULER_ARGUMENTS = ("total_steps", "steps_per_epoch", "groups", "on_mismatch", "last_epoch")
"""Arguments that an unknown hyperparameter may be a misspelling of."""

HyperparameterSchedules = Mapping[Hyperparameter, Schedule]
"""The schedules of one parameter group."""


@dataclass(frozen=True)
class GroupSchedules:
    """The schedules of all groups, and those of single groups that differ.

    Args:
        defaults: schedules of every group without an override.
        overrides: schedules of single groups, by index in ``optimizer.param_groups``.
    """

    defaults: HyperparameterSchedules
    overrides: Mapping[int, HyperparameterSchedules]

    def create_hyperparameters(self) -> tuple[ScheduledHyperparameter, ...]:
        """Create every hyperparameter that has a schedule in any group, still without groups.

        The learning rate is the first.
        """
        hyperparameters = [
            hyperparameter
            for schedules in (self.defaults, *self.overrides.values())
            for hyperparameter in schedules
        ]
        return tuple(
            ScheduledHyperparameter(hyperparameter, self.defaults.get(hyperparameter, UNCHANGED))
            for hyperparameter in dict.fromkeys(hyperparameters)
        )


def read_group_schedules(
    reader: "ScheduleReader",
    schedule: Any,
    hyperparameter_schedules: Mapping[str, Any],
    groups: Mapping[Any, Any],
) -> GroupSchedules:
    """Read the schedules among the arguments of a scheduler.

    Args:
        reader: reads single schedules.
        schedule: schedule of the learning rate, or of learning rate and momentum.
        hyperparameter_schedules: schedules of other hyperparameters, by name; None for none.
        groups: by name or index of a group, the schedule of its learning rate, or the schedules of
            several hyperparameters by name.

    Raises:
        SchedulerError: something is not a schedule, or the optimizer has no such hyperparameter or
            group.
        ScheduleError: a text is not a schedule, or a duration cannot be bound.
    """
    if not isinstance(groups, Mapping):
        raise SchedulerError(
            'groups must map groups to schedules, such as {"head": "Cosine(45)", 1: "Linear(1, 0, '
            f'over=30)"}}, got {groups!r}.'
        )
    named_schedules = {
        name: value for name, value in hyperparameter_schedules.items() if value is not None
    }
    if "lr" in named_schedules:
        raise SchedulerError("lr must have one schedule, got two.")
    defaults = reader.read_schedules({"lr": schedule, **named_schedules})
    overrides: dict[int, HyperparameterSchedules] = {}
    for key, value in groups.items():
        group_index = _find_group_index(reader.optimizer, key)
        if group_index in overrides:
            raise SchedulerError(f"parameter group {group_index} must have one entry, got two.")
        overrides[group_index] = reader.read_group(value)
    return GroupSchedules(defaults, overrides)


@dataclass(frozen=True)
class ScheduleReader:
    """Reads the schedules that a user gives for hyperparameters of an optimizer.

    Args:
        optimizer: the optimizer whose hyperparameters they are.
        total_steps, steps_per_epoch: steps of the training and of an epoch, to bind durations.
    """

    optimizer: Optimizer
    total_steps: float | None
    steps_per_epoch: float | None

    def read_group(self, value: Any) -> HyperparameterSchedules:
        """Read the schedules of one group: several by name, or one of the learning rate."""
        return self.read_schedules(value if isinstance(value, Mapping) else {"lr": value})

    def read_schedules(
        self, schedules_by_name: Mapping[str, Any]
    ) -> dict[Hyperparameter, Schedule]:
        """Read schedules or their texts by name into bound schedules by hyperparameter."""
        schedules: dict[Hyperparameter, Schedule] = {}
        for name, value in schedules_by_name.items():
            for entry, schedule in self._split_value(str(name), value).items():
                hyperparameter = find_hyperparameter(self.optimizer, entry, SCHEDULER_ARGUMENTS)
                if hyperparameter in schedules:
                    raise SchedulerError(f"{hyperparameter} must have one schedule, got two.")
                schedules[hyperparameter] = _read_schedule(name, schedule).bind(
                    total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch
                )
        return schedules

    def _split_value(self, name: str, value: Any) -> dict[str, Any]:
        """Return the schedules in a value by name: a tuple has one for each entry."""
        if isinstance(value, LrAndMomentum):
            if name != "lr":
                raise SchedulerError(
                    f"the schedule of {name} must be one schedule, got a pair of lr and momentum; "
                    f"pass its .momentum as {name}=..."
                )
            return {"lr": value.lr, "momentum": value.momentum}
        if isinstance(value, tuple | list):
            if name == "lr":
                raise SchedulerError(
                    f"the schedule of lr must be one for all parameter groups, got {value!r}; "
                    "pass those of single groups as groups={1: ...}."
                )
            return {
                f"{name}[{i}]": schedule for i, schedule in enumerate(value) if schedule is not None
            }
        return {name: value}


def _read_schedule(name: str, value: Any) -> Schedule:
    if isinstance(value, str):
        return parse(value)
    if not isinstance(value, Schedule):
        raise SchedulerError(
            f"the schedule of {name} must be a schedule such as Cosine(50), or its text, got "
            f"{value!r}."
        )
    return value


def _find_group_index(optimizer: Optimizer, key: Any) -> int:
    groups = optimizer.param_groups
    index_by_name = {group["name"]: i for i, group in enumerate(groups) if "name" in group}
    names = [name for name in index_by_name if isinstance(name, str)]
    if isinstance(key, str) and key in names:
        return index_by_name[key]
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(groups):
        return key
    hint = format_suggestion(key, names) if isinstance(key, str) else ""
    raise SchedulerError(
        f"groups must name parameter groups by index, 0 to {len(groups) - 1}, or by their "
        f'"name", {", ".join(names) or "which none has"}; got {key!r}{hint or "."}'
    )


class ScheduledParamGroups:
    """The values of parameter groups, step by step.

    The groups are passed to every call, because an optimizer replaces them when it loads a state.

    Args:
        group_schedules: the schedules that the groups follow.
        groups: ``optimizer.param_groups``.
        t: the first step.

    Attributes:
        table: the scheduled hyperparameters, and their values at the steps around the current one.

    Raises:
        SchedulerError: a value that a schedule multiplies is 0 or not a number.
        ScheduleError: a schedule has no value at the step.
    """

    def __init__(self, group_schedules: GroupSchedules, groups: list[ParamGroup], t: int) -> None:
        self.table = EMPTY_TABLE
        hyperparameters = extend_to_new_groups(
            group_schedules.create_hyperparameters(), groups, group_schedules.overrides
        )
        for scheduled in hyperparameters[1:]:
            if not any(scheduled.bases) and all(
                schedule.is_relative for schedule in scheduled.schedules
            ):
                raise SchedulerError(
                    f"{scheduled.hyperparameter} must be above 0 to be scheduled by factors, but "
                    "is 0 in the optimizer: set it there, or use absolute levels here, as in "
                    "Linear(Absolute(0.1), Absolute(0.01))."
                )
        self.set_groups(t, hyperparameters, None, groups)

    def __copy__(self) -> "ScheduledParamGroups":
        # The copy has its own base values.
        other = object.__new__(type(self))
        hyperparameters = tuple(
            scheduled.extend([], list(scheduled.bases)) for scheduled in self.table.hyperparameters
        )
        other.table = replace(self.table, hyperparameters=hyperparameters)
        return other

    def matches(self, groups: list[ParamGroup], t: int) -> bool:
        """Whether the groups have the values of step ``t``; new groups do not count."""
        rows = self.get_values(t)
        return len(rows[0]) <= len(groups) and all(
            _matches_value(scheduled.hyperparameter.read(group), value)
            for scheduled, row in zip(self.table.hyperparameters, rows, strict=True)
            for group, value in zip(groups, row, strict=False)
        )

    def get_hyperparameters(self, groups: list[ParamGroup]) -> tuple[ScheduledHyperparameter, ...]:
        """Return the scheduled hyperparameters, extended to new groups; the learning rate first."""
        return extend_to_new_groups(self.table.hyperparameters, groups)

    def get_values(self, t: int) -> list[GroupValues]:
        """Return the values at step ``t``, by hyperparameter and group."""
        return self._get_table(t).get_values(max(0, t))

    def get_used_values(self, t: int) -> list[GroupValues]:
        """Return the values used last before step ``t``, by hyperparameter and group."""
        return self._get_table(t).get_used_values(max(0, t))

    def _get_table(self, t: int) -> ValueTable:
        """Return the table that has step ``t``.

        It is the current one, unless a trainer has changed the scheduler's ``last_epoch``.
        """
        table, t = self.table, max(0, t)
        if not table.has_step(t):
            used_values = [
                scheduled.compute_values(max(0, t - 1)) for scheduled in table.hyperparameters
            ]
            self.table = precompute(table.hyperparameters, t, used_values, table)
        return self.table

    def set_groups(
        self,
        t: int,
        hyperparameters: tuple[ScheduledHyperparameter, ...],
        used_values: list[GroupValues] | None,
        groups: list[ParamGroup],
    ) -> None:
        """Set the groups to the values of ``hyperparameters`` at step ``t``.

        If that raises, nothing has changed.

        Args:
            t: the step; below 0, for a child of torch's SequentialLR that has not begun, the groups
                stay unchanged.
            hyperparameters: the scheduled hyperparameters from now on.
            used_values: for each hyperparameter, the values used before; None at the beginning.
            groups: ``optimizer.param_groups``.
        """
        table, step = self.table, max(0, t)
        if (
            table.is_valid_at(step)
            and table.get_used_values(step) == used_values
            and _have_same_values(hyperparameters, table.hyperparameters)
        ):
            # Most metrics change nothing; a step then takes half the time.
            table = replace(table, hyperparameters=hyperparameters)
        else:
            table = precompute(hyperparameters, step, used_values, table)
        if t >= 0:
            for scheduled, row in zip(hyperparameters, table.get_values(t), strict=True):
                for i, (value, base) in enumerate(zip(row, scheduled.bases, strict=True)):
                    _separate_tensor(scheduled.hyperparameter, groups, i)
                    groups[i][scheduled.hyperparameter.base_key] = base
                    scheduled.hyperparameter.write(groups[i], value)
        still_scheduled = {scheduled.hyperparameter for scheduled in hyperparameters}
        for scheduled in self.table.hyperparameters:
            if scheduled.hyperparameter not in still_scheduled:
                for group in groups:
                    scheduled.hyperparameter.restore_base(group)
        self.table = table


def _matches_value(stored: Any, value: float) -> bool:
    """Whether a stored value equals ``value`` in the precision of its type."""
    if isinstance(stored, torch.Tensor):
        return bool(stored == torch.tensor(value, dtype=stored.dtype, device=stored.device))
    return bool(stored == value)


def extend_to_new_groups(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    groups: list[ParamGroup],
    overrides: Mapping[int, HyperparameterSchedules] | None = None,
) -> tuple[ScheduledHyperparameter, ...]:
    """Return the hyperparameters extended to the groups that each of them lacks.

    Args:
        hyperparameters: the scheduled hyperparameters of the known groups.
        groups: all groups.
        overrides: schedules of single groups that differ from the default, by index.

    Raises:
        SchedulerError: a group was removed, or a base value is not a number.
    """
    if all(
        len(scheduled.schedules) == len(scheduled.bases) == len(groups)
        for scheduled in hyperparameters
    ):
        return hyperparameters
    return tuple(
        _extend_hyperparameter(scheduled, groups, overrides or {}) for scheduled in hyperparameters
    )


def _extend_hyperparameter(
    scheduled: ScheduledHyperparameter,
    groups: list[ParamGroup],
    overrides: Mapping[int, HyperparameterSchedules],
) -> ScheduledHyperparameter:
    known_count, bases = len(scheduled.schedules), scheduled.bases
    if known_count > len(groups):
        raise SchedulerError(
            f"the optimizer must keep its {known_count} parameter groups, but now has "
            f"{len(groups)}: build a new scheduler."
        )
    if not known_count <= len(bases) <= len(groups):
        raise SchedulerError(
            f"base_lrs must have one value for each of the {len(groups)} parameter groups, got "
            f"{bases}."
        )
    schedules = [
        overrides.get(i, {}).get(scheduled.hyperparameter, scheduled.default_schedule)
        for i in range(known_count, len(groups))
    ]
    new_bases = [
        _read_base(scheduled.hyperparameter, groups, i) for i in range(len(bases), len(groups))
    ]
    return scheduled.extend(schedules, [*bases, *new_bases])


def _read_base(hyperparameter: Hyperparameter, groups: list[ParamGroup], group_index: int) -> float:
    """Return the base value of a new group.

    It is the group's initial value if it has one, as loaded groups do, or else its current value.
    If that is a tensor shared with an earlier group, it is the base value of that group.
    """
    group, stored = groups[group_index], hyperparameter.read(groups[group_index])
    if isinstance(stored, torch.Tensor):
        sharers = (other for other in groups[:group_index] if hyperparameter.read(other) is stored)
        stored = next(sharers, group).get(hyperparameter.base_key, stored)
    initial_value = group.get(hyperparameter.base_key, stored)
    if isinstance(stored, torch.Tensor) and not stored.is_floating_point():
        raise SchedulerError(
            f"{hyperparameter} of parameter group {group_index} must be a tensor of floats, got "
            f"{stored!r}."
        )
    try:
        base = to_finite_float(float(initial_value))
    except (TypeError, ValueError, RuntimeError):  # RuntimeError comes from torch
        base = None
    if base is None or base < 0:
        raise SchedulerError(
            f"{hyperparameter} of parameter group {group_index} must be a non-negative number, got "
            f"{initial_value!r}."
        )
    return base


def _separate_tensor(
    hyperparameter: Hyperparameter, groups: list[ParamGroup], group_index: int
) -> None:
    """Give a group a tensor that it does not share, if its value is or must be a tensor.

    Groups with an optimizer's default share one tensor, so they could not have different values. A
    captured graph freezes numbers and CPU tensors, but reads tensors of its device at every replay,
    so the learning rate of a ``capturable`` group becomes a tensor on that device.
    """
    group, stored = groups[group_index], hyperparameter.read(groups[group_index])
    is_tensor = isinstance(stored, torch.Tensor)
    if is_tensor and any(hyperparameter.read(other) is stored for other in groups[:group_index]):
        stored = stored.clone()
        hyperparameter.replace(group, stored)
    if hyperparameter.key == "lr" and group.get("capturable") and group["params"]:
        device = group["params"][0].device
        if not is_tensor:
            hyperparameter.replace(group, torch.tensor(float(stored), device=device))
        elif stored.device != device:
            hyperparameter.replace(group, stored.to(device))


def _have_same_values(
    first: tuple[ScheduledHyperparameter, ...],
    second: tuple[ScheduledHyperparameter, ...],
) -> bool:
    """Whether both have the same values at every step."""
    return len(first) == len(second) and all(
        a.hyperparameter == b.hyperparameter
        and a.bases == b.bases
        and a.schedules_with_state == b.schedules_with_state
        for a, b in zip(first, second, strict=True)
    )
