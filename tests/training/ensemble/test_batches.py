"""Batches in the ensemble: of any size, shuffled or not, of many seeds."""

from dataclasses import replace

import pytest
import torch

from lrlab import Cosine
from lrlab.training import Run, Settings, ensemble, loop
from tests.training.assertions import assert_equals_loop, assert_same_result
from tests.training.factories import (
    make_digits_problem,
    make_regression_problem,
    make_tutorial_problem,
)

SHORT = Settings(epochs=3, batch_size=11)


@pytest.mark.parametrize("size", [1, 43, 10**30])
def test_batches_of_any_size(size: int) -> None:
    settings = Settings(epochs=2, batch_size=size, momentum=0.9, lr=0.01)
    runs = [Run(schedule, settings, seed) for schedule in (None, Cosine()) for seed in (0, 1)]
    assert_equals_loop(make_digits_problem(), runs)


@pytest.mark.parametrize("shuffle", [True, False])
def test_shuffling_equals_the_loops(shuffle: bool) -> None:
    settings = replace(SHORT, shuffle=shuffle)
    assert_equals_loop(make_tutorial_problem(), [Run(Cosine(), settings, seed) for seed in (3, 4)])


def test_many_runs_of_many_seeds() -> None:
    # Seeds have different numbers of runs.
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1), rows=10)
    settings = Settings(epochs=2, batch_size=4)
    runs = [
        Run(None, replace(settings, lr=0.2 / (1 + i)), seed)
        for seed in range(5)
        for i in range(40 * (seed % 3) + 1)
    ]
    results = ensemble.train(problem, runs)
    for i in range(0, len(runs), 13):
        assert_same_result(results[i], loop.train(problem, runs[i]))
