"""Schedules of hyperparameters and single groups; groups that are added or removed."""

from typing import Any

import numpy as np
import pytest
import torch

from lrlab import Absolute, Constant, Cosine, Exponential, Linear, LRScheduler, Warmup
from lrlab.dialects import torch as dialect
from lrlab.errors import ScheduleError, SchedulerError
from tests.optim.factories import make_group, make_two_groups, read_lrs
from tests.raising import raises


def record_steps(scheduler: LRScheduler, steps: int = 6) -> list[list[dict[str, Any]]]:
    """Run some steps; return the values that every group had at each of them."""
    values = []
    for _ in range(steps):
        groups = scheduler.optimizer.param_groups
        values.append([{k: v for k, v in group.items() if k != "params"} for group in groups])
        scheduler.optimizer.step()
        scheduler.step()
    return values


def test_any_hyperparameter_follows_its_own_schedule() -> None:
    optimizer = make_two_groups(torch.optim.AdamW, weight_decay=0.2, eps=1e-6)
    schedules = {
        "weight_decay": Linear(1.0, 0.0, over=4),
        "betas": (Linear(Absolute(0.95), Absolute(0.85), over=3), Constant(0.5)),
        "eps": Exponential(0.5),
    }
    values = record_steps(LRScheduler(optimizer, "Cosine(5)", **schedules))
    for t, groups in enumerate(values):
        for base, group in zip((0.1, 0.5), groups, strict=True):
            assert group["lr"] == Cosine(5)(t, base=base)
            assert group["weight_decay"] == Linear(1.0, 0.0, over=4)(t, base=0.2)
            first, second = schedules["betas"]
            assert group["betas"] == (first(t, base=0.9), second(t, base=0.999))
            assert group["eps"] == Exponential(0.5)(t, base=1e-6)


@pytest.mark.parametrize(
    ("kind", "settings", "read"),
    [
        (torch.optim.SGD, {"momentum": 0.8}, lambda group: group["momentum"]),
        (torch.optim.RMSprop, {"momentum": 0.8}, lambda group: group["momentum"]),
        (torch.optim.Adam, {"betas": (0.8, 0.9)}, lambda group: group["betas"][0]),
        (torch.optim.NAdam, {"betas": (0.8, 0.9)}, lambda group: group["betas"][0]),
    ],
)
def test_momentum_is_betas_0_in_optimizers_with_betas(kind: Any, settings: dict, read: Any) -> None:
    falling = Linear(1.0, 0.5, over=4)
    values = record_steps(
        LRScheduler(make_two_groups(kind, **settings), "Cosine(5)", momentum=falling)
    )
    assert [read(groups[1]) for groups in values] == [falling(t, base=0.8) for t in range(6)]


def test_a_pair_of_betas_may_leave_one_unchanged() -> None:
    values = record_steps(
        LRScheduler(make_two_groups(torch.optim.Adam), "Cosine(5)", betas=(None, "Step(2)"))
    )
    assert [groups[0]["betas"][0] for groups in values] == [0.9] * 6
    assert values[2][0]["betas"][1] == 0.999 * 0.1


