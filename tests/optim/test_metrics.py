"""Schedules that read a metric, skipped steps, and what was used beside what is next."""

import warnings
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from lrlab import Constant, Cosine, Greedy, Linear, LRScheduler, Plateau, Schedule, Warmup
from lrlab.errors import ScheduleError, SchedulerError
from tests.optim.cases import rates_of, two_groups

LOSSES = [0.9, 0.8, 0.8, 0.85, 0.7, 0.9, 0.9, 0.9, float("nan"), 0.6, 0.6, 0.6, 0.6]

REACTIVE = [
    Plateau(0.5, patience=1),
    Warmup(4) >> Plateau(0.5, patience=0),
    Warmup(3) >> (Plateau(0.5, patience=1) * Cosine(20)),
    (Constant(0.5, over=2) >> Greedy(0.9, patience=0)).clip(0.1, 2.0),
]


@pytest.mark.parametrize("schedule", REACTIVE, ids=repr)
@pytest.mark.parametrize("together", [True, False], ids=["step(metric)", "observe(metric), step()"])
def test_a_metric_moves_the_rates_as_it_moves_the_schedule(
    schedule: Schedule, together: bool
) -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, schedule)
    states = [schedule.init_state()] * 2
    for t, loss in enumerate(LOSSES):
        made = [schedule.with_state(state) for state in states]
        assert (
            rates_of(optimizer)
            == [made[0](t, base=0.1), made[1](t, base=0.5)]
            == scheduler.next_lrs
        )
        states = [
            schedule.update_state(state, t, loss, base)
            for state, base in zip(states, (0.1, 0.5), strict=True)
        ]
        if together:
            scheduler.step(loss)
        else:
            scheduler.observe(torch.tensor(loss))
            scheduler.step()
    assert len(set(rates_of(optimizer))) == 2
    assert rates_of(optimizer) != [0.1, 0.5]


def test_after_a_warm_up_the_rest_is_torchs_plateau() -> None:
    mine, torchs = two_groups(), two_groups()
    ours = LRScheduler(mine, Warmup(3) >> Plateau(0.5, patience=1))
    for _ in range(3):
        ours.step(1.0)  # worse than all that come, and not counted
    other = theirs.ReduceLROnPlateau(torchs, factor=0.5, patience=1)
    for loss in LOSSES:
        assert rates_of(mine) == pytest.approx(rates_of(torchs), rel=1e-12)
        ours.step(loss)
        other.step(loss)
    assert rates_of(torchs) != [0.1, 0.5]


def test_a_metric_of_another_time_moves_the_rates_at_once() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, "Plateau(0.5, patience=0)")
    scheduler.observe(1.0)
    scheduler.step()
    scheduler.observe(2.0)
    assert scheduler.last_epoch == 1
    assert rates_of(optimizer) == scheduler.next_lrs == [0.05, 0.25]
    assert scheduler.used_lrs == [0.1, 0.5]


def test_other_hyperparameters_may_read_it_too() -> None:
    optimizer = two_groups(momentum=0.8)
    scheduler = LRScheduler(optimizer, Cosine(10), momentum=Plateau(0.5, patience=0))
    for loss in (1.0, 2.0):
        scheduler.step(loss)
    assert [group["momentum"] for group in optimizer.param_groups] == [0.4, 0.4]
    assert rates_of(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=0.5)]


def test_a_skipped_step_waits() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    before = scheduler.state_dict()
    scheduler.step(skipped=True)
    scheduler.step(skipped=torch.tensor(True))
    assert scheduler.state_dict() == before
    scheduler.step(skipped=False)
    assert scheduler.last_epoch == 2
    assert rates_of(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=0.5)]


def test_the_metric_of_a_skipped_step_counts() -> None:
    scheduler = LRScheduler(two_groups(), "Plateau(0.5, patience=0)")
    scheduler.step(1.0)
    scheduler.step(2.0, skipped=True)
    assert (scheduler.last_epoch, scheduler.next_lrs) == (1, [0.05, 0.25])


