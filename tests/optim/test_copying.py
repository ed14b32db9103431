"""Copies of a scheduler continue equally and independently, and hold no references too long."""

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from lrlab import Absolute, Cosine, Custom, Exponential, Greedy, LRScheduler, Plateau, Warmup
from lrlab.errors import SchedulerError
from tests.optim.factories import make_optimizer, read_values, run_steps

MORE_STEPS = 20


def halve(t: int) -> float:
    return 0.5**t


BUILD: dict[str, Callable[[Optimizer], LRScheduler]] = {
    "a sequence": lambda o: LRScheduler(o, Warmup(5) >> Cosine(60, end=Absolute(0.01))),
    "a function": lambda o: LRScheduler(o, Custom(halve)),
    "a plateau": lambda o: LRScheduler(o, Warmup(5) >> Plateau(0.5, patience=1)),
    "greedy": lambda o: LRScheduler(o, Greedy(0.5, patience=1, window=3)),
    "other hyperparameters": lambda o: LRScheduler(
        o,
        "Exponential(0.99)",
        momentum="Linear(1, 0.5, over=70)",
        groups={1: {"lr": Plateau(0.5, patience=1), "weight_decay": "Cosine(70)"}},
    ),
}
COPIES: dict[str, Callable[[Any], Any]] = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda scheduler: pickle.loads(pickle.dumps(scheduler)),
}

for_all_builds = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD.keys())
at_all_moments = pytest.mark.parametrize("moment", [0, 1, 5, 70])


def train(build: Callable[[Optimizer], LRScheduler], moment: int) -> LRScheduler:
    """Return the scheduler after some steps."""
    optimizer = make_optimizer(0.1, 1.0, weight_decay=0.01)
    scheduler = build(optimizer)
    run_steps(optimizer, scheduler, scheduler.needs_metric, 0, moment)
    return scheduler


def continue_training(scheduler: LRScheduler) -> tuple[list[Any], dict[str, Any]]:
    """Return what is used in the next steps, and the state after them."""
    moment = scheduler.last_epoch
    used = run_steps(
        scheduler.optimizer, scheduler, scheduler.needs_metric, moment, moment + MORE_STEPS
    )
    return used, scheduler.state_dict()


@for_all_builds
@at_all_moments
@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES.keys())
def test_a_copy_continues_equally_and_independently(
    build: Callable[[Optimizer], LRScheduler], moment: int, make_copy: Callable[[Any], Any]
) -> None:
    scheduler = train(build, moment)
    before = scheduler.state_dict(), read_values(scheduler.optimizer)
    other = make_copy(scheduler)
    assert other.optimizer is not scheduler.optimizer
    assert (other.used_lrs, other.next_lrs, other.get_logs()) == (
        scheduler.used_lrs,
        scheduler.next_lrs,
        scheduler.get_logs(),
    )
    continued = continue_training(other)
    assert (scheduler.state_dict(), read_values(scheduler.optimizer)) == before
    assert continued == continue_training(scheduler)


@for_all_builds
@at_all_moments
def test_a_shallow_copy_shares_only_the_optimizer(
    build: Callable[[Optimizer], LRScheduler], moment: int
) -> None:
    scheduler = train(build, moment)
    before = scheduler.state_dict(), scheduler.used_lrs, scheduler.next_lrs, scheduler.get_logs()
    other = copy.copy(scheduler)
    assert other.optimizer is scheduler.optimizer
    continued = continue_training(other)
    for _ in range(100):  # beyond its table of precomputed values
        other.step()
    other.base_lrs = [9.0] * len(other.base_lrs)
    state = scheduler.state_dict()
    for entry in state["hyperparameters"].values():
        entry.pop("current_values", None)  # what the copy has set in the shared groups
    assert (state, scheduler.used_lrs, scheduler.next_lrs, scheduler.get_logs()) == before
    used, state = continue_training(scheduler)
    # The optimizer's values at first are the copy's.
    assert (used[1:], state) == (continued[0][1:], continued[1])


@for_all_builds
@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES.keys())
def test_model_optimizer_and_scheduler_are_copied_together(
    build: Callable[[Optimizer], LRScheduler], make_copy: Callable[[Any], Any]
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    groups = [{"params": part.parameters(), "lr": 0.1} for part in model]
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=0.01)
    scheduler = build(optimizer)

    def train_on(model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> list[Any]:
        for t in range(6):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().mean().backward()
            optimizer.step()
            scheduler.step(*[float(t)] * scheduler.needs_metric)
        return [weight.tolist() for weight in model.parameters()]

    train_on(model, optimizer, scheduler)
    before = [weight.tolist() for weight in model.parameters()]
    copies = make_copy((model, optimizer, scheduler))
    assert copies[2].optimizer is copies[1]
    continued = train_on(*copies)
    assert [weight.tolist() for weight in model.parameters()] == before != continued
    assert train_on(model, optimizer, scheduler) == continued


@for_all_builds
def test_nothing_keeps_optimizer_or_scheduler_alive(
    build: Callable[[Optimizer], LRScheduler],
) -> None:
    gc.collect()
    gc.disable()
    try:
        scheduler = train(build, 70)
        copy.deepcopy(scheduler)
        scheduler.load_state_dict(scheduler.state_dict())
        with pytest.raises(SchedulerError):
            scheduler.step(epoch=-1)
        references = weakref.ref(scheduler.optimizer), weakref.ref(scheduler)
        del scheduler
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


def test_the_optimizer_is_not_patched_and_can_be_pickled() -> None:
    optimizer = make_optimizer(0.1)
    attributes, keys = {**vars(optimizer)}, set(optimizer.param_groups[0])
    scheduler = LRScheduler(optimizer, Exponential(0.5))
    optimizer.step()
    scheduler.step()
    # torch itself wraps the step of every class once, for its profiler.
    assert vars(optimizer).keys() == attributes.keys()
    assert all(vars(optimizer)[name] is value for name, value in attributes.items())
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert set(optimizer.param_groups[0]) == keys | {"initial_lr"}
    other = pickle.loads(pickle.dumps(optimizer))
    assert read_values(other) == read_values(optimizer) == [(0.05, 0.9, 0)]
    other.step()
