"""Each check of a problem passes lrlab's own, and fails one that is broken just there."""

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


def model() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))


def made(seed: int = 0) -> Problem:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(60, 3))
    return lrlab.Problem.from_arrays(x, x @ [1, -1, 0.5] > 0, model)


@pytest.mark.parametrize("name", ["iris", "breast-cancer", "diabetes"])
def test_built_in_problems_pass(name: str) -> None:
    problem = load_problem(name)
    assert isinstance(problem, Problem)
    testing.check_problem(problem)


@pytest.mark.parametrize("check", testing.list_problem_checks(made()), ids=str)
def test_a_problem_of_ones_own_passes(check: testing.Check) -> None:
    check()


def test_one_with_its_own_test_rows_passes() -> None:
    x = np.random.default_rng(0).normal(size=(80, 3))
    y = x[:, 0] ** 2
    testing.check_problem(
        lrlab.Problem.from_arrays(
            x[:60], y[:60], partial(nn.Linear, 3, 1), x_test=x[60:], y_test=y[60:]
        )
    )


class Counting(nn.Module):
    """Keeps a number beside its buffers, which the ensemble finds where it looks for it."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = model()
        self.seen = [0]

    def forward(self, x: Tensor) -> Tensor:
        self.seen[0] += self.training
        return self.inner(x) / (1 + 0.02 * max(0, self.seen[0] - 4))


def broken(**changed: object) -> Problem:
    return replace(made(), **changed)


def split_by(change: Callable[[Split, int], Split]) -> Problem:
    whole = made()
    return replace(whole, split=lambda seed: change(whole.split(seed), seed))


def noisy(split: Split, seed: int) -> Split:
    return replace(split, x_train=split.x_train + torch.rand(1))


def one_model() -> Callable[[], nn.Module]:
    torch.manual_seed(0)
    state = model().state_dict()

    def same() -> nn.Module:
        network = model()
        network.load_state_dict(state)
        return network

    return same


def task(**changed: object) -> Problem:
    return broken(task=replace(made().task, **changed))


BROKEN: dict[str, Callable[[], list[Problem]]] = {
    "can be sent to other processes": lambda: [broken(model=lambda: model())],
    "a seed fixes the split": lambda: [split_by(noisy)],
    "seeds draw splits as overlap says": lambda: [
        broken(test_train_ratio=None),
        broken(test_train_ratio=0.9),
        split_by(lambda split, seed: made().split(0)),
    ],
    "a seed fixes the initial weights": lambda: [
        broken(model=one_model()),
        broken(model=lambda: nn.Linear(3, 2).apply(unseeded)),
    ],
    "tests rows that it does not train on": lambda: [
        split_by(
            lambda split, seed: replace(split, x_test=split.x_train[:18], y_test=split.y_train[:18])
        )
    ],
    "has the training rows that it says": lambda: [
        broken(train_rows=41),
        split_by(lambda split, seed: replace(split, y_test=split.y_test[:3])),
    ],
    "the loss reaches the weights": lambda: [
        task(loss=lambda outputs, y: nn.functional.cross_entropy(outputs, y) * float("nan")),
        task(loss=lambda outputs, y: nn.functional.cross_entropy(outputs, y, reduction="none")),
        task(loss=lambda outputs, y: (outputs * 0).sum()),
    ],
    "the metric goes the way it says": lambda: [
        task(metric=replace(made().metric, greater_is_better=False)),
        task(metric=replace(made().metric, fn=lambda outputs, y: torch.tensor(0.5))),
    ],
    "a guess has a score": lambda: [
        task(
            dummy_output=lambda y: torch.full((2,), torch.nan),
            metric=replace(made().metric, fn=lambda outputs, y: outputs.mean()),
        )
    ],
    "the ensemble agrees with the loop, or says why it cannot": lambda: [broken(model=Counting)],
}


def unseeded(layer: nn.Module) -> None:
    generator = torch.Generator()
    generator.seed()
    nn.init.normal_(layer.weight, generator=generator)


def test_every_check_is_seen_to_fail() -> None:
    assert {str(check) for check in testing.list_problem_checks(made())} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails(name: str) -> None:
    for problem in BROKEN[name]():
        (check,) = [check for check in testing.list_problem_checks(problem) if str(check) == name]
        with pytest.raises(AssertionError) as failed:
            check()
        assert "nothing may fail" not in str(failed.value)
        assert len(str(failed.value)) > 40