def test_groups_by_name_and_by_index_have_their_own_schedules() -> None:
    groups = {"head": Exponential(0.9), 0: {"lr": "Step(2, 0.5)", "weight_decay": "Constant(0.5)"}}
    scheduler = LRScheduler(make_two_groups(weight_decay=0.2), Cosine(5), groups=groups)
    for t, (body, head) in enumerate(record_steps(scheduler)):
        assert (body["lr"], body["weight_decay"]) == (0.1 * 0.5 ** (t // 2), 0.1)
        assert (head["lr"], head["weight_decay"]) == (Exponential(0.9)(t, base=0.5), 0.2)


def test_a_group_follows_the_default_for_what_it_does_not_override() -> None:
    scheduler = LRScheduler(
        make_two_groups(weight_decay=0.2),
        Cosine(5),
        weight_decay=Exponential(0.5),
        groups={"head": Constant(1.0)},
    )
    for t, (body, head) in enumerate(record_steps(scheduler)):
        assert (body["lr"], head["lr"]) == (Cosine(5)(t, base=0.1), 0.5)
        assert body["weight_decay"] == head["weight_decay"] == Exponential(0.5)(t, base=0.2)


def test_durations_are_bound_everywhere() -> None:
    scheduler = LRScheduler(
        make_two_groups(momentum=0.9),
        "Warmup('1ep') >> Cosine()",
        momentum="Linear(1, 0.5, over='50%')",
        groups={1: "Linear(1, 0)"},
        total_steps=20,
        steps_per_epoch=5,
    )
    assert repr(scheduler) == (
        "LRScheduler(lr: [Warmup(5) >> Cosine(15), Linear(1.0, 0.0, over=20)], "
        "momentum: Linear(1.0, 0.5, over=10)) at step 0"
    )


def test_a_pair_of_lr_and_momentum_schedules_both() -> None:
    pair = dialect.OneCycleLR(0.5, total_steps=6)
    values = record_steps(LRScheduler(make_two_groups(momentum=0.9), pair))
    assert [groups[0]["lr"] for groups in values] == pair.lr(range(6), base=0.1).tolist()
    assert [groups[1]["momentum"] for groups in values] == pair.momentum(
        range(6), base=0.9
    ).tolist()


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"total_step": 50}, ("'total_step'", "did you mean total_steps?")),
        ({"weigth_decay": "Constant(1.0)"}, ("did you mean weight_decay?", "lr, momentum,")),
        ({"betas": "Constant(1.0)"}, ("SGD has no hyperparameter 'betas'", "lr, momentum,")),
        ({"nesterov": "Constant(1.0)"}, ("SGD has no hyperparameter 'nesterov'",)),
        ({"momentum": 0.9}, ("schedule of momentum", "0.9")),
        ({"momentum": ("Constant(1.0)", None)}, ("'momentum[0]'", "did you mean")),
        ({"weight_decay": "Constant(1.0)"}, ("weight_decay must be above 0", "Absolute")),
        ({"momentum": "Linear(2, 1, over=5)"}, ("momentum must stay below 1", "Linear(2.0, 1.0")),
        ({"groups": {"had": "Constant(1.0)"}}, ("body, head", "'had'", "did you mean head?")),
        ({"groups": {2: "Constant(1.0)"}}, ("groups", "by index, 0 to 1", "got 2")),
        ({"groups": {True: "Constant(1.0)"}}, ("groups", "got True")),
        ({"groups": ["Constant(1.0)"]}, ("groups", "['Constant(1.0)']")),
        ({"groups": {0: {"lr": None}}}, ("schedule of lr", "None")),
        ({"groups": {0: {"lrr": "Constant(1.0)"}}}, ("'lrr'", "did you mean lr?")),
        ({"on_mismatch": "save"}, ("on_mismatch must be error or keep or load", "'save'")),
        ({"last_epoch": -2}, ("last_epoch", "-2")),
        ({"last_epoch": 1.0}, ("last_epoch", "1.0")),
    ],
)
def test_mistakes_are_refused_and_change_nothing(
    arguments: dict, mentions: tuple[str, ...]
) -> None:
    optimizer = make_two_groups(momentum=0.9)
    before = repr(optimizer.state_dict())
    with raises(SchedulerError, *mentions):
        LRScheduler(optimizer, Cosine(5), **arguments)
    assert repr(optimizer.state_dict()) == before


def test_one_hyperparameter_has_one_schedule() -> None:
    pair = dialect.OneCycleLR(0.5, total_steps=6)
    with raises(SchedulerError, "momentum must have one schedule", "two"):
        LRScheduler(make_two_groups(momentum=0.9), pair, momentum="Constant(1.0)")
    with raises(SchedulerError, "schedule of momentum", "pair", ".momentum"):
        LRScheduler(make_two_groups(momentum=0.9), Cosine(5), momentum=pair)


def test_a_misspelled_schedule_gives_a_suggestion() -> None:
    with raises(ScheduleError, "did you mean Constant"):
        LRScheduler(make_two_groups(), Cosine(5), groups={"head": "Constnt(1.0)"})


@pytest.mark.parametrize("lr", [-0.1, float("nan"), torch.tensor([0.1, 0.2]), None])
def test_a_value_that_is_not_a_number_is_refused(lr: Any) -> None:
    optimizer = make_two_groups()
    optimizer.param_groups[1]["lr"] = lr
    with raises(SchedulerError, "lr of parameter group 1", lr):
        LRScheduler(optimizer, Cosine(5))


def test_a_momentum_of_1_is_refused_at_its_step() -> None:
    optimizer = make_two_groups(momentum=0.9)
    scheduler = LRScheduler(optimizer, Cosine(50), momentum="Linear(1, 1.2, over=18)")
    for _ in range(9):
        scheduler.step()
    with raises(SchedulerError, "momentum must stay below 1", "step 10", "Absolute"):
        scheduler.step()
    assert scheduler.last_epoch == 9


@pytest.mark.parametrize(("name", "index"), [("beta1", 0), ("beta2", 1)])
def test_betas_have_the_names_of_other_libraries(name: str, index: int) -> None:
    scheduler = LRScheduler(
        make_two_groups(torch.optim.Adam), "Cosine(5)", **{name: "Constant(0.5)"}
    )
    assert f"betas[{index}]: Constant(0.5)" in repr(scheduler)


