"""Which schedule each hyperparameter of each parameter group follows, as a person wrote it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch.optim import Optimizer

from lrlab.dialects import parse
from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import SchedulerError, did_you_mean
from lrlab.optim.hyperparameters import Hyperparameter, named
from lrlab.optim.track import Track
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
        apart: of single groups, by their place in ``optimizer.param_groups``.
    """

    common: Several
    apart: Mapping[int, Several]

    def tracks(self) -> tuple[Track, ...]:
        """The track of each hyperparameter with a schedule anywhere, the rate's first; of no group
        so far.
        """
        found = [what for several in (self.common, *self.apart.values()) for what in several]
        return tuple(Track(what, self.common.get(what, AS_IT_IS)) for what in dict.fromkeys(found))


def read_plan(
    reading: "Reading",
    schedule: Any,
    others: Mapping[str, Any],
    groups: Mapping[Any, Any],
) -> Plan:
    """The plan that the arguments of a scheduler make.

    Args:
        reading: how they are read.
        schedule: of the rate, or of rate and momentum.
        others: of other hyperparameters, by name; None for none.
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
    given = {name: value for name, value in others.items() if value is not None}
    if "lr" in given:
        raise SchedulerError("lr must have one schedule, got two.")
    common = reading.several({"lr": schedule, **given})
    apart: dict[int, Several] = {}
    for key, own in groups.items():
        place = _place(reading.optimizer, key)
        if place in apart:
            raise SchedulerError(f"parameter group {place} must have one entry, got two.")
        apart[place] = reading.of_group(own)
    return Plan(common, apart)


@dataclass(frozen=True)
class Reading:
    """How schedules are read that a person wrote for hyperparameters of an optimizer.

    Args:
        optimizer: whose hyperparameters they are.
        total, epoch: steps of the training and of an epoch, which turn durations into steps.
    """

    optimizer: Optimizer
    total: float | None
    epoch: float | None

    def of_group(self, own: Any) -> Several:
        """The schedules of a group: of several hyperparameters by name, or that of the rate."""
        return self.several(own if isinstance(own, Mapping) else {"lr": own})

    def several(self, values: Mapping[str, Any]) -> dict[Hyperparameter, Schedule]:
        """Schedules by hyperparameter, from schedules or texts by name."""
        found: dict[Hyperparameter, Schedule] = {}
        for name, value in values.items():
            for entry, one in self._split(str(name), value).items():
                what = named(self.optimizer, entry, ARGUMENTS)
                if what in found:
                    raise SchedulerError(f"{what} must have one schedule, got two.")
                found[what] = _schedule(name, one).bind(total=self.total, epoch=self.epoch)
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


def _place(optimizer: Optimizer, key: Any) -> int:
    groups = optimizer.param_groups
    places = {group["name"]: i for i, group in enumerate(groups) if "name" in group}
    names = [name for name in places if isinstance(name, str)]
    if isinstance(key, str) and key in names:
        return places[key]
    if isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(groups):
        return key
    hint = did_you_mean(key, names) if isinstance(key, str) else ""
    raise SchedulerError(
        f"groups must name parameter groups by their place, 0 to {len(groups) - 1}, or by their "
        f'"name", {", ".join(names) or "which none has"}; got {key!r}{hint or "."}'
    )
