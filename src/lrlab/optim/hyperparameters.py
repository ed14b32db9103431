"""The hyperparameters of parameter groups by name: ``lr``, ``momentum``, ``betas[0]``, ..."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import torch
from torch.optim import Optimizer

from lrlab.errors import SchedulerError, format_suggestion
from lrlab.schedules import Custom, Schedule
from lrlab.schedules.core import MetricState

ParamGroup = dict[str, Any]
"""One of ``optimizer.param_groups``."""

GroupValues = list[float]
"""One value for each parameter group."""


@dataclass(frozen=True)
class Hyperparameter:
    """One number in every parameter group: the value of a key, or one entry of a tuple.

    Args:
        key: the key in ``optimizer.param_groups[0]``.
        index: the index in a tuple, such as the 0 of ``betas[0]``; None if the value is a number.

    >>> group = {"lr": 0.1, "betas": (0.9, 0.999)}
    >>> Hyperparameter("betas", 0).write(group, 0.85)
    >>> group
    {'lr': 0.1, 'betas': (0.85, 0.999)}
    """

    key: str
    index: int | None = None

    def __str__(self) -> str:
        return self.key if self.index is None else f"{self.key}[{self.index}]"

    def read(self, group: ParamGroup) -> Any:
        """Return the group's value: a number or a tensor of one element."""
        return group[self.key] if self.index is None else group[self.key][self.index]

    def write(self, group: ParamGroup, value: float) -> None:
        """Set the group's value; a tensor is filled in place."""
        stored = self.read(group)
        if isinstance(stored, torch.Tensor):
            stored.fill_(value)  # a compiled step or a captured graph reads this tensor
        else:
            self.replace(group, value)

    def replace(self, group: ParamGroup, value: Any) -> None:
        """Replace the group's value, even if it is a tensor."""
        if self.index is None:
            group[self.key] = value
        else:
            before, after = group[self.key][: self.index], group[self.key][self.index + 1 :]
            group[self.key] = (*before, value, *after)

    @property
    def must_be_below_one(self) -> bool:
        """Whether it is the decay rate of a moving average, which must be below 1."""
        return self.key in ("momentum", "betas")

    @property
    def base_key(self) -> str:
        """The key of its base value, such as torch's ``initial_lr``."""
        return f"initial_{self}"

    def restore_base(self, group: ParamGroup) -> None:
        """Set the group to its stored base value, if there is one, and remove the stored one."""
        base = group.pop(self.base_key, None)
        if base is not None:
            self.write(group, base)


def get_group_suffixes(groups: list[ParamGroup]) -> list[str]:
    """Return a suffix of names for each group: its name or index; nothing for a single group.

    >>> get_group_suffixes([{"name": "body"}, {}, {"name": "head"}])
    ['/body', '/1', '/head']
    """
    if len(groups) == 1:
        return [""]
    names = [str(group.get("name", "")) for group in groups]
    are_unique = [names.count(name) == 1 and name and not name.isdecimal() for name in names]
    return [
        f"/{name if is_unique else i}"
        for i, (name, is_unique) in enumerate(zip(names, are_unique, strict=True))
    ]


ADAM_ALIASES = {
    "momentum": "betas[0]",
    "betas": "betas[0]",
    "beta1": "betas[0]",
    "beta2": "betas[1]",
}
"""Other names of hyperparameters, for optimizers with ``betas``."""


def find_hyperparameter(
    optimizer: Optimizer, name: str, other_names: Sequence[str] = ()
) -> Hyperparameter:
    """Find a hyperparameter of an optimizer by name.

    ``momentum``, ``betas`` and ``beta1`` are ``betas[0]`` for optimizers such as Adam.

    Args:
        optimizer: the optimizer.
        name: name of the hyperparameter.
        other_names: other names to suggest in the error.

    Raises:
        SchedulerError: the optimizer has no hyperparameter of that name.
    """
    group = optimizer.param_groups[0]
    known = {str(candidate): candidate for candidate in _iterate_hyperparameters(group)}
    found = known.get(name) or known.get(ADAM_ALIASES.get(name, ""))
    if found is None and name in group and not isinstance(group[name], bool):
        raise SchedulerError(
            f"{name} must be a number for a schedule to change it, but the optimizer has "
            f"{group[name]!r}."
        )
    if found is None:
        raise SchedulerError(
            f"{type(optimizer).__name__} has no hyperparameter {name!r}"
            f"{format_suggestion(name, [*known, *other_names]) or '.'} It has {', '.join(known)}."
        )
    return found


