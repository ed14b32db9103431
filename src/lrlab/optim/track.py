"""One hyperparameter of every parameter group, and the schedules that it follows."""

from collections.abc import Iterable
from typing import Any

from lrlab.optim.hyperparameters import Hyperparameter
from lrlab.schedules import Custom, Schedule
from lrlab.schedules.reaction import State

Row = list[float]
"""One value for each parameter group."""


class Track:
    """One hyperparameter of every parameter group, and the schedules that it follows.

    Args:
        what: the hyperparameter.
        common: the schedule of groups that are added later, durations in steps.
        schedules: the schedule of each group there is.
        bases: the base value of each group.
        states: what each schedule keeps of the metrics seen; left out, none was seen yet.

    Attributes:
        ruling: what the metrics seen have made of each schedule.
        one_by_one: whether one of them must not be evaluated ahead of its time.
    """

    def __init__(
        self,
        what: Hyperparameter,
        common: Schedule,
        schedules: Iterable[Schedule] = (),
        bases: Iterable[float] = (),
        states: Iterable[State] | None = None,
    ) -> None:
        self.what = what
        self.common = common
        self.schedules = list(schedules)
        self.bases: Row = list(bases)
        self.states = [s.initial() for s in self.schedules] if states is None else list(states)
        made: dict[Any, Schedule] = {}
        self.ruling: list[Schedule] = []
        for schedule, state in zip(self.schedules, self.states, strict=True):
            if (id(schedule), state) not in made:
                made[id(schedule), state] = schedule.given(state)
            self.ruling.append(made[id(schedule), state])
        # A function of the user's own may look at the world around it, and raise past its end.
        self.one_by_one = any(isinstance(part, Custom) for s in made.values() for part in s.walk())

    @property
    def reactive(self) -> bool:
        """Whether a group follows a metric."""
        return any(schedule.reactive for schedule in self.schedules)

    @property
    def moved(self) -> bool:
        """Whether a metric has made a difference."""
        return self.states != [schedule.initial() for schedule in self.schedules]

    def grown(self, schedules: list[Schedule], bases: Row) -> "Track":
        """This track with more groups, ``bases`` being those of all."""
        states = [schedule.initial() for schedule in schedules]
        return Track(
            self.what, self.common, [*self.schedules, *schedules], bases, [*self.states, *states]
        )

    def values(self, t: int) -> Row:
        """The value of each group at step ``t``, evaluated afresh."""
        pairs = zip(self.ruling, self.bases, strict=True)
        return [schedule(t, base=base) for schedule, base in pairs]

    def observed(self, t: int, metric: Any) -> "Track":
        """This track after a metric was seen at step ``t``."""
        states: dict[Any, State] = {}
        keys = []
        for schedule, base, state in zip(self.schedules, self.bases, self.states, strict=True):
            key = id(schedule), state, None if schedule.relative else base
            if key not in states:
                states[key] = schedule.observe(state, t, metric, base)
            keys.append(key)
        after = [states[key] for key in keys]
        return Track(self.what, self.common, self.schedules, self.bases, after)

    def __repr__(self) -> str:
        texts = list(dict.fromkeys(map(repr, self.schedules)))
        alike = len(texts) == 1
        said = texts[0] if alike else f"[{', '.join(map(repr, self.schedules))}]"
        return f"{self.what}: {said}"
