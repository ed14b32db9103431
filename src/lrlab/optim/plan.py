"""Which schedule each hyperparameter of each parameter group follows, as a person wrote it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from lrlab.dialects import parse
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import SchedulerError, did_you_mean
from lrlab.optim.hyperparameters import Group, Hyperparameter, named
from lrlab.schedules import Constant, Schedule

AS_IT_IS = Constant(1.0)

ARGUMENTS = ("total_steps", "steps_per_epoch", "groups", "on_change", "last_epoch")
"""What a hyperparameter of an unknown name may have been meant to be."""

Several = Mapping[Hyperparameter, Schedule]


@dataclass(frozen=True)
class Plan:
    """The schedules of all groups, and those of single groups that have their own.

    Args:
        common: of every group that has none of its own.
        apart: of single groups, by their name or their place in ``optimizer.param_groups``.
    """

    common: Several
    apart: Mapping[int | str, Several]

    def hyperparameters(self) -> list[Hyperparameter]:
        """All that have a schedule anywhere, the rate first."""
        found = [what for several in (self.common, *self.apart.values()) for what in several]
        return list(dict.fromkeys(found))

    def schedule(self, what: Hyperparameter, index: int, group: Group) -> Schedule:
        """What a hyperparameter of a group follows; the group's value as it is, if nothing else."""
        name = group.get("name")
        for key, several in self.apart.items():
            if key in (index, name) and what in several:
                return several[what]
        return self.common.get(what, AS_IT_IS)


def read_plan(
    optimizer: Optimizer,
    bind: Callable[[Schedule], Schedule],
    schedule: Any,
    others: Mapping[str, Any],
    groups: Mapping[Any, Any],
) -> Plan:
    """The plan that the arguments of a scheduler make.

    Args:
        optimizer: whose hyperparameters and groups they are.
        bind: turns the durations of a schedule into steps.
        schedule: of the rate, or of rate and momentum.
        others: of other hyperparameters, by name; None for none.
        groups: by name or index of a group, the schedule of its rate, or the schedules of several
            hyperparameters by name.

    Raises:
        SchedulerError: something is no schedule, or there is no such hyperparameter or group.
        ScheduleError: a text that is none, or durations that cannot be bound.
    """
    reading = _Reading(optimizer, bind)
    if not isinstance(groups, Mapping):
        raise SchedulerError(
            'groups must be schedules by group, such as {"head": "Cosine(45)", 1: "Linear(1, 0, '
            f'over=30)"}}, got {groups!r}.'
        )
    given = {name: value for name, value in others.items() if value is not None}
    common = reading.several({"lr": schedule, **given})
    apart = {
        _group(optimizer, key): reading.several(own if isinstance(own, Mapping) else {"lr": own})
        for key, own in groups.items()
    }
    return Plan(common, apart)


@dataclass(frozen=True)
class _Reading:
    optimizer: Optimizer
    bind: Callable[[Schedule], Schedule]

    def several(self, values: Mapping[str, Any]) -> dict[Hyperparameter, Schedule]:
        found: dict[Hyperparameter, Schedule] = {}
        for name, value in values.items():
            for entry, one in self._split(str(name), value).items():
                what = named(self.optimizer, entry, ARGUMENTS)
                if what in found:
                    raise SchedulerError(f"{what} must have one schedule, got two.")
                found[what] = self.bind(_schedule(name, one))
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
            return {f"{name}[{i}]": one for i, one in enumerate(value) if one is not None}
        return {name: value}


def _schedule(name: str, value: Any) -> Schedule:
    if isinstance(value, str):
        return parse(value)
    if not isinstance(value, Schedule):
        raise SchedulerError(
            f"the schedule of {name} must be a schedule such as Cosine(50), or the text of "
            f"one, got {value!r}."
        )
    return value


def _group(optimizer: Optimizer, key: Any) -> int | str:
    groups = optimizer.param_groups
    names = [group["name"] for group in groups if isinstance(group.get("name"), str)]
    if isinstance(key, str) and key in names:
        return key
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(groups):
        return key
    hint = did_you_mean(key, names) if isinstance(key, str) else ""
    raise SchedulerError(
        f"groups must name parameter groups by their place, 0 to {len(groups) - 1}, or by their "
        f'"name", {", ".join(names) or "which none has"}; got {key!r}{hint or "."}'
    )
