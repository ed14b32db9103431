"""Which schedule each hyperparameter of each parameter group follows, as a person wrote it."""

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
"""What a hyperparameter of an unknown name may have been meant to be."""

HyperparameterSchedules = Mapping[Hyperparameter, Schedule]


@dataclass(frozen=True)
class GroupSchedules:
    """The schedules of all groups, and those of single groups that have their own.

    Args:
        defaults: of every group that has none of its own.
        overrides: of single groups, by their place in ``optimizer.param_groups``.
    """

    defaults: HyperparameterSchedules
    overrides: Mapping[int, HyperparameterSchedules]

    def create_hyperparameters(self) -> tuple[ScheduledHyperparameter, ...]:
        """The track of each hyperparameter with a schedule anywhere, the rate's first; of no group
        so far.
        """
        found = [
            hyperparameter
            for schedules in (self.defaults, *self.overrides.values())
            for hyperparameter in schedules
        ]
        return tuple(
            ScheduledHyperparameter(hyperparameter, self.defaults.get(hyperparameter, UNCHANGED))
            for hyperparameter in dict.fromkeys(found)
        )


def read_group_schedules(
    reader: "ScheduleReader",
    schedule: Any,
    hyperparameter_schedules: Mapping[str, Any],
    groups: Mapping[Any, Any],
) -> GroupSchedules:
    """The plan that the arguments of a scheduler make.

    Args:
        reader: how they are read.
        schedule: of the rate, or of rate and momentum.
        hyperparameter_schedules: of other hyperparameters, by name; None for none.
        groups: by name or index of a group, the schedule of its rate, or the schedules of several
            hyperparameters by name.

    Raises:
        SchedulerError: something is no schedule, or there is no such hyperparameter or group.
        ScheduleError: a text that is none, or durations that cannot be bound.
    """
    if not isinstance(groups, Mapping):
        raise SchedulerError(
            'groups must be schedules by group, such as {"head": "Cosine(45)", 1: "Linear(1, 0, '
            f'over=30)"}}, got {groups!r}.'
        )
    given = {name: value for name, value in hyperparameter_schedules.items() if value is not None}
    if "lr" in given:
        raise SchedulerError("lr must have one schedule, got two.")
    defaults = reader.read_schedules({"lr": schedule, **given})
    overrides: dict[int, HyperparameterSchedules] = {}
    for key, value in groups.items():
        group_index = _find_group_index(reader.optimizer, key)
        if group_index in overrides:
            raise SchedulerError(f"parameter group {group_index} must have one entry, got two.")
        overrides[group_index] = reader.read_group(value)
    return GroupSchedules(defaults, overrides)


@dataclass(frozen=True)
class ScheduleReader:
    """How schedules are read that a person wrote for hyperparameters of an optimizer.

    Args:
        optimizer: whose hyperparameters they are.
        total_steps, steps_per_epoch: steps of the training and of an epoch, which turn durations into steps.
    """

    optimizer: Optimizer
    total_steps: float | None
    steps_per_epoch: float | None

    def read_group(self, value: Any) -> HyperparameterSchedules:
        """The schedules of a group: of several hyperparameters by name, or that of the rate."""
        return self.read_schedules(value if isinstance(value, Mapping) else {"lr": value})

    def read_schedules(
        self, schedules_by_name: Mapping[str, Any]
    ) -> dict[Hyperparameter, Schedule]:
        """Schedules by hyperparameter, from schedules or texts by name."""
        found: dict[Hyperparameter, Schedule] = {}
        for name, value in schedules_by_name.items():
            for entry, schedule in self._split(str(name), value).items():
                hyperparameter = find_hyperparameter(self.optimizer, entry, SCHEDULER_ARGUMENTS)
                if hyperparameter in found:
                    raise SchedulerError(f"{hyperparameter} must have one schedule, got two.")
                found[hyperparameter] = _read_schedule(name, schedule).bind(
                    total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch
                )
        return found

    def _split(self, name: str, value: Any) -> dict[str, Any]:
        """The schedules in a value by name: a tuple has one for each entry of a tuple."""
        if isinstance(value, LrAndMomentum):
            if name != "lr":
                raise SchedulerError(
                    f"the schedule of {name} must be one schedule, got those of rate and momentum; "
                    f"pass {name}=... its .momentum."
                )
            return {"lr": value.lr, "momentum": value.momentum}
        if isinstance(value, tuple | list):
            if name == "lr":
                raise SchedulerError(
                    f"the schedule of lr must be one for all parameter groups, got {value!r}; "
                    "groups={1: ...} has those of single groups."
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
            f"the schedule of {name} must be a schedule such as Cosine(50), or the text of "
            f"one, got {value!r}."
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
        f"groups must name parameter groups by their place, 0 to {len(groups) - 1}, or by their "
        f'"name", {", ".join(names) or "which none has"}; got {key!r}{hint or "."}'
    )


