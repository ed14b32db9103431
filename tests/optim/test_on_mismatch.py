"""A state is loaded into a scheduler with other schedules: an error, or on_mismatch."""

import copy
import json
from typing import Any

import pytest

from lrlab import Cosine, Custom, Exponential, Linear, LRScheduler, Plateau, Schedule
from lrlab.errors import SchedulerError
from tests.optim.factories import make_optimizer, read_values, run_steps
from tests.raising import raises
from tests.schedules.definitions import DEFINITION, forget_schedule


def save_state(at: int, schedule: Any, *lrs: float, **arguments: Any) -> dict[str, Any]:
    optimizer = make_optimizer(*lrs)
    scheduler = LRScheduler(optimizer, schedule, **arguments)
    run_steps(optimizer, scheduler, scheduler.needs_metric, 0, at)
    return scheduler.state_dict()


def load(state: dict[str, Any], schedule: Any, *lrs: float, **arguments: Any) -> LRScheduler:
    scheduler = LRScheduler(make_optimizer(*lrs), schedule, **arguments)
    scheduler.load_state_dict(state)
    return scheduler


def check_follows(scheduler: LRScheduler, *groups: tuple[Schedule, float], first: int) -> None:
    """Check that the groups follow these schedules and base learning rates from step ``first``."""
    assert scheduler.last_epoch == first
    used = run_steps(scheduler.optimizer, scheduler, False, first, first + 20)
    assert [[group[0] for group in values] for values in used] == [
        [schedule(t, base=base) for schedule, base in groups] for t in range(first, first + 21)
    ]


@pytest.mark.parametrize("at", [0, 1, 100, 150])
def test_another_schedule(at: int) -> None:
    state = save_state(at, Cosine(200), 0.1)
    optimizer = make_optimizer(0.05)
    scheduler = LRScheduler(optimizer, Cosine(100))
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    with raises(SchedulerError, "lr", "Cosine(200)", "Cosine(100)", "on_mismatch"):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before
    new = load(state, Cosine(100), 0.05, on_mismatch="keep")
    check_follows(new, (Cosine(100), 0.05), first=at)
    old = load(state, Cosine(100), 0.05, on_mismatch="load")
    check_follows(old, (Cosine(200), 0.1), first=at)


def test_a_schedule_of_a_users_class_is_built_from_its_text() -> None:
    definition = {"__name__": "my_schedules"}
    exec(DEFINITION, definition)
    schedule = Linear(0, 1, over=5) >> definition["MyDecay"](0.3)
    state = json.loads(json.dumps(save_state(7, schedule, 0.1)))
    loaded = load(state, Cosine(100), 0.1, on_mismatch="load")
    check_follows(loaded, (schedule, 0.1), first=7)
    forget_schedule("MyDecay")
    with raises(SchedulerError, "MyDecay(0.3)", "unknown schedule", "`import my_schedules`"):
        load(state, Cosine(100), 0.1, on_mismatch="load")


def test_another_base_lr() -> None:
    state = save_state(7, Cosine(20), 1.0, 0.1)
    with raises(SchedulerError, "base value of lr", "group 1", "0.1", "0.05"):
        load(state, Cosine(20), 1.0, 0.05)
    new = load(state, Cosine(20), 1.0, 0.05, on_mismatch="keep")
    check_follows(new, (Cosine(20), 1.0), (Cosine(20), 0.05), first=7)
    old = load(state, Cosine(20), 1.0, 0.05, on_mismatch="load")
    check_follows(old, (Cosine(20), 1.0), (Cosine(20), 0.1), first=7)


def test_one_group_with_another_schedule() -> None:
    state = save_state(7, Cosine(20), 1.0, 0.1, groups={1: Exponential(0.9)})
    with raises(SchedulerError, "lr of parameter group 1", "Exponential(0.9)", "Cosine(20)"):
        load(state, Cosine(20), 1.0, 0.1)
    new = load(state, Cosine(20), 1.0, 0.1, on_mismatch="keep")
    check_follows(new, (Cosine(20), 1.0), (Cosine(20), 0.1), first=7)
    old = load(state, Cosine(20), 1.0, 0.1, on_mismatch="load")
    check_follows(old, (Cosine(20), 1.0), (Exponential(0.9), 0.1), first=7)


def test_a_group_that_has_not_changed_keeps_its_state() -> None:
    """Of two metric-driven groups, only the one with another schedule loses its state."""
    schedules = Plateau(0.5, patience=2), Plateau(0.5, patience=1)
    state = save_state(9, schedules[0], 1.0, 0.1, groups={1: schedules[1]})
    scheduler = load(
        state, schedules[0], 1.0, 0.1, groups={1: "Exponential(0.9)"}, on_mismatch="keep"
    )
    never_stopped = make_optimizer(1.0)
    used = run_steps(never_stopped, LRScheduler(never_stopped, schedules[0]), True, 0, 29)
    resumed = run_steps(scheduler.optimizer, scheduler, True, 9, 29)
    assert [row[0] for row in resumed] == [row[0] for row in used[9:]]
    assert [row[1][0] for row in resumed] == [Exponential(0.9)(t, base=0.1) for t in range(9, 30)]


