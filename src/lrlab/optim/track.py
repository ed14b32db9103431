"""One hyperparameter of every parameter group, and the schedules that it follows."""

from collections.abc import Iterable
from typing import Any

from lrlab.optim.hyperparameters import Hyperparameter
from lrlab.schedules import Custom, Schedule
from lrlab.schedules.reaction import MetricState

GroupValues = list[float]
"""One value for each parameter group."""


class ScheduledHyperparameter:
    """One hyperparameter of every parameter group, and the schedules that it follows.

    Args:
        hyperparameter: the hyperparameter.
        default_schedule: the schedule of groups that are added later, durations in steps.
        schedules: the schedule of each group there is.
        bases: the base value of each group.
        states: what each schedule keeps of the metrics seen; left out, none was seen yet.

    Attributes:
        schedules_with_state: what the metrics seen have made of each schedule.
        forbids_precompute: whether one of them must not be evaluated ahead of its time.
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
        # A function of the user's own may look at the world around it, and raise past its end.
        self.forbids_precompute = any(isinstance(part, Custom) for s in cache.values() for part in s.walk())

    @property
    def needs_metric(self) -> bool:
        """Whether a group follows a metric."""
        return any(schedule.needs_metric for schedule in self.schedules)

    @property
    def has_changed_state(self) -> bool:
        """Whether a metric has made a difference."""
        return self.states != [schedule.init_state() for schedule in self.schedules]

    def extend(self, schedules: list[Schedule], bases: GroupValues) -> "ScheduledHyperparameter":
        """This track with more groups, ``bases`` being those of all."""
        states = [schedule.init_state() for schedule in schedules]
        return ScheduledHyperparameter(
            self.hyperparameter, self.default_schedule, [*self.schedules, *schedules], bases, [*self.states, *states]
        )

    def compute_values(self, t: int) -> GroupValues:
        """The value of each group at step ``t``, evaluated afresh."""
        pairs = zip(self.schedules_with_state, self.bases, strict=True)
        return [schedule(t, base=base) for schedule, base in pairs]

    def update_states(self, t: int, metric: Any) -> "ScheduledHyperparameter":
        """This track after a metric was seen at step ``t``."""
        states: dict[Any, MetricState] = {}
        keys = []
        for schedule, base, state in zip(self.schedules, self.bases, self.states, strict=True):
            key = id(schedule), state, None if schedule.is_relative else base
            if key not in states:
                states[key] = schedule.update_state(state, t, metric, base)
            keys.append(key)
        after = [states[key] for key in keys]
        return ScheduledHyperparameter(self.hyperparameter, self.default_schedule, self.schedules, self.bases, after)

    def __repr__(self) -> str:
        texts = list(dict.fromkeys(map(repr, self.schedules)))
        are_equal = len(texts) == 1
        text = texts[0] if are_equal else f"[{', '.join(map(repr, self.schedules))}]"
        return f"{self.hyperparameter}: {text}"
