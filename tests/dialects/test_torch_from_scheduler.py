"""from_scheduler: live torch schedulers, read before, during and after training."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from lrlab.dialects import torch as dialect
from lrlab.dialects.torch import from_scheduler
from lrlab.errors import ScheduleError
from lrlab.schedules import CosineWave, Product
from tests.dialects.stepped_rates import make_sgd
from tests.dialects.torch_strategies import (
    SchedulerSpec,
    chained_specs,
    counts,
    lrs,
    make_specs,
    sequential_specs,
    simple_specs,
)
from tests.raising import raises

cyclic_specs = st.one_of(
    make_specs(
        "CyclicLR",
        base_lr=lrs,
        max_lr=lrs,
        step_size_up=counts,
        step_size_down=counts,
        mode=st.sampled_from(["triangular", "triangular2", "exp_range"]),
        gamma=st.floats(0.9, 1),
    ),
    make_specs(
        "OneCycleLR",
        max_lr=lrs,
        total_steps=st.integers(61, 90),
        pct_start=st.floats(0.05, 0.95),
        div_factor=st.floats(1, 100),
        three_phase=st.booleans(),
        anneal_strategy=st.sampled_from(["cos", "linear"]),
    ),
)


def step_times(optimizer: Any, scheduler: Any, times: int) -> None:
    for _ in range(times):
        optimizer.step()
        scheduler.step()


@settings(max_examples=150)
@given(
    spec=st.one_of(simple_specs, cyclic_specs, chained_specs, sequential_specs()),
    base=st.floats(0.01, 10),
    steps=st.integers(0, 40),
    more=st.integers(0, 20),
)
def test_rates_now_and_later_equal_torch(
    spec: SchedulerSpec, base: float, steps: int, more: int
) -> None:
    optimizer = make_sgd(base)
    scheduler = spec.build_torch(optimizer)
    step_times(optimizer, scheduler, steps)
    schedule = from_scheduler(scheduler)
    (group,) = optimizer.param_groups
    initial = group["initial_lr"]
    peak = max(base, initial)
    assert schedule(steps, initial) == pytest.approx(group["lr"], rel=1e-9, abs=1e-12 * peak)
    step_times(optimizer, scheduler, more)
    later = schedule(steps + more, initial)
    assert later == pytest.approx(group["lr"], rel=1e-9, abs=1e-12 * peak)


@settings(max_examples=30)
@given(spec=st.one_of(simple_specs, chained_specs, sequential_specs()))
def test_a_new_scheduler_equals_the_function_of_its_arguments(spec: SchedulerSpec) -> None:
    assert repr(from_scheduler(spec.build_torch(make_sgd(0.1)))) == repr(spec.build_lrlab())


def test_its_last_epoch_is_the_step() -> None:
    optimizer = make_sgd(0.1)
    parts = [lr_scheduler.LinearLR(optimizer), lr_scheduler.CosineAnnealingLR(optimizer, 45)]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [5])
    step_times(optimizer, scheduler, 7)
    rate = from_scheduler(scheduler)(scheduler.last_epoch, base=0.1)
    assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)


def test_a_cosine_past_its_end_climbs_as_in_torch() -> None:
    optimizer = make_sgd(0.1)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 5, eta_min=0.01)
    step_times(optimizer, scheduler, 8)
    schedule = from_scheduler(scheduler)
    assert isinstance(schedule, CosineWave)
    assert schedule(8, base=0.1) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)


def test_a_one_cycle_past_its_end_can_be_read() -> None:
    optimizer = make_sgd(0.1)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=20)
    fresh = from_scheduler(scheduler)
    step_times(optimizer, scheduler, 20)
    assert from_scheduler(scheduler) == fresh


@settings(max_examples=30)
@given(
    losses=st.lists(st.floats(0, 1), min_size=1, max_size=30),
    more=st.lists(st.floats(2, 3), max_size=9),
)
def test_a_plateau_continues_from_its_reductions(losses: list[float], more: list[float]) -> None:
    optimizer = make_sgd(0.1)
    (group,) = optimizer.param_groups
    group["initial_lr"] = 0.1
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=1e-6, factor=0.5)
    for loss in losses:
        scheduler.step(loss)
    schedule = from_scheduler(scheduler)
    assert schedule(scheduler.last_epoch, base=0.1) == pytest.approx(group["lr"], rel=1e-8)
    assert isinstance(schedule, Product) == (group["lr"] < 0.1)
    # From the second metric on, worse metrics reduce both rates.
    state = schedule.update_state(schedule.init_state(), 0, 1.9, base=0.1)
    for t, loss in enumerate(sorted(more)):
        scheduler.step(loss)
        state = schedule.update_state(state, t, loss, base=0.1)
        assert schedule.with_state(state)(t, base=0.1) == pytest.approx(group["lr"], rel=1e-8)


def test_swalr_begins_at_the_current_rate() -> None:
    optimizer = make_sgd(0.1)
    first = lr_scheduler.ExponentialLR(optimizer, 0.5)
    averaging = torch.optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=8)
    step_times(optimizer, first, 3)
    for done in range(12):
        schedule = from_scheduler(averaging)
        current_lr = optimizer.param_groups[0]["lr"]
        assert schedule(done, base=0.1) == pytest.approx(current_lr, rel=1e-8)
        step_times(optimizer, averaging, 1)


def test_rates_that_are_tensors() -> None:
    optimizer = make_sgd(torch.tensor(0.1))
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.9)
    step_times(optimizer, scheduler, 50)
    assert repr(from_scheduler(scheduler)) == "Exponential(0.9)"


def test_a_group_at_zero_has_any_factor() -> None:
    optimizer = make_two_groups(0.1, 0.0)
    averaging = torch.optim.swa_utils.SWALR(optimizer, 0.05, anneal_epochs=8)
    step_times(optimizer, averaging, 3)
    assert repr(from_scheduler(averaging)) == 'Cooldown(8, end=Absolute(0.05), curve="cosine")'
    optimizer = make_two_groups(0.1, 0.0)
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, eps=0)
    for loss in (1.0, 1.0):
        plateau.step(loss)
    assert from_scheduler(plateau)(2, base=0.1) == pytest.approx(0.01)
    optimizer = make_two_groups(0.0, 0.0)
    optimizer.param_groups[0]["initial_lr"] = 0.1
    assert from_scheduler(lr_scheduler.ReduceLROnPlateau(optimizer))(0, base=0.1) == 0


def test_a_later_constant_of_no_steps() -> None:
    optimizer = make_sgd(0.1)
    parts = [lr_scheduler.StepLR(optimizer, 9), lr_scheduler.ConstantLR(optimizer, 0.5, 0)]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [3])
    schedule = from_scheduler(scheduler)
    step_times(optimizer, scheduler, 4)
    assert schedule(4, base=0.1) == optimizer.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize("name", ["ExponentialLR", "OneCycleLR"])
def test_loaded_states(name: str) -> None:
    kwargs = {"gamma": 0.9} if name == "ExponentialLR" else {"max_lr": 0.5, "total_steps": 30}
    first, second = make_two_groups(), make_two_groups()
    scheduler = getattr(lr_scheduler, name)(first, **kwargs)
    loaded = getattr(lr_scheduler, name)(second, **kwargs)
    step_times(first, scheduler, 7)
    loaded.load_state_dict(scheduler.state_dict())
    with raises(ScheduleError, "state was not loaded", "step 7", f"torch.{name}("):
        from_scheduler(loaded)
    second.load_state_dict(first.state_dict())
    assert from_scheduler(loaded) == from_scheduler(scheduler)


def test_a_group_added_later_is_refused() -> None:
    optimizer = make_sgd(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    optimizer.add_param_group({"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1})
    with raises(ScheduleError, "StepLR", "1 of 2", "add_param_group"):
        from_scheduler(scheduler)


class CustomStepLR(lr_scheduler.StepLR):
    pass


def make_two_groups(first: float = 0.1, second: float = 0.1) -> torch.optim.Optimizer:
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (first, second)]
    return torch.optim.SGD(groups, momentum=0.9)


def test_groups_with_different_rates_share_a_relative_schedule() -> None:
    scheduler = lr_scheduler.StepLR(make_two_groups(0.1, 0.2), 3)
    assert repr(from_scheduler(scheduler)) == "Step(3)"


@pytest.mark.parametrize(
    ("build", "mentions"),
    [
        (
            lambda: CustomStepLR(make_sgd(0.1), 3),
            ("scheduler", "got tests.dialects.test_torch_from_scheduler.CustomStepLR"),
        ),
        (lambda: lr_scheduler.LRScheduler, ("scheduler", "got builtins.type")),
        (lambda: 3, ("scheduler", "got builtins.int")),
        (
            lambda: lr_scheduler.LambdaLR(make_two_groups(), [lambda t: 1.0, lambda t: 0.5]),
            ("lr_lambda", "got [<function"),
        ),
        (
            lambda: lr_scheduler.OneCycleLR(make_two_groups(), [0.1, 0.2], total_steps=9),
            ("initial_lr", "got [0.004, 0.008]"),
        ),
        (
            lambda: lr_scheduler.CyclicLR(make_two_groups(), 0.1, [0.2, 0.3]),
            ("max_lr", "got [0.2, 0.3]"),
        ),
        (
            lambda: torch.optim.swa_utils.SWALR(make_two_groups(), [0.1, 0.2]),
            ("swa_lr", "got [0.1, 0.2]"),
        ),
        (
            lambda: lr_scheduler.ReduceLROnPlateau(make_two_groups(), min_lr=[0.1, 0.2]),
            ("min_lr", "got [0.1, 0.2]"),
        ),
    ],
)
def test_unreadable_schedulers_are_refused(build: Any, mentions: tuple[str, ...]) -> None:
    with raises(ScheduleError, *mentions):
        from_scheduler(build())


def test_rates_set_by_something_else_are_refused() -> None:
    optimizer = make_sgd(0.1)
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    optimizer.param_groups[0]["lr"] = 0.07
    with raises(ScheduleError, "0.07", "Step(3)", "torch.StepLR"):
        from_scheduler(scheduler)
    first = lr_scheduler.StepLR(make_sgd(0.1), 3)
    lr_scheduler.OneCycleLR(first.optimizer, 0.5, total_steps=9)
    with raises(ScheduleError, "StepLR", "initial_lr", "0.02", "0.1"):
        from_scheduler(first)


# torch takes the first step of a nested scheduler for one before the optimizer's.
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")
def test_nesting_that_torch_steps_wrongly_is_refused() -> None:
    optimizer = make_sgd(0.1)
    chain = lr_scheduler.ChainedScheduler([lr_scheduler.StepLR(optimizer, 3)])
    scheduler = lr_scheduler.SequentialLR(
        optimizer, [chain, lr_scheduler.StepLR(optimizer, 3)], [4]
    )
    with raises(ScheduleError, "ChainedScheduler"):
        from_scheduler(scheduler)


def test_a_schedule_is_not_a_scheduler() -> None:
    with raises(ScheduleError, "scheduler", "got lrlab.schedules.staircases.Step"):
        from_scheduler(dialect.StepLR(3))
