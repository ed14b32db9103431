"""The scheduler in plain loops, with corrupted states, and in place of torch's own."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.optim import lr_scheduler as torch_schedulers

import lrlab
from lrlab import Absolute, Constant, Cosine, Exponential, Linear, LRScheduler, Schedule, Warmup
from lrlab.errors import ScheduleError, SchedulerError
from lrlab.problems import load_problem
from tests.optim.factories import make_group, make_optimizer, make_two_groups, read_lrs
from tests.raising import raises

SCHEDULES = [
    Linear(1.0, 0.5, over=30),
    Warmup(5) >> Cosine(10, end=Absolute(0.001)),
    Constant(0.5, over=4) >> Exponential(0.9),
    lrlab.Formula("1 / (1 + 0.01*t)"),
    lrlab.Custom(lambda t: 0.95**t),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_every_step_sets_the_schedules_values(schedule: Schedule) -> None:
    optimizer = make_optimizer(0.1, 1.0)
    scheduler = LRScheduler(optimizer, schedule)
    for t in range(40):
        expected = [schedule(t, base=0.1), schedule(t, base=1.0)]
        assert read_lrs(optimizer) == expected == scheduler.get_last_lr() == scheduler.get_lr()
        assert scheduler.last_epoch == t
        optimizer.step()
        scheduler.step()


def make_data() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.randn(245, 34, dtype=torch.float64)
    return x, (x[:, :1] + 0.5 * torch.randn(245, 1, dtype=torch.float64) > 0).double()


def load_tutorial_data() -> tuple[torch.Tensor, torch.Tensor]:
    split = load_problem("ionosphere").split(0)
    return split.x_train.double(), split.y_train.double()


def run_tutorial_program(
    x: torch.Tensor,
    y: torch.Tensor,
    build_scheduler: Callable[[torch.optim.Optimizer], Any] | None,
) -> list[torch.Tensor]:
    """Run the tutorial's program in float64; return the final weights."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(34, 34), nn.ReLU(), nn.Linear(34, 1), nn.Sigmoid()).double()

    n_epochs = 50
    batch_size = 24
    batch_start = torch.arange(0, len(x), batch_size)
    loss_fn = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = build_scheduler(optimizer) if build_scheduler else None
    model.train()
    for _ in range(n_epochs):
        for start in batch_start:
            y_pred = model(x[start : start + batch_size])
            loss = loss_fn(y_pred, y[start : start + batch_size])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if scheduler:
            scheduler.step()
    return [weight.detach() for weight in model.parameters()]


@pytest.mark.parametrize(
    ("ours", "build_torch_scheduler"),
    [
        (Constant(1.0), None),
        (
            Linear(1.0, 0.5, over=30),
            lambda o: torch_schedulers.LinearLR(
                o, start_factor=1.0, end_factor=0.5, total_iters=30
            ),
        ),
        (Exponential(0.99), lambda o: torch_schedulers.ExponentialLR(o, gamma=0.99)),
        (
            lrlab.InverseTime(0.01),
            lambda o: torch_schedulers.LambdaLR(o, lambda epoch: 1 / (1 + 0.01 * epoch)),
        ),
    ],
    ids=["program 1", "program 2", "exponential", "inverse time"],
)
@pytest.mark.parametrize("data", ["random", "the tutorial's"])
def test_the_tutorials_programs_end_with_torchs_weights(
    ours: Schedule, build_torch_scheduler: Any, data: str, request: pytest.FixtureRequest
) -> None:
    if data == "the tutorial's":
        request.getfixturevalue("ionosphere_folder")
    x, y = make_data() if data == "random" else load_tutorial_data()
    weights = run_tutorial_program(x, y, lambda optimizer: lrlab.LRScheduler(optimizer, ours))
    expected_weights = run_tutorial_program(x, y, build_torch_scheduler)
    for weight, expected in zip(weights, expected_weights, strict=True):
        assert_allclose(weight, expected, rtol=1e-12)