def test_what_was_used_and_what_is_next() -> None:
    optimizer = two_groups(momentum=0.8)
    scheduler = LRScheduler(optimizer, Cosine(100), momentum="Linear(1, 0, over=100)")
    assert scheduler.used_lrs == scheduler.next_lrs == [0.1, 0.5]
    for t in range(90):  # past the end of a table or two
        used = [(group["lr"], group["momentum"]) for group in optimizer.param_groups]
        assert scheduler.get_last_lr() == scheduler.next_lrs == [lr for lr, _ in used]
        assert scheduler.get_logs(next_step=True)["momentum/body"] == used[0][1]
        optimizer.step()
        scheduler.step()
        assert scheduler.used_lrs == [Cosine(100)(t, base=0.1), Cosine(100)(t, base=0.5)]
        assert scheduler.get_logs() == {
            "lr/body": used[0][0],
            "lr/head": used[1][0],
            "momentum/body": used[0][1],
            "momentum/head": used[1][1],
        }
    scheduler.step(epoch=7)
    assert scheduler.used_lrs == [Cosine(100)(90, base=0.1), Cosine(100)(90, base=0.5)]
    scheduler.get_last_lr()[0] = scheduler.next_lrs[0] = scheduler.used_lrs[0] = 9.0
    assert scheduler.next_lrs == rates_of(optimizer)


def test_mistakes_change_nothing() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, "Warmup(3) >> Plateau()")
    scheduler.step(1.0)
    before = repr((scheduler.state_dict(), optimizer.state_dict()))
    for wrong in ("low", [1.0, 2.0], None, True):
        with pytest.raises(ScheduleError, match="a metric must be a number"):
            scheduler.observe(wrong)
    with pytest.raises(SchedulerError, match="step\\(\\) goes to a step"):
        scheduler.step(1.0, epoch=-1)
    assert repr((scheduler.state_dict(), optimizer.state_dict())) == before
    plain = LRScheduler(two_groups(), Cosine(10))
    with pytest.raises(SchedulerError, match="only a schedule that reads metrics can observe"):
        plain.observe(0.5)
    with pytest.raises(SchedulerError, match="this schedule reads no metric"):
        plain.step(0.5)
    assert plain.last_epoch == 0


def warned(totals: dict[str, int], schedule: str, metric_at: int | None) -> list[str]:
    """What 500 steps with at most one metric warn of."""
    scheduler = LRScheduler(two_groups(), schedule, **totals)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for t in range(500):
            if t == metric_at:
                scheduler.observe(1.0)
            scheduler.step()
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize(
    ("totals", "due"),
    [
        ({"steps_per_epoch": 40}, 401),
        ({"total_steps": 300}, 151),
        ({}, None),
    ],
)
def test_a_metric_that_never_comes_is_missed(totals: dict[str, int], due: int | None) -> None:
    messages = warned(totals, "Warmup(3) >> Plateau()", metric_at=None)
    assert len(messages) == (due is not None)
    assert due is None or f"none came in {due} steps: pass it with step(metric)" in messages[0]
    # One that comes during the warm-up shows that more will come, though it counts for nothing.
    assert warned(totals, "Warmup(300) >> Plateau()", metric_at=60) == []
    assert warned(totals, "Warmup(300) >> Cosine(200)", metric_at=None) == []


def test_a_short_training_may_wait_for_its_first_metric() -> None:
    scheduler = LRScheduler(two_groups(), "Plateau()", total_steps=1)
    scheduler.step()
    scheduler = LRScheduler(two_groups(), "Plateau()", total_steps=100, steps_per_epoch=100)
    for _ in range(100):
        scheduler.step()
    scheduler.observe(1.0)
    assert scheduler.last_epoch == 100