def test_two_schedules_for_one_hyperparameter_are_refused() -> None:
    with raises(SchedulerError, "lr must have one schedule", "two"):
        LRScheduler(make_two_groups(), "Cosine(5)", lr="Constant(1.0)")
    with raises(SchedulerError, "parameter group 1 must have one entry", "two"):
        LRScheduler(make_two_groups(), "Cosine(5)", groups={1: "Step(2)", "head": "Step(3)"})
    with raises(SchedulerError, "schedule of lr", "[Cosine(5), Cosine(5)]", "groups={1: ...}"):
        LRScheduler(make_two_groups(), [Cosine(5), Cosine(5)])


def test_numbers_of_numpy_are_numbers() -> None:
    optimizer = make_two_groups(lr=np.float32(0.5))
    assert LRScheduler(optimizer, "Cosine(5)").next_lrs == [0.5, 0.5]
    scheduler = LRScheduler(optimizer, "Cosine(5)", last_epoch=np.int64(1))
    assert scheduler.next_lrs[0] == Cosine(5)(2, base=0.5)


def test_last_epoch_needs_the_base_lrs() -> None:
    with raises(SchedulerError, "last_epoch", 1, "initial_lr"):
        LRScheduler(make_two_groups(), "Cosine(5)", last_epoch=1)


def test_a_tensor_of_integers_is_refused() -> None:
    optimizer = make_two_groups()
    optimizer.param_groups[1]["lr"] = torch.tensor(1)
    with raises(SchedulerError, "lr of parameter group 1 must be a tensor of floats", "tensor(1)"):
        LRScheduler(optimizer, "Cosine(5)")


def test_a_removed_group_is_refused() -> None:
    scheduler = LRScheduler(make_two_groups(), "Exponential(0.5)")
    del scheduler.optimizer.param_groups[1]
    with raises(SchedulerError, "2 parameter groups", "has 1", "build a new scheduler"):
        scheduler.step()


class LateGroup:
    """An optimizer that gets a third group after six steps."""

    def __init__(self, **values: Any) -> None:
        self.optimizer = make_two_groups(momentum=0.8)
        schedule = "Warmup(4) >> Cosine(20)"
        self.scheduler = LRScheduler(self.optimizer, schedule, momentum="Linear(1, 0, over=24)")
        for _ in range(6):
            self.scheduler.step()
        self.optimizer.add_param_group(make_group(**values))


def test_a_late_group_follows_the_schedule_from_the_next_step() -> None:
    late = LateGroup(lr=2.0, momentum=0.5)
    schedule = Warmup(4) >> Cosine(20)
    assert read_lrs(late.optimizer) == [*late.scheduler.next_lrs, 2.0]
    late.scheduler.step()
    assert read_lrs(late.optimizer) == [schedule(7, base=base) for base in (0.1, 0.5, 2.0)]
    assert late.optimizer.param_groups[2]["momentum"] == Linear(1, 0, over=24)(7, base=0.5)
    assert late.scheduler.base_lrs == [0.1, 0.5, 2.0]
    assert late.scheduler.used_lrs == [schedule(6, base=0.1), schedule(6, base=0.5), 2.0]
    assert set(late.scheduler.get_logs()) == {
        f"{hyperparameter}/{name}"
        for hyperparameter in ("lr", "momentum")
        for name in ("body", "head", "2")
    }


def test_a_late_group_is_saved_and_resumed() -> None:
    late = LateGroup(lr=2.0)
    state = late.scheduler.state_dict()
    again = LateGroup(lr=2.0)
    again.scheduler.load_state_dict(state)
    assert read_lrs(late.optimizer)[2] == 2.0  # not set yet, and saving has not changed it
    for scheduler in (late.scheduler, again.scheduler):
        scheduler.step()
    assert read_lrs(again.optimizer) == read_lrs(late.optimizer)


def test_get_lr_includes_a_late_group() -> None:
    late = LateGroup(lr=2.0)
    assert late.scheduler.get_lr()[2] == (Warmup(4) >> Cosine(20))(6, base=2.0)


def test_groups_that_share_a_tensor_get_their_own() -> None:
    shared = torch.tensor(0.1, dtype=torch.float64)
    groups = [make_group() for _ in range(2)]
    optimizer = torch.optim.SGD(groups, lr=shared)
    scheduler = LRScheduler(optimizer, Cosine(10), groups={1: "Constant(0.5)"})
    for _ in range(5):
        scheduler.step()
    optimizer.add_param_group(make_group())
    scheduler.step()
    expected = [Cosine(10)(6, base=0.1), 0.05, Cosine(10)(6, base=0.1)]
    assert [float(group["lr"]) for group in optimizer.param_groups] == expected
    assert optimizer.param_groups[0]["lr"] is shared
    assert len({id(group["lr"]) for group in optimizer.param_groups}) == 3


