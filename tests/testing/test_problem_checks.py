"""Checks of problems: correct ones pass, and each check finds its own mistake."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lrlab
from lrlab import testing
from lrlab.problems import Problem, Split, load_problem


def build_model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))


def make_problem(seed: int = 0) -> Problem:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(60, 3))
    return lrlab.Problem.from_arrays(x, x @ [1, -1, 0.5] > 0, build_model)


@pytest.mark.parametrize("name", ["iris", "breast-cancer", "diabetes"])
def test_built_in_problems_pass(name: str) -> None:
    problem = load_problem(name)
    assert isinstance(problem, Problem)
    testing.check_problem(problem)


@pytest.mark.parametrize("check", testing.list_problem_checks(make_problem()), ids=str)
def test_a_problem_of_arrays_passes(check: testing.Check) -> None:
    check()


def test_a_problem_with_fixed_test_rows_passes() -> None:
    x = np.random.default_rng(0).normal(size=(80, 3))
    y = x[:, 0] ** 2
    testing.check_problem(
        lrlab.Problem.from_arrays(
            x[:60], y[:60], partial(nn.Linear, 3, 1), x_test=x[60:], y_test=y[60:]
        )
    )


class StepCounter(nn.Module):
    """A network with state outside its parameters and buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = build_model()
        self.steps = [0]

    def forward(self, x: Tensor) -> Tensor:
        self.steps[0] += self.training
        return self.inner(x) / (1 + 0.02 * max(0, self.steps[0] - 4))


def change_problem(**changes: object) -> Problem:
    return replace(make_problem(), **changes)


def change_split(change: Callable[[Split, int], Split]) -> Problem:
    problem = make_problem()
    return replace(problem, split=lambda seed: change(problem.split(seed), seed))


def add_noise(split: Split, seed: int) -> Split:
    return replace(split, x_train=split.x_train + torch.rand(1))


def make_constant_network() -> Callable[[], nn.Module]:
    torch.manual_seed(0)
    state = build_model().state_dict()

    def build_same() -> nn.Module:
        network = build_model()
        network.load_state_dict(state)
        return network

    return build_same


def change_task(**changes: object) -> Problem:
    return change_problem(task=replace(make_problem().task, **changes))


BROKEN: dict[str, Callable[[], list[Problem]]] = {
    "can be sent to other processes": lambda: [change_problem(model=lambda: build_model())],
    "a seed fixes the split": lambda: [change_split(add_noise)],
    "seeds draw test rows as test_train_ratio says": lambda: [
        change_problem(test_train_ratio=None),
        change_problem(test_train_ratio=0.9),
        change_split(lambda split, seed: make_problem().split(0)),
    ],
    "a seed fixes the initial weights": lambda: [
        change_problem(model=make_constant_network()),
        change_problem(model=lambda: nn.Linear(3, 2).apply(init_without_seed)),
    ],
    "test rows are not training rows": lambda: [
        change_split(
            lambda split, seed: replace(split, x_test=split.x_train[:18], y_test=split.y_train[:18])
        )
    ],
    "train_rows is the number of training rows": lambda: [
        change_problem(train_rows=41),
        change_split(lambda split, seed: replace(split, y_test=split.y_test[:3])),
    ],
    "the loss has a gradient": lambda: [
        change_task(loss=lambda outputs, y: nn.functional.cross_entropy(outputs, y) * float("nan")),
        change_task(
            loss=lambda outputs, y: nn.functional.cross_entropy(outputs, y, reduction="none")
        ),
        change_task(loss=lambda outputs, y: (outputs * 0).sum()),
    ],
    "the metric has the stated direction": lambda: [
        change_task(metric=replace(make_problem().metric, greater_is_better=False)),
        change_task(metric=replace(make_problem().metric, fn=lambda outputs, y: torch.tensor(0.5))),
    ],
    "the dummy score is finite": lambda: [
        change_task(
            dummy_output=lambda y: torch.full((2,), torch.nan),
            metric=replace(make_problem().metric, fn=lambda outputs, y: outputs.mean()),
        )
    ],
    "the ensemble agrees with the loop, or refuses": lambda: [change_problem(model=StepCounter)],
}


def init_without_seed(layer: nn.Module) -> None:
    generator = torch.Generator()
    generator.seed()
    nn.init.normal_(layer.weight, generator=generator)


def test_every_check_has_a_problem_that_fails_it() -> None:
    assert {str(check) for check in testing.list_problem_checks(make_problem())} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_fails_its_check(name: str) -> None:
    for problem in BROKEN[name]():
        (check,) = [check for check in testing.list_problem_checks(problem) if str(check) == name]
        with pytest.raises(AssertionError) as failed:
            check()
        assert "must not fail" not in str(failed.value)
        assert len(str(failed.value)) > 40
