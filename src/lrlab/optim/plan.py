"""Which schedule each hyperparameter of each parameter group follows, as a person wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from lrlab.dialects import parse
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import SchedulerError, format_suggestion
from lrlab.optim.hyperparameters import Hyperparameter, find_hyperparameter
from lrlab.optim.track import ScheduledHyperparameter
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
        found = [hyperparameter for schedules in (self.defaults, *self.overrides.values()) for hyperparameter in schedules]
        return tuple(ScheduledHyperparameter(hyperparameter, self.defaults.get(hyperparameter, UNCHANGED)) for hyperparameter in dict.fromkeys(found))


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

    def read_schedules(self, schedules_by_name: Mapping[str, Any]) -> dict[Hyperparameter, Schedule]:
        """Schedules by hyperparameter, from schedules or texts by name."""
        found: dict[Hyperparameter, Schedule] = {}
        for name, value in schedules_by_name.items():
            for entry, schedule in self._split(str(name), value).items():
                hyperparameter = find_hyperparameter(self.optimizer, entry, SCHEDULER_ARGUMENTS)
                if hyperparameter in found:
                    raise SchedulerError(f"{hyperparameter} must have one schedule, got two.")
                found[hyperparameter] = _read_schedule(name, schedule).bind(total_steps=self.total_steps, steps_per_epoch=self.steps_per_epoch)
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
            return {f"{name}[{i}]": schedule for i, schedule in enumerate(value) if schedule is not None}
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
