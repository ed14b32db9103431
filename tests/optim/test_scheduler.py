"""The scheduler in plain loops, on resume in every order, and as torch's drop-in."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn
from torch.optim import lr_scheduler as theirs

import lrlab
from lrlab import Absolute, Constant, Cosine, Exponential, Linear, LRScheduler, Schedule, Warmup
from lrlab.errors import ScheduleError, SchedulerError
from lrlab.problems import load_problem
from tests.optim.cases import optimizer_of, rates_of

SCHEDULES = [
    Linear(1.0, 0.5, over=30),
    Warmup(5) >> Cosine(10, end=Absolute(0.001)),
    Constant(0.5, over=4) >> Exponential(0.9),
    lrlab.Formula("1 / (1 + 0.01*t)"),
    lrlab.Custom(lambda t: 0.95**t),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_every_step_sets_the_schedules_own_rates(schedule: Schedule) -> None:
    optimizer = optimizer_of(0.1, 1.0)
    scheduler = LRScheduler(optimizer, schedule)
    for t in range(40):
        expected = [schedule(t, base=0.1), schedule(t, base=1.0)]
        assert rates_of(optimizer) == expected == scheduler.get_last_lr() == scheduler.get_lr()
        assert scheduler.last_epoch == t
        optimizer.step()
        scheduler.step()


def made_up_data() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    x = torch.randn(245, 34, dtype=torch.float64)
    return x, (x[:, :1] + 0.5 * torch.randn(245, 1, dtype=torch.float64) > 0).double()


def the_articles_data() -> tuple[torch.Tensor, torch.Tensor]:
    split = load_problem("ionosphere").split(0)
    return split.x_train.double(), split.y_train.double()


def article_program(
    x: torch.Tensor,
    y: torch.Tensor,
    scheduler_of: Callable[[torch.optim.Optimizer], Any] | None,
) -> list[torch.Tensor]:
    """The article's program in float64: returns the final weights."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(34, 34), nn.ReLU(), nn.Linear(34, 1), nn.Sigmoid()).double()

    n_epochs = 50
    batch_size = 24
    batch_start = torch.arange(0, len(x), batch_size)
    loss_fn = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = scheduler_of(optimizer) if scheduler_of else None
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
    ("ours", "torchs"),
    [
        (Constant(1.0), None),
        (
            Linear(1.0, 0.5, over=30),
            lambda o: theirs.LinearLR(o, start_factor=1.0, end_factor=0.5, total_iters=30),
        ),
        (Exponential(0.99), lambda o: theirs.ExponentialLR(o, gamma=0.99)),
        (
            lrlab.InverseTime(0.01),
            lambda o: theirs.LambdaLR(o, lambda epoch: 1 / (1 + 0.01 * epoch)),
        ),
    ],
    ids=["program 1", "program 2", "exponential", "inverse time"],
)
@pytest.mark.parametrize("data", ["made up", "the article's"])
def test_the_articles_programs_end_with_torchs_weights(
    ours: Schedule, torchs: Any, data: str, request: pytest.FixtureRequest
) -> None:
    if data == "the article's":
        request.getfixturevalue("ionosphere_folder")
    x, y = made_up_data() if data == "made up" else the_articles_data()
    mine = article_program(x, y, lambda optimizer: lrlab.LRScheduler(optimizer, ours))
    for weight, expected in zip(mine, article_program(x, y, torchs), strict=True):
        assert_allclose(weight, expected, rtol=1e-12)