def save_states(steps: int, schedule: Schedule, *lrs: float) -> tuple[dict, dict]:
    """Return the states of optimizer and scheduler after some steps."""
    optimizer = make_optimizer(*lrs)
    scheduler = LRScheduler(optimizer, schedule)
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
    return copy.deepcopy(optimizer.state_dict()), scheduler.state_dict()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bases": [0.1]}, "the state dict is corrupted"),
        ({"bases": [0.1, float("nan")]}, "the state dict is corrupted"),
        ({"bases": [0.1, "0.1"]}, "the state dict is corrupted"),
        ({"schedules": ["Cosine(10)", 3]}, "the state dict is corrupted"),
        ({"used_values": ...}, "the state dict is corrupted"),
        ({"states": [(), (1.0,)]}, "the state dict cannot be loaded"),
        ({"last_epoch": -2}, "the state dict is corrupted"),
        ({"last_epoch": None}, "the state dict is corrupted"),
        ({"_step_count": 1.5}, "the state dict is corrupted"),
        ({"hyperparameters": {}}, "the state dict is corrupted"),
        ({"hyperparameters": ..., "_step_count": ...}, "lacks _step_count, hyperparameters"),
        ({"last_epoch": ..., "_step_count": ...}, "lacks _step_count, last_epoch"),
    ],
)
def test_a_corrupted_state_is_refused_and_changes_nothing(changes: dict, message: str) -> None:
    optimizer = make_optimizer(0.1, 0.2)
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    _, state = save_states(3, Cosine(10), 0.1, 0.2)
    for key, value in changes.items():
        entry = state if key in state else state["hyperparameters"]["lr"]
        assert key in entry
        if value is ...:
            del entry[key]
        else:
            entry[key] = value
    with raises(SchedulerError, message):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before


def test_a_state_of_another_number_of_groups_is_refused() -> None:
    _, state = save_states(3, Cosine(10), 0.1)
    with raises(SchedulerError, "has 1 parameter groups", "optimizer has 2"):
        LRScheduler(make_optimizer(0.1, 0.2), Cosine(10)).load_state_dict(state)


def test_a_state_of_torchs_own_scheduler_is_refused() -> None:
    state = torch_schedulers.StepLR(make_optimizer(), 3).state_dict()
    with raises(SchedulerError, "one of torch's", 'step(epoch=state["last_epoch"])'):
        LRScheduler(make_optimizer(), Cosine(10)).load_state_dict(state)


def test_a_step_that_fails_changes_nothing() -> None:
    optimizer = make_optimizer()
    scheduler = LRScheduler(optimizer, lrlab.Formula("1.5 - t"))
    scheduler.step()
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    with raises(ScheduleError, "1.5 - t", "t = 2"):
        scheduler.step()
    for wrong in (-3, 0.87, float("nan"), "1", True):
        with raises(SchedulerError, "step()", repr(wrong), "reads no metric"):
            scheduler.step(wrong)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before
    fresh = make_optimizer()
    with pytest.raises(ScheduleError):
        LRScheduler(fresh, lrlab.Formula("-1"))
    assert fresh.state_dict() == make_optimizer().state_dict()


def test_steps_are_counted_as_torch_counts_them() -> None:
    ours = LRScheduler(make_optimizer(), Cosine(10))
    theirs = torch_schedulers.StepLR(make_optimizer(), 3)
    for _ in range(3):
        assert (ours.last_epoch, ours._step_count) == (theirs.last_epoch, theirs._step_count)
        for scheduler in (ours, theirs):
            scheduler.optimizer.step()
            scheduler.step()
    assert ours.state_dict()["_step_count"] == 4


def test_a_group_added_later_has_its_own_base_lr() -> None:
    optimizer = make_optimizer(0.1)
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    optimizer.add_param_group(make_group(lr=1.0))
    scheduler.step()
    assert read_lrs(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=1.0)]


def test_it_can_be_a_child_of_torchs_sequence() -> None:
    optimizer = make_optimizer()
    children = [LRScheduler(optimizer, Warmup(4)), LRScheduler(optimizer, Cosine(6))]
    scheduler = torch_schedulers.SequentialLR(optimizer, children, milestones=[4])
    expected = Warmup(4) >> Cosine(6)
    for t in range(12):
        assert read_lrs(optimizer) == [expected(t, base=0.1)]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("stop", range(9))