def test_a_missing_metric_stops_nothing() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, "Plateau() * Step(1, 0.5)", total_steps=3)
    scheduler.step()
    with pytest.raises(UserWarning, match="none came in 2 steps"):
        scheduler.step()
    assert (
        (scheduler.last_epoch, scheduler.next_lrs)
        == (2, rates_of(optimizer))
        == (2, [0.025, 0.125])
    )


class LateGroup:
    """A group that an optimizer gets in mid-training."""

    def __init__(self, **own: Any) -> None:
        self.optimizer = two_groups(momentum=0.8)
        schedule = "Warmup(4) >> Cosine(20)"
        self.scheduler = LRScheduler(self.optimizer, schedule, momentum="Linear(1, 0, over=24)")
        for _ in range(6):
            self.scheduler.step()
        late = {"params": [torch.zeros(1, requires_grad=True)], **own}
        self.optimizer.add_param_group(late)


def test_a_late_group_follows_on_the_same_clock_from_the_next_step() -> None:
    late = LateGroup(lr=2.0, momentum=0.5)
    schedule = Warmup(4) >> Cosine(20)
    assert rates_of(late.optimizer) == [*late.scheduler.next_lrs, 2.0]
    late.scheduler.step()
    assert rates_of(late.optimizer) == [schedule(7, base=base) for base in (0.1, 0.5, 2.0)]
    assert late.optimizer.param_groups[2]["momentum"] == Linear(1, 0, over=24)(7, base=0.5)
    assert late.scheduler.base_lrs == [0.1, 0.5, 2.0]
    assert late.scheduler.used_lrs == [schedule(6, base=0.1), schedule(6, base=0.5), 2.0]
    assert set(late.scheduler.get_logs()) == {
        f"{what}/{name}" for what in ("lr", "momentum") for name in ("body", "head", "2")
    }


def test_a_late_group_is_saved_and_resumed() -> None:
    late = LateGroup(lr=2.0)
    state = late.scheduler.state_dict()
    again = LateGroup(lr=2.0)
    again.scheduler.load_state_dict(state)
    assert rates_of(late.optimizer)[2] == 2.0  # not yet, and saving has not changed it
    for scheduler in (late.scheduler, again.scheduler):
        scheduler.step()
    assert rates_of(again.optimizer) == rates_of(late.optimizer)


def test_a_handler_that_reads_get_lr_has_a_rate_for_a_late_group() -> None:
    late = LateGroup(lr=2.0)
    assert late.scheduler.get_lr()[2] == (Warmup(4) >> Cosine(20))(6, base=2.0)


def test_groups_that_hold_one_tensor_get_their_own() -> None:
    shared = torch.tensor(0.1, dtype=torch.float64)
    groups = [{"params": [torch.zeros(1, requires_grad=True)]} for _ in range(2)]
    optimizer = torch.optim.SGD(groups, lr=shared)
    scheduler = LRScheduler(optimizer, Cosine(10), groups={1: "Constant(0.5)"})
    for _ in range(5):
        scheduler.step()
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
    scheduler.step()
    expected = [Cosine(10)(6, base=0.1), 0.05, Cosine(10)(6, base=0.1)]
    assert [float(group["lr"]) for group in optimizer.param_groups] == expected
    assert optimizer.param_groups[0]["lr"] is shared
    assert len({id(group["lr"]) for group in optimizer.param_groups}) == 3


def test_a_group_added_by_the_scheduler_has_its_values_at_once() -> None:
    optimizer = two_groups(momentum=0.8)
    scheduler = LRScheduler(
        optimizer, "Warmup('10%') >> Cosine()", momentum="Linear(1, 0)", total_steps=50
    )
    for _ in range(7):
        scheduler.step()
    new = ({"params": [torch.zeros(1, requires_grad=True)], "lr": 2.0} for _ in range(2))
    scheduler.add_param_group(next(new))
    assert rates_of(optimizer)[2] == scheduler.next_lrs[2] == (Warmup(5) >> Cosine(45))(7, base=2.0)
    scheduler.add_param_group(next(new), {"lr": "Warmup(3).shift(7)"})
    assert rates_of(optimizer)[3] == 0.5
    scheduler.step()
    assert rates_of(optimizer)[3] == 1.0
    assert optimizer.param_groups[3]["momentum"] == Linear(1, 0, over=50)(8, base=0.8)
    assert len(scheduler.used_lrs) == len(scheduler.get_logs()) // 2 == 4
    with pytest.raises(SchedulerError, match="no hyperparameter 'beta'"):
        scheduler.add_param_group(next(new, {}), {"beta": "Constant(1.0)"})
    assert len(optimizer.param_groups) == 4


