"""Which hyperparameters of which groups follow which schedules, as a person writes it."""

from typing import Any

import numpy as np
import pytest
import torch

from lrlab import Absolute, Constant, Cosine, Exponential, Linear, LRScheduler
from lrlab.dialects import torch as dialect
from lrlab.errors import ScheduleError, SchedulerError
from tests.optim.cases import two_groups


def stepped(scheduler: LRScheduler, steps: int = 6) -> list[list[dict[str, Any]]]:
    """What every group held at each step, but for its parameters."""
    held = []
    for _ in range(steps):
        groups = scheduler.optimizer.param_groups
        held.append([{k: v for k, v in group.items() if k != "params"} for group in groups])
        scheduler.optimizer.step()
        scheduler.step()
    return held


def test_any_hyperparameter_follows_its_own_schedule() -> None:
    optimizer = two_groups(torch.optim.AdamW, weight_decay=0.2, eps=1e-6)
    schedules = {
        "weight_decay": Linear(1.0, 0.0, over=4),
        "betas": (Linear(Absolute(0.95), Absolute(0.85), over=3), Constant(0.5)),
        "eps": Exponential(0.5),
    }
    held = stepped(LRScheduler(optimizer, "Cosine(5)", **schedules))
    for t, groups in enumerate(held):
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
def test_momentum_is_what_the_optimizer_has_of_it(kind: Any, settings: dict, read: Any) -> None:
    falling = Linear(1.0, 0.5, over=4)
    held = stepped(LRScheduler(two_groups(kind, **settings), "Cosine(5)", momentum=falling))
    assert [read(groups[1]) for groups in held] == [falling(t, base=0.8) for t in range(6)]


def test_a_pair_may_leave_one_as_it_is() -> None:
    held = stepped(LRScheduler(two_groups(torch.optim.Adam), "Cosine(5)", betas=(None, "Step(2)")))
    assert [groups[0]["betas"][0] for groups in held] == [0.9] * 6
    assert held[2][0]["betas"][1] == 0.999 * 0.1


def test_groups_by_name_and_by_place_have_their_own() -> None:
    groups = {"head": Exponential(0.9), 0: {"lr": "Step(2, 0.5)", "weight_decay": "Constant(0.5)"}}
    scheduler = LRScheduler(two_groups(weight_decay=0.2), Cosine(5), groups=groups)
    for t, (body, head) in enumerate(stepped(scheduler)):
        assert (body["lr"], body["weight_decay"]) == (0.1 * 0.5 ** (t // 2), 0.1)
        assert (head["lr"], head["weight_decay"]) == (Exponential(0.9)(t, base=0.5), 0.2)


def test_a_group_has_its_own_and_the_rest_of_what_is_for_all() -> None:
    scheduler = LRScheduler(
        two_groups(weight_decay=0.2),
        Cosine(5),
        weight_decay=Exponential(0.5),
        groups={"head": Constant(1.0)},
    )
    for t, (body, head) in enumerate(stepped(scheduler)):
        assert (body["lr"], head["lr"]) == (Cosine(5)(t, base=0.1), 0.5)
        assert body["weight_decay"] == head["weight_decay"] == Exponential(0.5)(t, base=0.2)


def test_units_are_bound_by_the_totals_everywhere() -> None:
    scheduler = LRScheduler(
        two_groups(momentum=0.9),
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


def test_what_a_library_schedules_together_is_taken_together() -> None:
    both = dialect.OneCycleLR(0.5, total_steps=6)
    held = stepped(LRScheduler(two_groups(momentum=0.9), both))
    assert [groups[0]["lr"] for groups in held] == both.lr(range(6), base=0.1).tolist()
    assert [groups[1]["momentum"] for groups in held] == both.momentum(range(6), base=0.9).tolist()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"total_step": 50}, "no hyperparameter 'total_step'; did you mean total_steps?"),
        ({"weigth_decay": "Constant(1.0)"}, "did you mean weight_decay? It has lr, momentum,"),
        ({"betas": "Constant(1.0)"}, "SGD has no hyperparameter 'betas'. It has lr,"),
        ({"nesterov": "Constant(1.0)"}, "SGD has no hyperparameter 'nesterov'"),
        ({"momentum": 0.9}, "the schedule of momentum must be a schedule such as"),
        ({"momentum": ("Constant(1.0)", None)}, "no hyperparameter 'momentum[0]'; did you mean"),
        ({"weight_decay": "Constant(1.0)"}, "weight_decay must be above 0 to be scheduled by"),
        ({"momentum": "Linear(2, 1, over=5)"}, "momentum must stay below 1, but Linear(2.0, 1.0"),
        ({"groups": {"had": "Constant(1.0)"}}, "body, head; got 'had'; did you mean head?"),
        ({"groups": {2: "Constant(1.0)"}}, "by their place, 0 to 1, or by their"),
        ({"groups": {True: "Constant(1.0)"}}, "got True"),
        ({"groups": ["Constant(1.0)"]}, "groups must be schedules by group"),
        ({"groups": {0: {"lr": None}}}, "the schedule of lr must be a schedule"),
        ({"groups": {0: {"lrr": "Constant(1.0)"}}}, "no hyperparameter 'lrr'; did you mean lr?"),
        ({"on_mismatch": "keep"}, "on_mismatch must be error or keep or load, got 'keep'"),
        ({"last_epoch": -2}, "last_epoch must be the last step done, or -1 for none, got -2"),
        ({"last_epoch": 1.0}, "last_epoch must be the last step done"),
    ],
)
def test_mistakes_are_refused_in_one_sentence(arguments: dict, said: str) -> None:
    optimizer = two_groups(momentum=0.9)
    before = repr(optimizer.state_dict())
    with pytest.raises(SchedulerError) as caught:
        LRScheduler(optimizer, Cosine(5), **arguments)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert repr(optimizer.state_dict()) == before


