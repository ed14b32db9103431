"""A state loaded into a scheduler that has changed since: an error, or what one chose."""

import copy
from typing import Any

import pytest

from lrlab import Cosine, Custom, Exponential, Linear, LRScheduler, Plateau, Schedule
from lrlab.errors import SchedulerError
from tests.optim.cases import held, optimizer_of, steps


def saved(at: int, schedule: Any, *rates: float, **words: Any) -> dict[str, Any]:
    optimizer = optimizer_of(*rates)
    scheduler = LRScheduler(optimizer, schedule, **words)
    steps(optimizer, scheduler, scheduler.needs_metric, 0, at)
    return scheduler.state_dict()


def loaded(state: dict[str, Any], schedule: Any, *rates: float, **words: Any) -> LRScheduler:
    scheduler = LRScheduler(optimizer_of(*rates), schedule, **words)
    scheduler.load_state_dict(state)
    return scheduler


def follows(scheduler: LRScheduler, *ways: tuple[Schedule, float], first: int) -> None:
    """The scheduler is at step ``first`` and its groups have these schedules and base rates."""
    assert scheduler.last_epoch == first
    used = steps(scheduler.optimizer, scheduler, False, first, first + 20)
    assert [[group[0] for group in row] for row in used] == [
        [schedule(t, base=base) for schedule, base in ways] for t in range(first, first + 21)
    ]


@pytest.mark.parametrize("at", [0, 1, 100, 150])
def test_of_another_schedule(at: int) -> None:
    state = saved(at, Cosine(200), 0.1)
    optimizer = optimizer_of(0.05)
    scheduler = LRScheduler(optimizer, Cosine(100))
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    with pytest.raises(
        SchedulerError, match=r"lr followed Cosine\(200\) when saved and follows Cosine\(100\) now"
    ):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before
    new = loaded(state, Cosine(100), 0.05, on_mismatch="keep")
    follows(new, (Cosine(100), 0.05), first=at)
    old = loaded(state, Cosine(100), 0.05, on_mismatch="load")
    follows(old, (Cosine(200), 0.1), first=at)


def test_of_another_base_rate() -> None:
    state = saved(7, Cosine(20), 1.0, 0.1)
    with pytest.raises(SchedulerError, match=r"base value of lr of .* 1 was 0.1 .* is 0.05 now"):
        loaded(state, Cosine(20), 1.0, 0.05)
    new = loaded(state, Cosine(20), 1.0, 0.05, on_mismatch="keep")
    follows(new, (Cosine(20), 1.0), (Cosine(20), 0.05), first=7)
    old = loaded(state, Cosine(20), 1.0, 0.05, on_mismatch="load")
    follows(old, (Cosine(20), 1.0), (Cosine(20), 0.1), first=7)


def test_of_one_group_with_another_schedule() -> None:
    state = saved(7, Cosine(20), 1.0, 0.1, groups={1: Exponential(0.9)})
    with pytest.raises(SchedulerError, match=r"lr of parameter group 1 followed Exponential\(0.9"):
        loaded(state, Cosine(20), 1.0, 0.1)
    new = loaded(state, Cosine(20), 1.0, 0.1, on_mismatch="keep")
    follows(new, (Cosine(20), 1.0), (Cosine(20), 0.1), first=7)
    old = loaded(state, Cosine(20), 1.0, 0.1, on_mismatch="load")
    follows(old, (Cosine(20), 1.0), (Exponential(0.9), 0.1), first=7)


def test_a_group_that_has_not_changed_keeps_what_it_saw() -> None:
    """Of what two groups have seen of the metric, the one with another schedule forgets."""
    schedules = Plateau(0.5, patience=2), Plateau(0.5, patience=1)
    state = saved(9, schedules[0], 1.0, 0.1, groups={1: schedules[1]})
    scheduler = loaded(
        state, schedules[0], 1.0, 0.1, groups={1: "Exponential(0.9)"}, on_mismatch="keep"
    )
    never_stopped = optimizer_of(1.0)
    used = steps(never_stopped, LRScheduler(never_stopped, schedules[0]), True, 0, 29)
    found = steps(scheduler.optimizer, scheduler, True, 9, 29)
    assert [row[0] for row in found] == [row[0] for row in used[9:]]
    assert [row[1][0] for row in found] == [Exponential(0.9)(t, base=0.1) for t in range(9, 30)]


MOMENTUM = Linear(1.0, 0.5, over=20)