def _iterate_hyperparameters(group: Mapping[str, Any]) -> Iterator[Hyperparameter]:
    """Iterate over the hyperparameters of a group that are numbers."""
    for key, value in group.items():
        if key == "params" or key.startswith("initial_"):
            continue
        if isinstance(value, tuple | list):
            if value and all(map(_is_number, value)):
                yield from (Hyperparameter(key, i) for i in range(len(value)))
        elif _is_number(value):
            yield Hyperparameter(key)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | torch.Tensor) and not isinstance(value, bool)


class ScheduledHyperparameter:
    """One hyperparameter of every parameter group, and the schedules that it follows.

    Args:
        hyperparameter: the hyperparameter.
        default_schedule: the schedule of groups that are added later, durations in steps.
        schedules: the schedule of each group.
        bases: the base value of each group.
        states: the state of each schedule after the metrics seen; their initial states by default.

    Attributes:
        schedules_with_state: ``schedule.with_state(state)`` for each schedule.
        forbids_precompute: whether a schedule must not be evaluated ahead of its time.
    """

    def __init__(
        self,
        hyperparameter: Hyperparameter,
        default_schedule: Schedule,
        schedules: Iterable[Schedule] = (),
        bases: Iterable[float] = (),
        states: Iterable[MetricState] | None = None,
    ) -> None:
        self.hyperparameter = hyperparameter
        self.default_schedule = default_schedule
        self.schedules = list(schedules)
        self.bases: GroupValues = list(bases)
        self.states = [s.init_state() for s in self.schedules] if states is None else list(states)
        cache: dict[Any, Schedule] = {}
        self.schedules_with_state: list[Schedule] = []
        for schedule, state in zip(self.schedules, self.states, strict=True):
            if (id(schedule), state) not in cache:
                cache[id(schedule), state] = schedule.with_state(state)
            self.schedules_with_state.append(cache[id(schedule), state])
        # A user's function may depend on more than the step, and raise past its end.
        self.forbids_precompute = any(
            isinstance(part, Custom) for s in cache.values() for part in s.walk()
        )

    @property
    def needs_metric(self) -> bool:
        """Whether a schedule is metric-driven."""
        return any(schedule.needs_metric for schedule in self.schedules)

    @property
    def has_changed_state(self) -> bool:
        """Whether a metric has changed any state."""
        return self.states != [schedule.init_state() for schedule in self.schedules]

    def extend(self, schedules: list[Schedule], bases: GroupValues) -> "ScheduledHyperparameter":
        """Return a copy with more groups; ``bases`` are those of all groups."""
        new_states = [schedule.init_state() for schedule in schedules]
        return ScheduledHyperparameter(
            self.hyperparameter,
            self.default_schedule,
            [*self.schedules, *schedules],
            bases,
            [*self.states, *new_states],
        )

    def compute_values(self, t: int) -> GroupValues:
        """Evaluate the value of each group at step ``t``."""
        pairs = zip(self.schedules_with_state, self.bases, strict=True)
        return [schedule(t, base=base) for schedule, base in pairs]

    def update_states(self, t: int, metric: Any) -> "ScheduledHyperparameter":
        """Return a copy with the states after a metric at step ``t``."""
        states: dict[Any, MetricState] = {}
        keys = []
        for schedule, base, state in zip(self.schedules, self.bases, self.states, strict=True):
            key = id(schedule), state, None if schedule.is_relative else base
            if key not in states:
                states[key] = schedule.update_state(state, t, metric, base)
            keys.append(key)
        new_states = [states[key] for key in keys]
        return ScheduledHyperparameter(
            self.hyperparameter, self.default_schedule, self.schedules, self.bases, new_states
        )

    def __repr__(self) -> str:
        texts = list(dict.fromkeys(map(repr, self.schedules)))
        text = texts[0] if len(texts) == 1 else f"[{', '.join(map(repr, self.schedules))}]"
        return f"{self.hyperparameter}: {text}"