def test_one_hyperparameter_has_one_schedule() -> None:
    both = dialect.OneCycleLR(0.5, total_steps=6)
    with pytest.raises(SchedulerError, match="momentum must have one schedule, got two"):
        LRScheduler(two_groups(momentum=0.9), both, momentum="Constant(1.0)")
    with pytest.raises(SchedulerError, match=r"one schedule, got those of rate and momentum"):
        LRScheduler(two_groups(momentum=0.9), Cosine(5), momentum=both)


def test_a_text_that_is_none_shows_the_place() -> None:
    with pytest.raises(ScheduleError, match="did you mean Constant"):
        LRScheduler(two_groups(), Cosine(5), groups={"head": "Constnt(1.0)"})


@pytest.mark.parametrize("rate", [-0.1, float("nan"), torch.tensor([0.1, 0.2]), None])
def test_a_rate_that_is_none_is_refused(rate: Any) -> None:
    optimizer = two_groups()
    optimizer.param_groups[1]["lr"] = rate
    with pytest.raises(SchedulerError, match="lr of parameter group 1 must be a number of 0"):
        LRScheduler(optimizer, Cosine(5))


def test_a_value_too_high_ahead_is_refused_where_it_comes() -> None:
    optimizer = two_groups(momentum=0.9)
    scheduler = LRScheduler(optimizer, Cosine(50), momentum="Linear(1, 1.2, over=18)")
    for _ in range(9):
        scheduler.step()
    with pytest.raises(SchedulerError, match=r"must stay below 1, but .* at step 10; levels"):
        scheduler.step()
    assert scheduler.last_epoch == 9


@pytest.mark.parametrize(("name", "index"), [("beta1", 0), ("beta2", 1)])
def test_betas_have_the_names_of_other_libraries(name: str, index: int) -> None:
    scheduler = LRScheduler(two_groups(torch.optim.Adam), "Cosine(5)", **{name: "Constant(0.5)"})
    assert f"betas[{index}]: Constant(0.5)" in repr(scheduler)


def test_what_is_there_twice_is_refused() -> None:
    with pytest.raises(SchedulerError, match="lr must have one schedule, got two"):
        LRScheduler(two_groups(), "Cosine(5)", lr="Constant(1.0)")
    with pytest.raises(SchedulerError, match="parameter group 1 must have one entry, got two"):
        LRScheduler(two_groups(), "Cosine(5)", groups={1: "Step(2)", "head": "Step(3)"})
    with pytest.raises(SchedulerError, match=r"must be one for all .* groups=\{1: ...\} has those"):
        LRScheduler(two_groups(), [Cosine(5), Cosine(5)])


def test_numpys_numbers_are_numbers() -> None:
    optimizer = two_groups(lr=np.float32(0.5))
    assert LRScheduler(optimizer, "Cosine(5)").next_lrs == [0.5, 0.5]
    scheduler = LRScheduler(optimizer, "Cosine(5)", last_epoch=np.int64(1))
    assert scheduler.next_lrs[0] == Cosine(5)(2, base=0.5)


def test_to_go_on_needs_the_base_rates() -> None:
    with pytest.raises(SchedulerError, match="last_epoch must be -1, got 1, for an optimizer that"):
        LRScheduler(two_groups(), "Cosine(5)", last_epoch=1)


def test_a_rate_of_whole_numbers_cannot_be_filled() -> None:
    optimizer = two_groups()
    optimizer.param_groups[1]["lr"] = torch.tensor(1)
    with pytest.raises(SchedulerError, match="must be a tensor of floats"):
        LRScheduler(optimizer, "Cosine(5)")


def test_a_group_that_is_gone() -> None:
    scheduler = LRScheduler(two_groups(), "Exponential(0.5)")
    del scheduler.optimizer.param_groups[1]
    with pytest.raises(SchedulerError, match="of 2 it has 1: build a new scheduler"):
        scheduler.step()