def test_an_added_group_may_schedule_what_no_other_does() -> None:
    optimizer = two_groups(weight_decay=0.2)
    scheduler = LRScheduler(optimizer, "Cosine(10)")
    scheduler.step()
    group = {"params": [torch.zeros(1, requires_grad=True)], "weight_decay": 0.4}
    scheduler.add_param_group(group, {"weight_decay": "Linear(1, 0, over=4)"})
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx(
        [0.2, 0.2, 0.3]
    )
    scheduler.step()
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx([0.2] * 3)
    assert scheduler.get_logs()["weight_decay/2"] == pytest.approx(0.3)
    bad = {"params": [torch.zeros(1, requires_grad=True)], "lr": -1.0}
    before = repr((scheduler.state_dict(), optimizer.state_dict()))
    with pytest.raises(SchedulerError, match="lr of parameter group 3 must be a number of 0"):
        scheduler.add_param_group(bad)
    assert repr((scheduler.state_dict(), optimizer.state_dict())) == before


def test_a_group_added_after_a_change_of_plan_follows_the_new_plan() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, "Linear(1, 0, over=10)")
    scheduler.step(epoch=5)
    scheduler.replan(15)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1})
    scheduler.step(epoch=9)
    assert rates_of(optimizer)[2] == rates_of(optimizer)[0] == pytest.approx(0.03)
    kept = LRScheduler(two_groups(), Cosine(100), on_mismatch="load")
    kept.load_state_dict(LRScheduler(two_groups(), Cosine(200)).state_dict())
    kept.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
    assert repr(kept) == "LRScheduler(lr: Cosine(200)) at step 0"


@pytest.mark.parametrize(
    "rates", [[0.1], [0.1, -1.0], [0.1, float("nan")], [], ["a", 1.0], [None, 1.0], 0.5]
)
def test_base_rates_that_are_none(rates: Any) -> None:
    scheduler = LRScheduler(two_groups(), Cosine(10))
    with pytest.raises(SchedulerError, match="base_lrs must be a rate of 0 or more for each of"):
        scheduler.base_lrs = rates
    assert scheduler.base_lrs == [0.1, 0.5]


def test_base_rates_changed_in_place() -> None:
    optimizer = two_groups()
    scheduler = LRScheduler(optimizer, Cosine(10))
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)]})
    scheduler.base_lrs.append(3.0)
    scheduler.step()
    assert rates_of(optimizer) == [Cosine(10)(1, base=base) for base in (0.1, 0.5, 3.0)]
    scheduler.base_lrs[0] = -1.0
    with pytest.raises(SchedulerError, match="the base value of lr must be 0 or more"):
        scheduler.step()
    assert scheduler.last_epoch == 1
    scheduler.base_lrs.clear()
    with pytest.raises(SchedulerError, match="base_lrs must have one rate for each of the 3"):
        scheduler.step()


def test_names_of_logs_are_of_one_group_each() -> None:
    optimizer = two_groups()
    for name in ("head", "7", "neck"):
        group = {"params": [torch.zeros(1, requires_grad=True)], "name": name}
        optimizer.add_param_group(group)
    logs = LRScheduler(optimizer, Cosine(10)).get_logs()
    assert list(logs) == ["lr/body", "lr/1", "lr/2", "lr/3", "lr/neck"]