class ScheduledParamGroups:
    """What parameter groups hold, step by step.

    The groups themselves are given at each call: an optimizer makes new ones when it loads a state.

    Args:
        group_schedules: which schedules they follow.
        groups: ``optimizer.param_groups``.
        t: the step to begin with.

    Attributes:
        table: the values of the steps around the current one, and the tracks that they are of.

    Raises:
        SchedulerError: a value that a schedule multiplies is 0, or is no number.
        ScheduleError: a schedule gives no value at the step.
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
                    f"{scheduled.hyperparameter} must be above 0 to be scheduled by factors, but the optimizer's "
                    "is 0: give it one there, or absolute levels here, as in Linear(Absolute(0.1), "
                    "Absolute(0.01))."
                )
        self.set_groups(t, hyperparameters, None, groups)

    def __copy__(self) -> "ScheduledParamGroups":
        # With base values of its own.
        other = object.__new__(type(self))
        hyperparameters = tuple(
            scheduled.extend([], list(scheduled.bases)) for scheduled in self.table.hyperparameters
        )
        other.table = replace(self.table, hyperparameters=hyperparameters)
        return other

    def matches(self, groups: list[ParamGroup], t: int) -> bool:
        """Whether the groups hold the values of step ``t``; those that are new do not count."""
        rows = self.get_values(t)
        return len(rows[0]) <= len(groups) and all(
            _matches_value(scheduled.hyperparameter.read(group), value)
            for scheduled, row in zip(self.table.hyperparameters, rows, strict=True)
            for group, value in zip(groups, row, strict=False)
        )

    def get_hyperparameters(self, groups: list[ParamGroup]) -> tuple[ScheduledHyperparameter, ...]:
        """What each scheduled hyperparameter follows in every group; the rate's first."""
        return extend_to_new_groups(self.table.hyperparameters, groups)

    def get_values(self, t: int) -> list[GroupValues]:
        """Of each track, the values of all groups at step ``t``: the next to be used by then."""
        return self._get_table(t).get_values(max(0, t))

    def get_used_values(self, t: int) -> list[GroupValues]:
        """Of each track, the values of all groups that were used last when it is step ``t``."""
        return self._get_table(t).get_used_values(max(0, t))

    def _get_table(self, t: int) -> ValueTable:
        """The table with step ``t``.

        To look at it changes nothing, unless a trainer has moved the scheduler's ``last_epoch``.
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
        """Makes the groups hold what ``hyperparameters`` have at step ``t``; if that fails, nothing changes.

        Args:
            t: the step; below 0, as before the turn of a child of torch's SequentialLR, the groups
                are left to others.
            hyperparameters: what to follow from now on.
            used_values: of each track, the values used before; None at the very beginning.
            groups: the parameter groups.
        """
        table, step = self.table, max(0, t)
        if (
            table.is_valid_at(step)
            and table.get_used_values(step) == used_values
            and _have_same_values(hyperparameters, table.hyperparameters)
        ):
            # Most metrics change nothing, and then a step takes half the time.
            table = replace(table, hyperparameters=hyperparameters)
        else:
            table = precompute(hyperparameters, step, used_values, table)
        if t >= 0:
            for scheduled, row in zip(hyperparameters, table.get_values(t), strict=True):
                for i, (value, base) in enumerate(zip(row, scheduled.bases, strict=True)):
                    _ensure_own_tensor(scheduled.hyperparameter, groups, i)
                    groups[i][scheduled.hyperparameter.base_key] = base
                    scheduled.hyperparameter.write(groups[i], value)
        followed = {scheduled.hyperparameter for scheduled in hyperparameters}
        for scheduled in self.table.hyperparameters:
            if scheduled.hyperparameter not in followed:
                for group in groups:
                    scheduled.hyperparameter.restore_base(group)
        self.table = table


def _matches_value(stored: Any, value: float) -> bool:
    """Whether a group holds a value, as precisely as it can."""
    if isinstance(stored, torch.Tensor):
        return bool(stored == torch.tensor(value, dtype=stored.dtype, device=stored.device))
    return bool(stored == value)


def extend_to_new_groups(
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    groups: list[ParamGroup],
    overrides: Mapping[int, HyperparameterSchedules] | None = None,
) -> tuple[ScheduledHyperparameter, ...]:
    """The tracks with the groups that are new to each of them.

    Args:
        hyperparameters: what the groups so far follow.
        groups: all of them.
        overrides: what single ones follow that is not for all, by place.

    Raises:
        SchedulerError: groups are gone, or a base value is no number.
    """
    if all(
        len(scheduled.schedules) == len(scheduled.bases) == len(groups)
        for scheduled in hyperparameters
    ):
        return hyperparameters
    return tuple(_extend_one(scheduled, groups, overrides or {}) for scheduled in hyperparameters)


def _extend_one(
    scheduled: ScheduledHyperparameter,
    groups: list[ParamGroup],
    overrides: Mapping[int, HyperparameterSchedules],
) -> ScheduledHyperparameter:
    known_count, bases = len(scheduled.schedules), scheduled.bases
    if known_count > len(groups):
        raise SchedulerError(
            f"the optimizer must keep its parameter groups, but of {known_count} it has {len(groups)}: "
            "build a new scheduler."
        )
    if not known_count <= len(bases) <= len(groups):
        raise SchedulerError(
            f"base_lrs must have one rate for each of the {len(groups)} parameter groups, got "
            f"{bases}."
        )
    schedules = [
        overrides.get(i, {}).get(scheduled.hyperparameter, scheduled.default_schedule)
        for i in range(known_count, len(groups))
    ]
    missing = [
        _read_base(scheduled.hyperparameter, groups, i) for i in range(len(bases), len(groups))
    ]
    return scheduled.extend(schedules, [*bases, *missing])


def _read_base(hyperparameter: Hyperparameter, groups: list[ParamGroup], group_index: int) -> float:
    """The base value of a group that is new.

    It is what the group says of its beginning, as loaded ones do, or else what it holds; if that
    is a tensor that another group holds too, the base value of the other.
    """
    group, stored = groups[group_index], hyperparameter.read(groups[group_index])
    if isinstance(stored, torch.Tensor):
        others = (other for other in groups[:group_index] if hyperparameter.read(other) is stored)
        stored = next(others, group).get(hyperparameter.base_key, stored)
    given = group.get(hyperparameter.base_key, stored)
    if isinstance(stored, torch.Tensor) and not stored.is_floating_point():
        raise SchedulerError(
            f"{hyperparameter} of parameter group {group_index} must be a tensor of floats, got {stored!r}."
        )
    try:
        base = to_finite_float(float(given))
    except (TypeError, ValueError, RuntimeError):  # the last is torch's
        base = None
    if base is None or base < 0:
        raise SchedulerError(
            f"{hyperparameter} of parameter group {group_index} must be a number of 0 or more, got {given!r}."
        )
    return base


def _ensure_own_tensor(
    hyperparameter: Hyperparameter, groups: list[ParamGroup], group_index: int
) -> None:
    """Gives a group a tensor of its own, if it needs one.

    Groups that take an optimizer's default hold one tensor in common, and could not have values of
    their own. A captured graph keeps a number as it was captured, one in a tensor of the CPU too,
    and reads a tensor of its device again each time, so where a group is ``capturable`` its rate
    becomes one.
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
    hyperparameters: tuple[ScheduledHyperparameter, ...],
    others: tuple[ScheduledHyperparameter, ...],
) -> bool:
    """Whether they have the same values at every step."""
    pairs = zip(hyperparameters, others, strict=False)
    return len(hyperparameters) == len(others) and all(
        first.hyperparameter == other.hyperparameter
        and first.bases == other.bases
        and first.schedules_with_state == other.schedules_with_state
        for first, other in pairs
    )
