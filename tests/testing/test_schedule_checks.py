"""Checks of schedules: correct ones pass, and each check finds its own mistake."""

from dataclasses import KW_ONLY, dataclass
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
from lrlab.errors import ScheduleError
from lrlab.schedules.fields import DurationOrRemaining, Level
from tests.raising import raises
from tests.schedules.definitions import forget_schedule
from tests.schedules.strategies import unbound_schedules


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(schedule=unbound_schedules)
def test_random_schedules_pass(schedule: Schedule) -> None:
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
def test_typical_schedules_pass(schedule: Schedule) -> None:
    testing.check_schedule(schedule)


@dataclass(frozen=True, repr=False)
class Correct(Primitive):
    """A correct primitive of a user."""

    level: Level = 0.5

    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level / (1 + t)


@pytest.mark.parametrize(
    "check", testing.list_schedule_checks(Correct(0.3), total_steps=40), ids=str
)
def test_a_primitive_of_a_user_passes(check: testing.Check) -> None:
    check()


@dataclass(frozen=True, repr=False)
class DependsOnOtherSteps(Correct):
    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level * (1 + t / (1 + t.max()))


@dataclass(frozen=True, repr=False)
class DependsOnCalls(Correct):
    def evaluate(self, t: Any, base: float) -> Any:
        calls = self.__dict__.setdefault("calls", [])
        calls.append(None)
        return base * self.level / len(calls) + 0 * t


@dataclass(frozen=True, repr=False)
class Negative(Correct):
    def evaluate(self, t: Any, base: float) -> Any:
        return base * (self.level - 0.01 * t)


@dataclass(frozen=True, repr=False)
class NotProportional(Correct):
    is_relative = True

    def evaluate(self, t: Any, base: float) -> Any:
        return base * self.level + 0.01 + 0 * t

    def resolve_base(self, base: float | None) -> tuple[float, float]:
        return 1.0, 1.0 if base is None else base


class Mutable(Correct):
    """Not frozen, as a subclass with another __setattr__."""

    __setattr__ = object.__setattr__


@dataclass(frozen=True, repr=False)
class ComparedByIdentity(Correct):
    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = Correct.__hash__


@dataclass(frozen=True, repr=False)
class WithoutFieldsInText(Correct):
    def __repr__(self) -> str:
        return "WithoutFieldsInText()"


@dataclass(frozen=True, repr=False)
class BoundTwice(Correct):
    def bind_to_horizon(self, horizon: Any) -> "BoundTwice":
        return BoundTwice(self.level * 0.9)


class Impure(Plateau):
    """A metric-driven schedule with state in its class."""

    calls = 0

    def update_state(self, state: Any, t: float, metric: Any, base: float | None = None) -> Any:
        type(self).calls += 1
        return super().update_state(state, t, metric + self.calls, base)


@dataclass(frozen=True, repr=False)
class Bump(Correct):
    """Up and down over a duration, as the docstring of ``Primitive`` says."""

    _: KW_ONLY
    over: DurationOrRemaining = None

    def evaluate(self, t: Any, base: float) -> Any:
        p = self.compute_progress(t)
        return base * (1 - self.level * 4 * p * (1 - p))


class NotHeld(Bump):
    """It goes on as a wave."""

    def evaluate(self, t: Any, base: float) -> Any:
        over = self.to_steps(self.over)
        return base * (1 - self.level * np.sin(np.pi * t / over) ** 2) if over else base + 0 * t


class DividesByItsDuration(Bump):
    """NaN for a duration of 0."""

    def evaluate(self, t: Any, base: float) -> Any:
        p = np.minimum(t / self.to_steps(self.over), 1)
        return base * (1 - self.level * 4 * p * (1 - p))


class WithoutExample(Correct):
    """Its example is no text of a schedule."""

    gallery_example = "WithoutExample(0.3"


forget_schedule("WithoutExample")  # the gallery of other tests cannot draw it


BROKEN = {
    "binds to a training": BoundTwice(0.3),
    "has the same bits for numbers and arrays": DependsOnOtherSteps(0.3),
    "does not depend on the order of steps": DependsOnCalls(0.3),
    "is finite and not negative": Negative(0.3),
    "holds its last value past its end": NotHeld(0.3, over=33),
    "has a rate if its duration is 0": DividesByItsDuration(0.3),
    "is relative if is_relative says so": NotProportional(0.3),
    "cannot be changed": Mutable(0.3),
    "equals its pickled copy": ComparedByIdentity(0.3),
    "parses back from its text": WithoutFieldsInText(0.3),
    "updates its state without side effects": Impure(),
    "has gallery examples that can be drawn": WithoutExample(0.3),
}


def test_every_check_has_a_schedule_that_fails_it() -> None:
    assert {str(check) for check in testing.list_schedule_checks(Correct())} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_fails_its_check(name: str) -> None:
    (check,) = [check for check in testing.list_schedule_checks(BROKEN[name]) if str(check) == name]
    with pytest.raises(AssertionError) as failed:
        check()
    assert len(str(failed.value)) > 40
    assert "; " in str(failed.value) or ": " in str(failed.value)


@pytest.mark.parametrize("schedule", [Bump(0.3), Bump(0.3, over=0), Bump(over="3ep") >> Bump()])
def test_a_primitive_with_a_duration_passes(schedule: Schedule) -> None:
    testing.check_schedule(schedule)


def test_nan_is_reported_as_nan() -> None:
    with raises(AssertionError, "finite", "it is nan"):
        testing.check_schedule(DividesByItsDuration(0.3, over=0))


def test_a_class_in_a_function_does_not_reach_worker_processes() -> None:
    class Inside(Correct):
        """Its module has no such name."""

    with raises(AssertionError, "picklable", "top of a module"):
        testing.check_schedule(Inside(0.3))


def test_a_text_is_parsed() -> None:
    testing.check_schedule("Warmup(5) >> Cosine(5)")
    with raises(ScheduleError, "schedule", 5):
        testing.check_schedule(5)