def test_torchs_sequence_resumes_with_children_of_lrlab(stop: int) -> None:
    def build_sequence(optimizer: torch.optim.Optimizer) -> torch_schedulers.SequentialLR:
        children = [LRScheduler(optimizer, Warmup(4)), LRScheduler(optimizer, Cosine(6))]
        return torch_schedulers.SequentialLR(optimizer, children, milestones=[4])

    optimizer = make_optimizer()
    scheduler = build_sequence(optimizer)
    for _ in range(stop):
        optimizer.step()
        scheduler.step()
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    for order in ("s", "so", "os"):
        optimizer = make_optimizer()
        scheduler = build_sequence(optimizer)
        for key in order:
            target = scheduler if key == "s" else optimizer
            target.load_state_dict(copy.deepcopy(states[key == "s"]))
        for t in range(stop, stop + 7):
            assert read_lrs(optimizer) == [(Warmup(4) >> Cosine(6))(t, base=0.1)]
            optimizer.step()
            scheduler.step()


def test_it_has_the_attributes_of_torchs_schedulers() -> None:
    our_optimizer, torch_optimizer = make_optimizer(), make_optimizer()
    ours = LRScheduler(our_optimizer, Cosine(10))
    theirs = torch_schedulers.StepLR(torch_optimizer, 3)
    only_of_step_lr = {"gamma", "step_size", "_get_closed_form_lr"}
    assert {name for name in dir(theirs) if not hasattr(ours, name)} == only_of_step_lr
    for scheduler in (ours, theirs):
        scheduler.optimizer.step()
        scheduler.step()
    assert ours._last_lr == ours.get_last_lr() == read_lrs(our_optimizer)
    sequences = [
        torch_schedulers.SequentialLR(
            our_optimizer, [ours, LRScheduler(our_optimizer, Cosine(9))], milestones=[2]
        ),
        torch_schedulers.SequentialLR(
            torch_optimizer, [theirs, torch_schedulers.StepLR(torch_optimizer, 2)], milestones=[2]
        ),
    ]
    for _ in range(4):
        counts = [[child._step_count for child in sequence._schedulers] for sequence in sequences]
        assert counts[0] == counts[1]
        for scheduler in sequences:
            scheduler.optimizer.step()
            scheduler.step()


def test_a_metric_given_by_name_is_not_taken_as_an_epoch() -> None:
    scheduler = LRScheduler(make_optimizer(), Cosine(10))
    with raises(SchedulerError, "reads a metric", 3):
        scheduler.step(metrics=3)
    assert scheduler.last_epoch == 0


def test_a_state_loaded_into_the_optimizer_leaves_the_values_right() -> None:
    before = make_optimizer(0.1, 1.0)
    LRScheduler(before, Constant(0.5))
    optimizer = make_optimizer(0.3, 2.0)
    scheduler = LRScheduler(optimizer, Cosine(10), weight_decay="Constant(Absolute(0.25))")
    scheduler.step()
    copies = copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))
    for other in (scheduler, *copies):
        other.optimizer.load_state_dict(before.state_dict())
        expected = [Cosine(10)(1, base=base) for base in (0.3, 2.0)]
        assert read_lrs(other.optimizer) == other.next_lrs == expected
        groups = other.optimizer.param_groups
        assert [(g["initial_lr"], g["weight_decay"]) for g in groups] == [(0.3, 0.25), (2.0, 0.25)]


@pytest.mark.parametrize("order", ["owp", "wop", "pwo", "pow", "wpo", "opw"])
def test_values_that_another_scheduler_set_are_kept(order: str) -> None:
    def build() -> dict[str, Any]:
        optimizer = make_optimizer()
        warm = LRScheduler(optimizer, Warmup(3))
        plateau = torch_schedulers.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
        return {"o": optimizer, "w": warm, "p": plateau}

    first = build()
    for _ in range(3):
        first["w"].step()
    for _ in range(3):
        first["p"].step(1.0)
    assert read_lrs(first["o"]) == pytest.approx([0.001])
    states = copy.deepcopy({name: part.state_dict() for name, part in first.items()})
    again = build()
    for name in order:
        again[name].load_state_dict(copy.deepcopy(states[name]))
    assert read_lrs(again["o"]) == read_lrs(first["o"])
    first["o"].load_state_dict(copy.deepcopy(states["o"]))  # for instance back to the best one
    assert read_lrs(first["o"]) == read_lrs(again["o"])


