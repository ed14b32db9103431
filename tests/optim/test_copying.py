"""Copies of a scheduler go on alike, and nothing is tied together that should not be."""

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
from tests.optim.cases import held, optimizer_of, steps

MORE = 20


def halving(t: int) -> float:
    return 0.5**t


BUILD: dict[str, Callable[[Optimizer], LRScheduler]] = {
    "a sequence": lambda o: LRScheduler(o, Warmup(5) >> Cosine(60, end=Absolute(0.01))),
    "a function": lambda o: LRScheduler(o, Custom(halving)),
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
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),
}

every_build = pytest.mark.parametrize("build", BUILD.values(), ids=BUILD.keys())
every_moment = pytest.mark.parametrize("moment", [0, 1, 5, 70])


def trained(build: Callable[[Optimizer], LRScheduler], moment: int) -> LRScheduler:
    """The scheduler after some steps."""
    optimizer = optimizer_of(0.1, 1.0, weight_decay=0.01)
    scheduler = build(optimizer)
    steps(optimizer, scheduler, scheduler.needs_metric, 0, moment)
    return scheduler


def further(scheduler: LRScheduler) -> tuple[list[Any], dict[str, Any]]:
    """What is used in the next steps, and where that leads."""
    moment = scheduler.last_epoch
    used = steps(scheduler.optimizer, scheduler, scheduler.needs_metric, moment, moment + MORE)
    return used, scheduler.state_dict()


@every_build
@every_moment
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_a_copy_goes_on_alike_and_alone(
    build: Callable[[Optimizer], LRScheduler], moment: int, copied: Callable[[Any], Any]
) -> None:
    scheduler = trained(build, moment)
    before = scheduler.state_dict(), held(scheduler.optimizer)
    other = copied(scheduler)
    assert other.optimizer is not scheduler.optimizer
    assert (other.current, other.next, other.logs()) == (
        scheduler.used_lrs,
        scheduler.next_lrs,
        scheduler.get_logs(),
    )
    gone_on = further(other)
    assert (scheduler.state_dict(), held(scheduler.optimizer)) == before
    assert gone_on == further(scheduler)


@every_build
@every_moment
def test_a_shallow_copy_shares_the_optimizer_and_nothing_that_moves(
    build: Callable[[Optimizer], LRScheduler], moment: int
) -> None:
    scheduler = trained(build, moment)
    seen = scheduler.state_dict(), scheduler.used_lrs, scheduler.next_lrs, scheduler.get_logs()
    other = copy.copy(scheduler)
    assert other.optimizer is scheduler.optimizer
    gone_on = further(other)
    for _ in range(100):  # beyond what it has looked ahead
        other.step()
    other.base_lrs = [9.0] * len(other.base_lrs)
    state = scheduler.state_dict()
    for own in state["hyperparameters"].values():
        own.pop("held", None)  # what the other has put into the groups that they share
    assert (state, scheduler.used_lrs, scheduler.next_lrs, scheduler.get_logs()) == seen
    used, state = further(scheduler)
    # What the optimizer holds at first is the other's.
    assert (used[1:], state) == (gone_on[0][1:], gone_on[1])


@every_build
@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES.keys())
def test_model_optimizer_and_scheduler_stay_tied_in_a_copy(
    build: Callable[[Optimizer], LRScheduler], copied: Callable[[Any], Any]
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    groups = [{"params": part.parameters(), "lr": 0.1} for part in model]
    optimizer = torch.optim.SGD(groups, momentum=0.9, weight_decay=0.01)
    scheduler = build(optimizer)

    def weights(model: nn.Module, optimizer: Optimizer, scheduler: LRScheduler) -> list[Any]:
        for t in range(6):
            optimizer.zero_grad()
            model(torch.ones(4, 3)).square().mean().backward()
            optimizer.step()
            scheduler.step(*[float(t)] * scheduler.needs_metric)
        return [weight.tolist() for weight in model.parameters()]

    weights(model, optimizer, scheduler)
    before = [weight.tolist() for weight in model.parameters()]
    others = copied((model, optimizer, scheduler))
    assert others[2].optimizer is others[1]
    gone_on = weights(*others)
    assert [weight.tolist() for weight in model.parameters()] == before != gone_on
    assert weights(model, optimizer, scheduler) == gone_on


@every_build
def test_nothing_keeps_optimizer_or_scheduler_alive(
    build: Callable[[Optimizer], LRScheduler],
) -> None:
    gc.collect()
    gc.disable()
    try:
        scheduler = trained(build, 70)
        copy.deepcopy(scheduler)
        scheduler.load_state_dict(scheduler.state_dict())
        with pytest.raises(SchedulerError):
            scheduler.step(epoch=-1)
        watched = weakref.ref(scheduler.optimizer), weakref.ref(scheduler)
        del scheduler
        assert [one() for one in watched] == [None, None]
    finally:
        gc.enable()


def test_nothing_of_the_optimizer_is_patched_and_it_can_be_pickled() -> None:
    optimizer = optimizer_of(0.1)
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
    assert held(other) == held(optimizer) == [(0.05, 0.9, 0)]
    other.step()
