"""The watch sees real optimizers in loops: it warns of every k-th, once, and of nothing else."""

import copy
import gc
import pickle
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis.strategies import booleans, integers, lists

from lrlab.optim.checks import MAX_CALLS, StepCheck


def parameters(number: int = 3) -> list[torch.nn.Parameter]:
    made = [torch.nn.Parameter(torch.zeros(3, 3)) for _ in range(number)]
    for parameter in made:
        parameter.grad = torch.ones(3, 3)
    return made


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters(), lr=0.1)


def watched(optimizer: torch.optim.Optimizer, updates: Iterable[bool | Callable[[], Any]]) -> str:
    """What the watch says where the optimizer steps, or something else happens, before a call."""
    watch = StepCheck(optimizer)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for update in updates:
            if update:
                update() if callable(update) else optimizer.step()
            if not watch.check_step(optimizer):
                break
    assert len(said) <= 1
    return str(said[0].message) if said else ""


def every(times: int, calls: int = MAX_CALLS) -> Iterator[bool]:
    return islice(cycle([True] + [False] * (times - 1)), calls)


OPTIMIZERS = {
    "SGD": {},
    "SGD, foreach": {"foreach": True, "momentum": 0.9},
    "Adam": {},
    "AdamW": {"foreach": False},
    "AdamW, fused": {"fused": True},
    "Adagrad, fused": {"fused": True},
    "RMSprop": {},
    "Adafactor": {},
    "Muon": {},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("times", [2, 8])
def test_several_calls_for_each_step_of_a_real_optimizer_are_warned_of(
    name: str, times: int
) -> None:
    made = getattr(torch.optim, name.partition(",")[0])
    optimizer = made(parameters(), lr=0.1, **OPTIMIZERS[name])
    said = watched(optimizer, every(times))
    assert f"called {times} times" in said
    assert "accelerate" in said
    assert "gradient accumulation" in said
    assert watched(optimizer, every(1)) == ""


@given(times=integers(2, 90), before=lists(booleans(), max_size=2))
def test_it_warns_after_four_full_periods_and_no_sooner(times: int, before: list[bool]) -> None:
    assert f"called {times} times" in watched(sgd(), [*before, *every(times, 6 * times)])
    assert f"called {times} times" in watched(sgd(), every(times, 4 * times + 1))
    assert watched(sgd(), every(times, 4 * times)) == ""


@given(skips=lists(integers(0, 5), max_size=9))
def test_updates_that_mixed_precision_skips_at_first_are_no_alarm(skips: list[int]) -> None:
    irregular = [skipped for k, skipped in enumerate(skips) if k == 0 or skipped != skips[k - 1]]
    updates = [update for skipped in irregular for update in [*[False] * skipped, True]]
    assert watched(sgd(), [*updates, *every(1)]) == ""


def test_a_real_loss_scale_that_is_too_high_at_first_is_no_alarm() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=5)
    held = []

    def train() -> None:
        optimizer.zero_grad()
        scaler.scale(8 * (weight * weight).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        held.append(weight[0].item())

    assert watched(optimizer, [train] * 100) == ""
    assert held[2] == 1 > held[-1]  # some updates were skipped, and then some made


@pytest.mark.parametrize(("batches", "said"), [(40, "called 4 times"), (10, "")])
def test_a_call_for_each_batch_is_warned_of_where_epochs_hold_some_accumulations(
    batches: int, said: str
) -> None:
    epoch = [(i + 1) % 4 == 0 or i + 1 == batches for i in range(batches)]
    assert said in watched(sgd(), epoch * 10)
    assert bool(said) == bool(watched(sgd(), epoch * 10))


def test_looking_at_a_schedule_without_training_ends_silently() -> None:
    optimizer = sgd()
    watch = StepCheck(optimizer)
    assert [watch.check_step(optimizer) for _ in range(MAX_CALLS)] == [True] * (MAX_CALLS - 1) + [
        False
    ]
    without = torch.optim.Adam([torch.nn.Parameter(torch.zeros(3))])  # no gradients, no update
    assert watched(without, every(2)) == ""


def test_many_updates_for_each_call_are_no_alarm() -> None:
    optimizer = sgd()

    def epoch() -> None:
        for _ in range(10):
            optimizer.step()

    assert watched(optimizer, [epoch] * 20) == ""


def test_an_ordinary_loop_is_watched_for_four_calls() -> None:
    optimizer = sgd()
    watch = StepCheck(optimizer)
    seen = []
    for _ in range(4):
        optimizer.step()
        seen.append(watch.check_step(optimizer))
    assert seen == [True, True, True, False]


@pytest.mark.parametrize("turn", [1, -1])
def test_parameters_without_updates_do_not_hide_those_of_others(turn: int) -> None:
    frozen, unused, trained = parameters(2), parameters(1), parameters(1)
    for parameter in frozen:
        parameter.requires_grad_(False)
    for parameter in [*frozen, *unused]:
        parameter.grad = None
    inner = [{"params": []}, {"params": unused}, {"params": trained}][::turn]
    groups = [{"params": frozen[:1]}, *inner, {"params": frozen[1:]}]
    assert "2 times" in watched(torch.optim.SGD(groups, lr=0.1), every(2))
    assert watched(torch.optim.SGD(groups, lr=0.1), every(1)) == ""


def test_parameters_that_take_turns_are_no_alarm() -> None:
    weights = parameters(4)
    optimizer = torch.optim.SGD(weights, lr=0.1)

    def head(number: int) -> Callable[[], None]:
        def train() -> None:
            for i, weight in enumerate(weights):
                weight.grad = torch.ones(3, 3) if i == number else None
            optimizer.step()

        return train

    heads = [head(1), head(0), head(2)]  # the first and the last, which are looked at, and another
    assert watched(optimizer, heads * 30) == ""
    assert watched(optimizer, [head(0), head(1)] * 30) == ""
    assert "2 times" in watched(optimizer, [head(0), False] * 30)


def test_without_a_counter_there_is_silence() -> None:
    fused = torch.optim.SGD(parameters(), lr=0.1, fused=True)  # its kernel leaves the counters
    assert watched(fused, every(2)) == ""
    with torch.inference_mode():
        made = torch.nn.Parameter(torch.zeros(3))
    assert watched(torch.optim.SGD([made], lr=0.1), every(2)) == ""
    assert watched(torch.optim.SGD([{"params": []}], lr=0.1), every(2)) == ""


def test_a_fused_optimizer_is_not_judged_by_what_else_changes_its_parameters() -> None:
    weights = parameters()
    optimizer = torch.optim.SGD(weights, lr=0.1, fused=True)

    def averaged() -> None:
        optimizer.step()
        for weight in weights:
            weight.data.copy_(torch.zeros(3, 3))

    assert watched(optimizer, [averaged, optimizer.step] * 20) == ""


def test_groups_that_are_taken_away_end_the_watch() -> None:
    optimizer = sgd()
    watch = StepCheck(optimizer)
    optimizer.param_groups[0]["params"].clear()
    assert not watch.check_step(optimizer)


def test_it_keeps_nothing_alive_and_can_be_copied_and_pickled() -> None:
    optimizer = sgd()
    watch = StepCheck(optimizer)
    for update in [True, False, True, False]:
        if update:
            optimizer.step()
        watch.check_step(optimizer)
    alive = weakref.ref(optimizer), weakref.ref(optimizer.param_groups[0]["params"][0])
    copies = [copy.deepcopy(watch), pickle.loads(pickle.dumps(watch))]
    assert all(vars(each) == vars(watch) for each in copies)
    gc.disable()  # what is in no cycle goes at once
    try:
        del optimizer
        assert [each() for each in alive] == [None, None]
    finally:
        gc.enable()


def test_the_warning_shows_the_persons_own_line() -> None:
    optimizer = sgd()
    watch = StepCheck(optimizer)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        for update in every(2, 9):
            if update:
                optimizer.step()
            more = watch.check_step(optimizer)  # of this line
    assert not more
    [warning] = said
    shown = Path(warning.filename).read_text().splitlines()[warning.lineno - 1]
    assert shown.endswith("# of this line")