def test_deleted_or_outdated_schedulers_ignore_loads() -> None:
    optimizer = make_optimizer(0.1, 0.2)
    old = LRScheduler(optimizer, Cosine(10))
    optimizer.param_groups.pop()
    new = LRScheduler(optimizer, Exponential(0.5))
    new.step()
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert read_lrs(optimizer) == [0.05]
    hooks = optimizer._optimizer_load_state_dict_post_hooks
    assert len(hooks) == 2
    del old
    assert len(hooks) == 1


def test_loads_into_a_wrapped_optimizer_count() -> None:
    from accelerate import Accelerator

    before = make_optimizer(0.1).state_dict()
    inner = make_optimizer(0.5)
    optimizer = Accelerator(cpu=True).prepare(inner)
    scheduler = LRScheduler(optimizer, Constant(1.0))
    optimizer.load_state_dict(before)
    assert read_lrs(inner) == scheduler.next_lrs == [0.5]


def test_a_metric_and_an_epoch_together_are_refused() -> None:
    for schedule, arguments in ((lrlab.Plateau(), {"metrics": 2.0}), (Cosine(10), {"epoch": 3})):
        with raises(SchedulerError, "step()", 1, *arguments.values()):
            LRScheduler(make_optimizer(), schedule).step(1, **arguments)


def test_tensors_that_a_loaded_state_shares_are_separated() -> None:
    shared = torch.tensor(0.1, dtype=torch.float64)
    before = make_optimizer(shared, shared)
    optimizer = make_optimizer(torch.tensor(0.1, dtype=torch.float64), 0.1)
    scheduler = LRScheduler(optimizer, Cosine(10), groups={1: "Constant(0.5)"})
    optimizer.load_state_dict(before.state_dict())
    scheduler.step()
    assert read_lrs(optimizer) == [Cosine(10)(1, base=0.1), 0.05]


def test_it_is_an_lr_scheduler_and_can_be_copied() -> None:
    scheduler = LRScheduler(make_optimizer(), Cosine(10))
    scheduler.step()
    assert isinstance(scheduler, torch_schedulers.LRScheduler)
    for other in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        other.step()
        assert other.get_last_lr() == [Cosine(10)(2, base=0.1)]
        assert read_lrs(other.optimizer) == other.get_last_lr()
    assert scheduler.last_epoch == 1


def test_step_takes_an_epoch() -> None:
    scheduler = LRScheduler(make_optimizer(), Cosine(10))
    scheduler.step(4)
    assert scheduler.get_last_lr() == [Cosine(10)(4, base=0.1)]


def test_get_lr_follows_a_changed_last_epoch() -> None:
    scheduler = LRScheduler(make_optimizer(), Cosine(10))
    scheduler.last_epoch += 3
    assert scheduler.get_lr() == [Cosine(10)(3, base=0.1)]


def test_base_lrs_can_be_set() -> None:
    optimizer = make_optimizer()
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.base_lrs = [0.5]
    scheduler.step()
    assert read_lrs(optimizer) == [Cosine(10)(1, base=0.5)]


def test_durations_are_bound_by_total_steps_and_steps_per_epoch() -> None:
    schedule = Warmup("1ep") >> Cosine()
    scheduler = LRScheduler(make_optimizer(), schedule, total_steps=50, steps_per_epoch=10)
    assert scheduler.schedule == Warmup(10) >> Cosine(40)
    with raises(ScheduleError, "Cosine()", "total_steps"):
        LRScheduler(make_optimizer(), Cosine())


def test_other_types_of_optimizer_or_schedule_are_refused() -> None:
    with raises(SchedulerError, "optimizer", "list"):
        LRScheduler([], Cosine(10))
    with raises(SchedulerError, "schedule of lr", 0.1):
        LRScheduler(make_optimizer(), 0.1)
    with raises(ScheduleError, "did you mean Cosine"):
        LRScheduler(make_optimizer(), "Cosin(10)")


def test_used_and_next_values() -> None:
    optimizer = make_two_groups(momentum=0.8)
    scheduler = LRScheduler(optimizer, Cosine(100), momentum="Linear(1, 0, over=100)")
    assert scheduler.used_lrs == scheduler.next_lrs == [0.1, 0.5]
    for t in range(90):  # beyond the first tables of precomputed values
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
    assert scheduler.next_lrs == read_lrs(optimizer)
