"""Real optimizers in loops: StepCheck warns once of every k-th call, and of nothing else."""

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


def make_parameters(count: int = 3) -> list[torch.nn.Parameter]:
    parameters = [torch.nn.Parameter(torch.zeros(3, 3)) for _ in range(count)]
    for parameter in parameters:
        parameter.grad = torch.ones(3, 3)
    return parameters


def make_sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD(make_parameters(), lr=0.1)


def check_calls(
    optimizer: torch.optim.Optimizer, updates: Iterable[bool | Callable[[], Any]]
) -> str:
    """Return the warning if the optimizer steps, or something else happens, before a call."""
    check = StepCheck(optimizer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for update in updates:
            if update:
                update() if callable(update) else optimizer.step()
            if not check.check_step(optimizer):
                break
    assert len(caught) <= 1
    return str(caught[0].message) if caught else ""


def make_updates(times: int, calls: int = MAX_CALLS) -> Iterator[bool]:
    """One update before every ``times``-th call."""
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
def test_several_calls_per_optimizer_step_give_a_warning(name: str, times: int) -> None:
    kind = getattr(torch.optim, name.partition(",")[0])
    optimizer = kind(make_parameters(), lr=0.1, **OPTIMIZERS[name])
    warning = check_calls(optimizer, make_updates(times))
    assert f"called {times} times" in warning
    assert "accelerate" in warning
    assert "gradient accumulation" in warning
    assert check_calls(optimizer, make_updates(1)) == ""


@given(times=integers(2, 90), before=lists(booleans(), max_size=2))
def test_it_warns_after_four_full_periods_and_no_sooner(times: int, before: list[bool]) -> None:
    assert f"called {times} times" in check_calls(
        make_sgd(), [*before, *make_updates(times, 6 * times)]
    )
    assert f"called {times} times" in check_calls(make_sgd(), make_updates(times, 4 * times + 1))
    assert check_calls(make_sgd(), make_updates(times, 4 * times)) == ""


@given(skips=lists(integers(0, 5), max_size=9))
def test_updates_that_mixed_precision_skips_at_first_give_no_warning(skips: list[int]) -> None:
    irregular = [skipped for k, skipped in enumerate(skips) if k == 0 or skipped != skips[k - 1]]
    updates = [update for skipped in irregular for update in [*[False] * skipped, True]]
    assert check_calls(make_sgd(), [*updates, *make_updates(1)]) == ""


def test_a_loss_scale_that_is_too_high_at_first_gives_no_warning() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127, growth_interval=5)
    weights = []

    def train() -> None:
        optimizer.zero_grad()
        scaler.scale(8 * (weight * weight).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        weights.append(weight[0].item())

    assert check_calls(optimizer, [train] * 100) == ""
    assert weights[2] == 1 > weights[-1]  # some updates were skipped, and then some were made


@pytest.mark.parametrize(("batches", "warning"), [(40, "called 4 times"), (10, "")])
def test_a_call_per_batch_gives_a_warning_if_epochs_are_long_enough(
    batches: int, warning: str
) -> None:
    epoch = [(i + 1) % 4 == 0 or i + 1 == batches for i in range(batches)]
    assert warning in check_calls(make_sgd(), epoch * 10)
    assert bool(warning) == bool(check_calls(make_sgd(), epoch * 10))


def test_stepping_without_training_gives_no_warning() -> None:
    optimizer = make_sgd()
    check = StepCheck(optimizer)
    assert [check.check_step(optimizer) for _ in range(MAX_CALLS)] == [True] * (MAX_CALLS - 1) + [
        False
    ]
    without = torch.optim.Adam([torch.nn.Parameter(torch.zeros(3))])  # no gradients, no update
    assert check_calls(without, make_updates(2)) == ""


def test_many_updates_per_call_give_no_warning() -> None:
    optimizer = make_sgd()

    def epoch() -> None:
        for _ in range(10):
            optimizer.step()

    assert check_calls(optimizer, [epoch] * 20) == ""


def test_an_ordinary_loop_is_checked_for_four_calls() -> None:
    optimizer = make_sgd()
    check = StepCheck(optimizer)
    results = []
    for _ in range(4):
        optimizer.step()
        results.append(check.check_step(optimizer))
    assert results == [True, True, True, False]


@pytest.mark.parametrize("turn", [1, -1])
def test_parameters_without_updates_do_not_hide_those_of_others(turn: int) -> None:
    frozen, unused, trained = make_parameters(2), make_parameters(1), make_parameters(1)
    for parameter in frozen:
        parameter.requires_grad_(False)
    for parameter in [*frozen, *unused]:
        parameter.grad = None
    inner = [{"params": []}, {"params": unused}, {"params": trained}][::turn]
    groups = [{"params": frozen[:1]}, *inner, {"params": frozen[1:]}]
    assert "2 times" in check_calls(torch.optim.SGD(groups, lr=0.1), make_updates(2))
    assert check_calls(torch.optim.SGD(groups, lr=0.1), make_updates(1)) == ""


def test_parameters_that_take_turns_give_no_warning() -> None:
    weights = make_parameters(4)
    optimizer = torch.optim.SGD(weights, lr=0.1)

    def train_head(head: int) -> Callable[[], None]:
        def train() -> None:
            for i, weight in enumerate(weights):
                weight.grad = torch.ones(3, 3) if i == head else None
            optimizer.step()

        return train

    heads = [
        train_head(1),
        train_head(0),
        train_head(2),
    ]  # the first and the last, which are checked, and another
    assert check_calls(optimizer, heads * 30) == ""
    assert check_calls(optimizer, [train_head(0), train_head(1)] * 30) == ""
    assert "2 times" in check_calls(optimizer, [train_head(0), False] * 30)


def test_without_a_version_counter_there_is_no_warning() -> None:
    fused = torch.optim.SGD(make_parameters(), lr=0.1, fused=True)  # its kernel leaves the counters
    assert check_calls(fused, make_updates(2)) == ""
    with torch.inference_mode():
        parameter = torch.nn.Parameter(torch.zeros(3))
    assert check_calls(torch.optim.SGD([parameter], lr=0.1), make_updates(2)) == ""
    assert check_calls(torch.optim.SGD([{"params": []}], lr=0.1), make_updates(2)) == ""


def test_other_changes_of_fused_parameters_give_no_warning() -> None:
    weights = make_parameters()
    optimizer = torch.optim.SGD(weights, lr=0.1, fused=True)

    def step_and_average() -> None:
        optimizer.step()
        for weight in weights:
            weight.data.copy_(torch.zeros(3, 3))

    assert check_calls(optimizer, [step_and_average, optimizer.step] * 20) == ""


def test_removed_parameters_end_the_check() -> None:
    optimizer = make_sgd()
    check = StepCheck(optimizer)
    optimizer.param_groups[0]["params"].clear()
    assert not check.check_step(optimizer)


def test_it_keeps_nothing_alive_and_can_be_copied_and_pickled() -> None:
    optimizer = make_sgd()
    check = StepCheck(optimizer)
    for update in [True, False, True, False]:
        if update:
            optimizer.step()
        check.check_step(optimizer)
    references = weakref.ref(optimizer), weakref.ref(optimizer.param_groups[0]["params"][0])
    copies = [copy.deepcopy(check), pickle.loads(pickle.dumps(check))]
    assert all(vars(other) == vars(check) for other in copies)
    gc.disable()  # objects in no cycle are freed at once
    try:
        del optimizer
        assert [reference() for reference in references] == [None, None]
    finally:
        gc.enable()


def test_the_warning_shows_the_users_line() -> None:
    optimizer = make_sgd()
    check = StepCheck(optimizer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for update in make_updates(2, 9):
            if update:
                optimizer.step()
            more = check.check_step(optimizer)  # of this line
    assert not more
    [warning] = caught
    shown = Path(warning.filename).read_text().splitlines()[warning.lineno - 1]
    assert shown.endswith("# of this line")