def test_of_a_hyperparameter_that_had_a_schedule() -> None:
    state = saved(7, Exponential(0.9), momentum=MOMENTUM)
    with pytest.raises(
        SchedulerError, match="schedules momentum: the scheduler had one when saved"
    ):
        loaded(state, Exponential(0.9))
    new = loaded(state, Exponential(0.9), on_mismatch="keep")
    assert held(new.optimizer)[0][:2] == (Exponential(0.9)(7, base=0.1), 0.9)
    old = loaded(state, Exponential(0.9), on_mismatch="load")
    for t in range(7, 27):
        assert held(old.optimizer)[0][:2] == (
            Exponential(0.9)(t, base=0.1),
            MOMENTUM(t, base=0.9),
        )
        old.step()


def test_of_a_hyperparameter_that_had_none() -> None:
    state = saved(7, Exponential(0.9))
    momentum = "Linear(Absolute(0.5), 1, over=20)"
    with pytest.raises(SchedulerError, match="schedules momentum: the scheduler has one"):
        loaded(state, Exponential(0.9), momentum=momentum)
    new = loaded(state, Exponential(0.9), momentum=MOMENTUM, on_mismatch="keep")
    for t in range(7, 27):
        assert held(new.optimizer)[0][:2] == (
            Exponential(0.9)(t, base=0.1),
            MOMENTUM(t, base=0.9),
        )
        new.step()
    # As saved, nothing ever moved the momentum.
    old = loaded(state, Exponential(0.9), momentum=momentum, on_mismatch="load")
    assert held(old.optimizer)[0][:2] == (Exponential(0.9)(7, base=0.1), 0.9)
    old.step()
    assert held(old.optimizer)[0][:2] == (Exponential(0.9)(8, base=0.1), 0.9)


class Decay:
    """A function that is an object."""

    def __init__(self, gamma: float) -> None:
        self.gamma = gamma

    def __call__(self, t: int) -> float:
        return self.gamma**t


def test_functions_are_those_of_the_new_scheduler() -> None:
    state = saved(7, Custom(lambda t: 0.9**t))
    again = Custom(lambda t: 0.9**t)
    # A function has no text of its own, only a name, which is another one here.
    state["hyperparameters"]["lr"]["schedules"] = [repr(again)]
    follows(loaded(state, again), (again, 0.1), first=7)
    with pytest.raises(SchedulerError, match=r"the schedule saved, .*Custom.* cannot be built"):
        loaded(saved(7, again), Exponential(0.9), on_mismatch="load")


def test_an_object_that_is_a_function_is_known_again() -> None:
    state = saved(7, Custom(Decay(0.9)))
    follows(loaded(state, Custom(Decay(0.9))), (Custom(Decay(0.9)), 0.1), first=7)


def test_functions_of_one_name_stay_with_their_groups() -> None:
    def functions() -> tuple[Custom, Custom]:
        return tuple(Custom(lambda t, gamma=gamma: gamma**t) for gamma in (0.9, 0.5))

    first, second = functions()
    assert repr(first) == repr(second)
    state = saved(7, first, 1.0, 0.1, groups={1: second})
    first, second = functions()
    scheduler = loaded(state, first, 1.0, 0.1, groups={1: second})
    follows(scheduler, (first, 1.0), (second, 0.1), first=7)


def replanned(schedule: Any, **words: Any) -> LRScheduler:
    """A scheduler for 100 steps that are made 200 at the 50th."""
    scheduler = LRScheduler(optimizer_of(), schedule, total_steps=100, **words)
    scheduler.step(epoch=50)
    scheduler.replan(200)
    return scheduler


def test_after_a_change_of_plan() -> None:
    other = replanned(Cosine())
    other.step(epoch=120)
    state = other.state_dict()
    with pytest.raises(SchedulerError, match=r"lr followed Cosine\(100\).until\(50\) >> "):
        loaded(state, Cosine(), total_steps=100)
    alike = replanned(Cosine())
    alike.load_state_dict(state)
    saved = loaded(state, Cosine(), total_steps=100, on_mismatch="load")
    for scheduler in (alike, saved):
        follows(scheduler, (other.schedule, 0.1), first=120)


def test_a_plan_that_was_changed_can_be_changed_again_after_a_stop() -> None:
    other = replanned(Cosine())
    other.step(epoch=120)
    scheduler = loaded(other.state_dict(), Cosine(), total_steps=100, on_mismatch="load")
    for one in (other, scheduler):
        one.replan(300)
    follows(scheduler, (other.schedule, 0.1), first=120)