def states_after(steps: int, schedule: Schedule, *rates: float) -> tuple[dict, dict]:
    optimizer = optimizer_of(*rates)
    scheduler = LRScheduler(optimizer, schedule)
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
    return copy.deepcopy(optimizer.state_dict()), scheduler.state_dict()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bases": [0.1]}, "the state is damaged"),
        ({"bases": [0.1, float("nan")]}, "the state is damaged"),
        ({"bases": [0.1, "0.1"]}, "the state is damaged"),
        ({"schedules": ["Cosine(10)", 3]}, "the state is damaged"),
        ({"used": ...}, "the state is damaged"),
        ({"metrics": [(), (1.0,)]}, "the state cannot be loaded: the state must be one that"),
        ({"last_epoch": -2}, "the state is damaged"),
        ({"last_epoch": None}, "the state is damaged"),
        ({"_step_count": 1.5}, "the state is damaged"),
        ({"hyperparameters": {}}, "the state is damaged"),
        ({"hyperparameters": ..., "_step_count": ...}, "lacks _step_count, hyperparameters"),
        ({"last_epoch": ..., "_step_count": ...}, "lacks _step_count, last_epoch"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(changes: dict, said: str) -> None:
    optimizer = optimizer_of(0.1, 0.2)
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    _, state = states_after(3, Cosine(10), 0.1, 0.2)
    for key, value in changes.items():
        where = state if key in state else state["hyperparameters"]["lr"]
        if value is ...:
            del where[key]
        else:
            where[key] = value
    with pytest.raises(SchedulerError, match=said):
        scheduler.load_state_dict(state)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before


def test_a_state_of_another_number_of_groups_is_refused() -> None:
    _, state = states_after(3, Cosine(10), 0.1)
    with pytest.raises(SchedulerError, match="2 parameter groups, but it is of 1"):
        LRScheduler(optimizer_of(0.1, 0.2), Cosine(10)).load_state_dict(state)


def test_a_state_of_torchs_own_scheduler_is_refused() -> None:
    state = theirs.StepLR(optimizer_of(), 3).state_dict()
    with pytest.raises(SchedulerError, match="it is one of torch's: go on from it with"):
        LRScheduler(optimizer_of(), Cosine(10)).load_state_dict(state)


def test_a_step_that_fails_changes_nothing() -> None:
    optimizer = optimizer_of()
    scheduler = LRScheduler(optimizer, lrlab.Formula("1.5 - t"))
    scheduler.step()
    before = copy.deepcopy((scheduler.state_dict(), optimizer.state_dict()))
    with pytest.raises(ScheduleError, match="at t = 2"):
        scheduler.step()
    for wrong in (-3, 0.87, float("nan"), "1", True):
        with pytest.raises(SchedulerError, match="reads no metric"):
            scheduler.step(wrong)
    assert (scheduler.state_dict(), optimizer.state_dict()) == before
    fresh = optimizer_of()
    with pytest.raises(ScheduleError):
        LRScheduler(fresh, lrlab.Formula("-1"))
    assert fresh.state_dict() == optimizer_of().state_dict()


def test_steps_are_counted_as_torch_counts_them() -> None:
    mine, torchs = optimizer_of(), optimizer_of()
    ours, other = LRScheduler(mine, Cosine(10)), theirs.StepLR(torchs, 3)
    for _ in range(3):
        assert (ours.last_epoch, ours._step_count) == (other.last_epoch, other._step_count)
        for optimizer, scheduler in ((mine, ours), (torchs, other)):
            optimizer.step()
            scheduler.step()
    assert ours.state_dict()["_step_count"] == 4


def test_a_group_added_later_has_its_own_base_rate() -> None:
    optimizer = optimizer_of(0.1)
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.step()
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 1.0})
    scheduler.step()
    assert rates_of(optimizer) == [Cosine(10)(2, base=0.1), Cosine(10)(2, base=1.0)]


def test_it_can_be_a_child_of_torchs_sequence() -> None:
    optimizer = optimizer_of()
    children = [LRScheduler(optimizer, Warmup(4)), LRScheduler(optimizer, Cosine(6))]
    scheduler = theirs.SequentialLR(optimizer, children, milestones=[4])
    expected = Warmup(4) >> Cosine(6)
    for t in range(12):
        assert rates_of(optimizer) == [expected(t, base=0.1)]
        optimizer.step()
        scheduler.step()


