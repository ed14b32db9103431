"""Each check of a schedule passes lrlab's own, and fails one that is broken just there."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from lrlab import (
    Absolute,
    Constant,
    Cosine,
    Custom,
    Linear,
    Plateau,
    Primitive,
    Schedule,
    Warmup,
    testing,
)
from lrlab.schedules.ramps import Level
from tests.schedules.strategies import planned


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(schedule=planned)
def test_schedules_of_every_kind_pass(schedule: Schedule) -> None:
    testing.check_schedule(schedule, total_steps=60, steps_per_epoch=6)


@pytest.mark.parametrize(
    "schedule",
    [
        Warmup("10%") >> Cosine(end=Absolute(1e-4)),
        Warmup(2) >> Plateau(patience=0),
        Custom(np.sqrt),
        Linear(1.0, 0.5, over="3ep") * Constant(0.5),
    ],
    ids=repr,
)
def test_schedules_that_are_read_by_themselves_pass(schedule: Schedule) -> None:
    testing.check_schedule(schedule)


@dataclass(frozen=True, repr=False)
class Mine(Primitive):
    """A shape of a user's own, as it should be."""

    level: Level = 0.5

    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level / (1 + t)


@pytest.mark.parametrize("check", testing.list_schedule_checks(Mine(0.3), total_steps=40), ids=str)
def test_a_shape_of_ones_own_passes(check: testing.Check) -> None:
    check()


@dataclass(frozen=True, repr=False)
class ByNeighbours(Mine):
    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level * (1 + t / (1 + t.max()))


@dataclass(frozen=True, repr=False)
class Remembering(Mine):
    def evaluate(self, t: Any, base: float) -> Any:
        seen = self.__dict__.setdefault("seen", [])
        seen.append(None)
        return base * self.level / len(seen) + 0 * t


@dataclass(frozen=True, repr=False)
class Negative(Mine):
    def evaluate(self, t: Any, base: float) -> Any:
        return base * (self.level - 0.01 * t)


@dataclass(frozen=True, repr=False)
class Added(Mine):
    is_relative = True

    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level + 0.01 + 0 * t

    def resolve_base(self, base: float | None) -> tuple[float, float]:
        return 1.0, 1.0 if base is None else base


class Changeable(Mine):
    """Not frozen: what a plain subclass with its own __setattr__ is."""

    __setattr__ = object.__setattr__


@dataclass(frozen=True, repr=False)
class Unequal(Mine):
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = Mine.__hash__


@dataclass(frozen=True, repr=False)
class Silent(Mine):
    def __repr__(self) -> str:
        return "Silent()"


@dataclass(frozen=True, repr=False)
class Unbound(Mine):
    def bind_to_horizon(self, horizon: Any) -> "Unbound":
        return Unbound(self.level * 0.9)


class Forgetful(Plateau):
    """A state machine whose next state is not of the last one alone."""

    calls = 0

    def update_state(self, state: Any, t: float, metric: Any, base: float | None = None) -> Any:
        type(self).calls += 1
        return super().update_state(state, t, metric + self.calls, base)


@dataclass(frozen=True, repr=False)
class Posing(Mine):
    """Says it is lrlab's, whose JSON does not know it."""


Posing.__module__ = "lrlab.schedules.posing"


BROKEN = {
    "binds to a training": Unbound(0.3),
    "gives the same bits for numbers and arrays": ByNeighbours(0.3),
    "gives the same in any order": Remembering(0.3),
    "is finite and not negative": Negative(0.3),
    "is relative where it says so": Added(0.3),
    "cannot be changed": Changeable(0.3),
    "is equal to its copy": Unequal(0.3),
    "is read back from its text": Silent(0.3),
    "is read back from JSON": Posing(0.3),
    "observes without a trace": Forgetful(),
}


def test_every_check_is_seen_to_fail() -> None:
    assert {str(check) for check in testing.list_schedule_checks(Mine())} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails(name: str) -> None:
    (check,) = [check for check in testing.list_schedule_checks(BROKEN[name]) if str(check) == name]
    with pytest.raises(AssertionError) as failed:
        check()
    assert len(str(failed.value)) > 40
    assert "; " in str(failed.value) or ": " in str(failed.value)