def test_a_group_added_by_the_scheduler_has_its_values_at_once() -> None:
    optimizer = make_two_groups(momentum=0.8)
    scheduler = LRScheduler(
        optimizer, "Warmup('10%') >> Cosine()", momentum="Linear(1, 0)", total_steps=50
    )
    for _ in range(7):
        scheduler.step()
    new = (make_group(lr=2.0) for _ in range(2))
    scheduler.add_param_group(next(new))
    assert read_lrs(optimizer)[2] == scheduler.next_lrs[2] == (Warmup(5) >> Cosine(45))(7, base=2.0)
    scheduler.add_param_group(next(new), {"lr": "Warmup(3).shift(7)"})
    assert read_lrs(optimizer)[3] == 0.5
    scheduler.step()
    assert read_lrs(optimizer)[3] == 1.0
    assert optimizer.param_groups[3]["momentum"] == Linear(1, 0, over=50)(8, base=0.8)
    assert len(scheduler.used_lrs) == len(scheduler.get_logs()) // 2 == 4
    with raises(SchedulerError, "no hyperparameter 'beta'"):
        scheduler.add_param_group(next(new, {}), {"beta": "Constant(1.0)"})
    assert len(optimizer.param_groups) == 4


def test_an_added_group_may_schedule_another_hyperparameter() -> None:
    optimizer = make_two_groups(weight_decay=0.2)
    scheduler = LRScheduler(optimizer, "Cosine(10)")
    scheduler.step()
    scheduler.add_param_group(
        make_group(weight_decay=0.4), {"weight_decay": "Linear(1, 0, over=4)"}
    )
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx(
        [0.2, 0.2, 0.3]
    )
    scheduler.step()
    assert [group["weight_decay"] for group in optimizer.param_groups] == pytest.approx([0.2] * 3)
    assert scheduler.get_logs()["weight_decay/2"] == pytest.approx(0.3)
    before = repr((scheduler.state_dict(), optimizer.state_dict()))
    with raises(SchedulerError, "lr of parameter group 3", -1.0):
        scheduler.add_param_group(make_group(lr=-1.0))
    assert repr((scheduler.state_dict(), optimizer.state_dict())) == before


def test_a_group_added_after_replan_follows_the_new_schedule() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, "Linear(1, 0, over=10)")
    scheduler.step(epoch=5)
    scheduler.replan(15)
    optimizer.add_param_group(make_group(lr=0.1))
    scheduler.step(epoch=9)
    assert read_lrs(optimizer)[2] == read_lrs(optimizer)[0] == pytest.approx(0.03)
    loaded = LRScheduler(make_two_groups(), Cosine(100), on_mismatch="load")
    loaded.load_state_dict(LRScheduler(make_two_groups(), Cosine(200)).state_dict())
    loaded.add_param_group(make_group())
    assert repr(loaded) == "LRScheduler(lr: Cosine(200)) at step 0"


@pytest.mark.parametrize(
    "lrs", [[0.1], [0.1, -1.0], [0.1, float("nan")], [], ["a", 1.0], [None, 1.0], 0.5]
)
def test_wrong_base_lrs_are_refused(lrs: Any) -> None:
    scheduler = LRScheduler(make_two_groups(), Cosine(10))
    with raises(SchedulerError, "base_lrs", repr(lrs)):
        scheduler.base_lrs = lrs
    assert scheduler.base_lrs == [0.1, 0.5]


def test_base_lrs_changed_in_place() -> None:
    optimizer = make_two_groups()
    scheduler = LRScheduler(optimizer, Cosine(10))
    optimizer.add_param_group(make_group())
    scheduler.base_lrs.append(3.0)
    scheduler.step()
    assert read_lrs(optimizer) == [Cosine(10)(1, base=base) for base in (0.1, 0.5, 3.0)]
    scheduler.base_lrs[0] = -1.0
    with raises(SchedulerError, "base value of lr", -1.0):
        scheduler.step()
    assert scheduler.last_epoch == 1
    scheduler.base_lrs.clear()
    with raises(SchedulerError, "base_lrs", 3, "[]"):
        scheduler.step()


def test_names_in_logs_are_unique() -> None:
    optimizer = make_two_groups()
    for name in ("head", "7", "neck"):
        optimizer.add_param_group(make_group(name=name))
    logs = LRScheduler(optimizer, Cosine(10)).get_logs()
    assert list(logs) == ["lr/body", "lr/1", "lr/2", "lr/3", "lr/neck"]