@pytest.mark.parametrize("stop", range(9))
def test_a_sequence_of_torchs_resumes_with_children_of_ours(stop: int) -> None:
    def sequence(optimizer: torch.optim.Optimizer) -> theirs.SequentialLR:
        children = [LRScheduler(optimizer, Warmup(4)), LRScheduler(optimizer, Cosine(6))]
        return theirs.SequentialLR(optimizer, children, milestones=[4])

    optimizer = optimizer_of()
    scheduler = sequence(optimizer)
    for _ in range(stop):
        optimizer.step()
        scheduler.step()
    states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    for order in ("s", "so", "os"):
        optimizer = optimizer_of()
        scheduler = sequence(optimizer)
        for act in order:
            loading = scheduler if act == "s" else optimizer
            loading.load_state_dict(copy.deepcopy(states[act == "s"]))
        for t in range(stop, stop + 7):
            assert rates_of(optimizer) == [(Warmup(4) >> Cosine(6))(t, base=0.1)]
            optimizer.step()
            scheduler.step()


def test_it_has_what_torchs_have() -> None:
    mine, torchs = optimizer_of(), optimizer_of()
    ours, other = LRScheduler(mine, Cosine(10)), theirs.StepLR(torchs, 3)
    own = {"gamma", "step_size", "_get_closed_form_lr"}
    assert {name for name in dir(other) if not hasattr(ours, name)} == own
    for scheduler in (ours, other):
        scheduler.optimizer.step()
        scheduler.step()
    assert ours._last_lr == ours.get_last_lr() == rates_of(mine)
    sequence = theirs.SequentialLR(mine, [ours, LRScheduler(mine, Cosine(9))], milestones=[2])
    like = theirs.SequentialLR(torchs, [other, theirs.StepLR(torchs, 2)], milestones=[2])
    for _ in range(4):
        counts = [[child._step_count for child in one._schedulers] for one in (sequence, like)]
        assert counts[0] == counts[1]
        for scheduler in (sequence, like):
            scheduler.optimizer.step()
            scheduler.step()


def test_a_metric_given_by_name_is_no_step() -> None:
    scheduler = LRScheduler(optimizer_of(), Cosine(10))
    with pytest.raises(SchedulerError, match="only a schedule that reads metrics can observe 3"):
        scheduler.step(metrics=3)
    assert scheduler.last_epoch == 0


def test_a_state_loaded_into_the_optimizer_leaves_the_rates_right() -> None:
    before = optimizer_of(0.1, 1.0)
    LRScheduler(before, Constant(0.5))
    optimizer = optimizer_of(0.3, 2.0)
    scheduler = LRScheduler(optimizer, Cosine(10), weight_decay="Constant(Absolute(0.25))")
    scheduler.step()
    copies = copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))
    for one in (scheduler, *copies):
        one.optimizer.load_state_dict(before.state_dict())
        assert (
            rates_of(one.optimizer) == one.next_lrs == [Cosine(10)(1, base=b) for b in (0.3, 2.0)]
        )
        groups = one.optimizer.param_groups
        assert [(g["initial_lr"], g["weight_decay"]) for g in groups] == [(0.3, 0.25), (2.0, 0.25)]


@pytest.mark.parametrize("order", ["owp", "wop", "pwo", "pow", "wpo", "opw"])
def test_what_another_scheduler_has_set_since_is_kept(order: str) -> None:
    def build() -> dict[str, Any]:
        optimizer = optimizer_of()
        warm = LRScheduler(optimizer, Warmup(3))
        plateau = theirs.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)
        return {"o": optimizer, "w": warm, "p": plateau}

    first = build()
    for _ in range(3):
        first["w"].step()
    for _ in range(3):
        first["p"].step(1.0)
    assert rates_of(first["o"]) == pytest.approx([0.001])
    states = copy.deepcopy({name: one.state_dict() for name, one in first.items()})
    again = build()
    for name in order:
        again[name].load_state_dict(copy.deepcopy(states[name]))
    assert rates_of(again["o"]) == rates_of(first["o"])
    first["o"].load_state_dict(copy.deepcopy(states["o"]))  # back to a good one, say
    assert rates_of(first["o"]) == rates_of(again["o"])