MOMENTUM = Linear(1.0, 0.5, over=20)


def test_a_hyperparameter_that_had_a_schedule() -> None:
    state = save_state(7, Exponential(0.9), momentum=MOMENTUM)
    with raises(SchedulerError, "momentum had a schedule when saved and has none now"):
        load(state, Exponential(0.9))
    new = load(state, Exponential(0.9), on_mismatch="keep")
    assert read_values(new.optimizer)[0][:2] == (Exponential(0.9)(7, base=0.1), 0.9)
    old = load(state, Exponential(0.9), on_mismatch="load")
    for t in range(7, 27):
        assert read_values(old.optimizer)[0][:2] == (
            Exponential(0.9)(t, base=0.1),
            MOMENTUM(t, base=0.9),
        )
        old.step()


def test_a_hyperparameter_that_had_no_schedule() -> None:
    state = save_state(7, Exponential(0.9))
    momentum = "Linear(Absolute(0.5), 1, over=20)"
    with raises(SchedulerError, "momentum had no schedule when saved and has one now"):
        load(state, Exponential(0.9), momentum=momentum)
    new = load(state, Exponential(0.9), momentum=MOMENTUM, on_mismatch="keep")
    for t in range(7, 27):
        assert read_values(new.optimizer)[0][:2] == (
            Exponential(0.9)(t, base=0.1),
            MOMENTUM(t, base=0.9),
        )
        new.step()
    # The saved scheduler never changed the momentum.
    old = load(state, Exponential(0.9), momentum=momentum, on_mismatch="load")
    assert read_values(old.optimizer)[0][:2] == (Exponential(0.9)(7, base=0.1), 0.9)
    old.step()
    assert read_values(old.optimizer)[0][:2] == (Exponential(0.9)(8, base=0.1), 0.9)


class Decay:
    """A function that is an object."""

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma

    def __call__(self, t: int) -> float:
        return self.gamma**t


def test_functions_are_those_of_the_new_scheduler() -> None:
    state = save_state(7, Custom(lambda t: 0.9**t))
    again = Custom(lambda t: 0.9**t)
    # A function has no text, only a name, which differs here.
    state["hyperparameters"]["lr"]["schedules"] = [repr(again)]
    check_follows(load(state, again), (again, 0.1), first=7)
    with raises(SchedulerError, "Custom", "cannot be built from its text"):
        load(save_state(7, again), Exponential(0.9), on_mismatch="load")


def test_a_callable_object_is_recognized() -> None:
    state = save_state(7, Custom(Decay(0.9)))
    check_follows(load(state, Custom(Decay(0.9))), (Custom(Decay(0.9)), 0.1), first=7)


def test_functions_of_one_name_stay_with_their_groups() -> None:
    def make_functions() -> tuple[Custom, Custom]:
        return tuple(Custom(lambda t, gamma=gamma: gamma**t) for gamma in (0.9, 0.5))

    first, second = make_functions()
    assert repr(first) == repr(second)
    state = save_state(7, first, 1.0, 0.1, groups={1: second})
    first, second = make_functions()
    scheduler = load(state, first, 1.0, 0.1, groups={1: second})
    check_follows(scheduler, (first, 1.0), (second, 0.1), first=7)


def build_replanned(schedule: Any, **arguments: Any) -> LRScheduler:
    """Return a scheduler for 100 steps that is replanned for 200 at step 50."""
    scheduler = LRScheduler(make_optimizer(), schedule, total_steps=100, **arguments)
    scheduler.step(epoch=50)
    scheduler.replan(200)
    return scheduler


def test_after_replan() -> None:
    other = build_replanned(Cosine())
    other.step(epoch=120)
    state = other.state_dict()
    with raises(SchedulerError, "lr followed Cosine(100).until(50) >> "):
        load(state, Cosine(), total_steps=100)
    alike = build_replanned(Cosine())
    alike.load_state_dict(state)
    restored = load(state, Cosine(), total_steps=100, on_mismatch="load")
    for scheduler in (alike, restored):
        check_follows(scheduler, (other.schedule, 0.1), first=120)


def test_replan_again_after_resuming() -> None:
    other = build_replanned(Cosine())
    other.step(epoch=120)
    scheduler = load(other.state_dict(), Cosine(), total_steps=100, on_mismatch="load")
    for replanned in (other, scheduler):
        replanned.replan(300)
    check_follows(scheduler, (other.schedule, 0.1), first=120)