def test_schedulers_that_are_gone_or_do_not_fit_leave_loads_alone() -> None:
    optimizer = optimizer_of(0.1, 0.2)
    old = LRScheduler(optimizer, Cosine(10))
    optimizer.param_groups.pop()
    new = LRScheduler(optimizer, Exponential(0.5))
    new.step()
    optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert rates_of(optimizer) == [0.05]
    hooks = optimizer._optimizer_load_state_dict_post_hooks
    assert len(hooks) == 2
    del old
    assert len(hooks) == 1


def test_a_wrapped_optimizers_loads_are_followed() -> None:
    from accelerate import Accelerator

    before = optimizer_of(0.1).state_dict()
    inner = optimizer_of(0.5)
    optimizer = Accelerator(cpu=True).prepare(inner)
    scheduler = LRScheduler(optimizer, Constant(1.0))
    optimizer.load_state_dict(before)
    assert rates_of(inner) == scheduler.next_lrs == [0.5]


def test_two_values_for_one_are_refused() -> None:
    for schedule, words in ((lrlab.Plateau(), {"metrics": 2.0}), (Cosine(10), {"epoch": 3})):
        with pytest.raises(SchedulerError, match="step\\(\\) takes one metric or one epoch, got 1"):
            LRScheduler(optimizer_of(), schedule).step(1, **words)


def test_tensors_that_a_loaded_state_shares_are_parted_again() -> None:
    shared = torch.tensor(0.1, dtype=torch.float64)
    before = optimizer_of(shared, shared)
    optimizer = optimizer_of(torch.tensor(0.1, dtype=torch.float64), 0.1)
    scheduler = LRScheduler(optimizer, Cosine(10), groups={1: "Constant(0.5)"})
    optimizer.load_state_dict(before.state_dict())
    scheduler.step()
    assert rates_of(optimizer) == [Cosine(10)(1, base=0.1), 0.05]


def test_it_is_an_lr_scheduler_and_can_be_copied() -> None:
    scheduler = LRScheduler(optimizer_of(), Cosine(10))
    scheduler.step()
    assert isinstance(scheduler, theirs.LRScheduler)
    for other in (copy.deepcopy(scheduler), pickle.loads(pickle.dumps(scheduler))):
        other.step()
        assert other.get_last_lr() == [Cosine(10)(2, base=0.1)]
        assert rates_of(other.optimizer) == other.get_last_lr()
    assert scheduler.last_epoch == 1


def test_step_may_name_the_epoch() -> None:
    scheduler = LRScheduler(optimizer_of(), Cosine(10))
    scheduler.step(4)
    assert scheduler.get_last_lr() == [Cosine(10)(4, base=0.1)]


def test_handlers_that_count_for_themselves_read_get_lr() -> None:
    scheduler = LRScheduler(optimizer_of(), Cosine(10))
    scheduler.last_epoch += 3
    assert scheduler.get_lr() == [Cosine(10)(3, base=0.1)]


def test_base_rates_can_be_set() -> None:
    optimizer = optimizer_of()
    scheduler = LRScheduler(optimizer, Cosine(10))
    scheduler.base_lrs = [0.5]
    scheduler.step()
    assert rates_of(optimizer) == [Cosine(10)(1, base=0.5)]


def test_units_are_bound_by_the_totals() -> None:
    schedule = Warmup("1ep") >> Cosine()
    scheduler = LRScheduler(optimizer_of(), schedule, total_steps=50, steps_per_epoch=10)
    assert scheduler.schedule == Warmup(10) >> Cosine(40)
    with pytest.raises(ScheduleError, match=r"bind\(total="):
        LRScheduler(optimizer_of(), Cosine())


def test_what_is_no_optimizer_or_schedule() -> None:
    with pytest.raises(SchedulerError, match=r"must be a torch.optim.Optimizer, got list"):
        LRScheduler([], Cosine(10))
    with pytest.raises(SchedulerError, match=r"must be a schedule such as .* got 0.1"):
        LRScheduler(optimizer_of(), 0.1)
    with pytest.raises(ScheduleError, match="did you mean Cosine"):
        LRScheduler(optimizer_of(), "Cosin(10)")
