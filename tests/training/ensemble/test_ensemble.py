"""The ensemble against the loop, with any runs in it; determinism, and errors."""

import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as drawn
from hypothesis.strategies import integers, lists
from torch import Tensor

from lrlab import (
    Constant,
    Cosine,
    Custom,
    Exponential,
    Formula,
    Linear,
    Plateau,
    Warmup,
)
from lrlab.errors import LrlabError
from lrlab.problems import Split, load_problem
from lrlab.training import Result, Run, Settings, ensemble, loop
from tests.training.assertions import assert_equals_loop, assert_same_result, assert_same_weights
from tests.training.factories import (
    OPTIMIZERS,
    PROBLEMS,
    SCHEDULES,
    make_digits_problem,
    make_images_problem,
    make_regression_problem,
    make_runs,
    to_float64,
    to_images,
)

SHORT = Settings(epochs=3, batch_size=11)
BASIC = Settings(epochs=3, batch_size=16)
DIVERGING = replace(BASIC, lr=1e38)
HEAVY = replace(BASIC, momentum=0.9, lr=0.05)
VALIDATED = replace(BASIC, validation_size=0.25)

POOL = (
    Run(None, BASIC, 0),
    Run(Exponential(0.5), BASIC, 0),
    Run(Exponential(0.5), BASIC, 1),
    Run(Cosine(), replace(BASIC, lr=0.01), 1),
    Run(Cosine(), replace(BASIC, step_every="step"), 0),
    Run(Cosine(), HEAVY, 0, {"momentum": Linear(1, 0)}),
    Run(Cosine(), replace(HEAVY, nesterov=True), 0),
    Run(Cosine(), replace(BASIC, optimizer="adam", lr=0.01), 0),
    Run(Cosine(), replace(BASIC, optimizer="adam", lr=0.01, eps=1e-3), 0),
    Run(Cosine(), replace(BASIC, optimizer="rmsprop", lr=0.003), 0),
    Run(Cosine(), replace(BASIC, batch_size=44), 0),
    Run(Cosine(), replace(BASIC, shuffle=False), 0),
    Run(Cosine(), replace(BASIC, epochs=1), 0),
    Run(Cosine(), replace(BASIC, max_grad_norm=0.1), 0),
    Run(Plateau(0.5, patience=0, threshold=0.3), BASIC, 0),
    Run(Plateau(0.5, patience=0, threshold=0.3), VALIDATED, 0),
    Run(
        Plateau(0.5, patience=0, mode="max", threshold=1.0),
        replace(VALIDATED, step_every="step"),
        0,
    ),
    Run(None, DIVERGING, 0),
    Run(Formula("1e30 ** (t >= 4)"), replace(BASIC, step_every="step"), 1),
)
"""Runs that differ in every field."""


@pytest.mark.parametrize(
    "problem", ["tutorial", "digits", pytest.param("images", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("step_every", SCHEDULES)
def test_runs_equal_the_loops(problem: str, optimizer: str, step_every: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer])
    results = assert_equals_loop(PROBLEMS[problem](), make_runs(step_every, settings))
    assert not any(result.diverged for result in results)
    for result in results[2:4]:  # these are metric-driven and have changed
        assert np.diff(result.curve.get_column("lr_end")).any()
        assert np.isfinite(result.curve.get_column("validation_score")).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop, centered"])
def test_gradients_are_clipped_run_by_run(optimizer: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer])
    limits = (None, 1e-3, 0.3, 0.6, 1e3)
    runs = [
        Run(Cosine(), replace(settings, max_grad_norm=limit), seed)
        for limit in limits
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_digits_problem(), runs)
    losses = {float(result.curve.get_column("loss")[-1]) for result in results[::2]}
    assert len(losses) >= len(limits) - 1  # the largest limit may never be reached


def test_regression_is_scored_in_the_targets_units() -> None:
    problem = to_float64(load_problem("diabetes"))
    settings = Settings(lr=0.01, epochs=2, validation_size=0.1, batch_size=64)
    results = assert_equals_loop(problem, [Run(s, settings, 0) for s in (None, Exponential(0.8))])
    assert results[0].test_score > 10  # the target's standard deviation is 77


@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        ("ionosphere", "sgd, momentum"),
        ("ionosphere", "adamw"),
        ("digits", "adamw"),
        ("images", "sgd, momentum"),
    ],
)
def test_in_float32_only_rows_near_the_decision_boundary_may_differ(
    name: str, optimizer: str, request: pytest.FixtureRequest
) -> None:
    if name == "ionosphere":
        request.getfixturevalue("ionosphere_folder")
        problem, epochs = load_problem("ionosphere"), 12
    else:
        flat = load_problem("digits")
        problem, epochs = (flat if name == "digits" else to_images(flat)), 2
    settings = Settings(epochs=epochs, batch_size=64, **OPTIMIZERS[optimizer])
    runs = [Run(schedule, settings, 0) for schedule in (None, Warmup(1) >> Cosine())]
    for run, result in zip(runs, ensemble.train(problem, runs), strict=True):
        model, expected = loop.train_and_get_model(problem, run)
        split = problem.split(0)
        with torch.no_grad():
            near = int((compute_margins(model(split.x_test)) < 1e-3).sum())
        differing = abs(result.test_score - expected.test_score) * len(split.x_test)
        assert differing <= near + 1e-6
        assert expected.test_score > 0.5
        assert near < 0.1 * len(split.x_test)
        losses = (each.curve.get_column("loss") for each in (result, expected))
        np.testing.assert_allclose(*losses, rtol=1e-2)


def compute_margins(outputs: Tensor) -> Tensor:
    """Compute how far the outputs of each row are from another class."""
    if outputs.shape[1] == 1:  # a probability
        return (outputs - 0.5).abs()
    best = outputs.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]


@cache
def train_in_loop(i: int) -> tuple[torch.nn.Module, Result]:
    return loop.train_and_get_model(make_digits_problem(), POOL[i])


@pytest.mark.slow
@given(lists(integers(0, len(POOL) - 1), min_size=1, max_size=len(POOL)))
@example(list(range(len(POOL))))
@example([2, 1, 17, 1, 2, 0])
@drawn(max_examples=2)
def test_any_runs_train_together(indices: list[int]) -> None:
    in_ensemble = ensemble.train_and_get_weights(make_digits_problem(), [POOL[i] for i in indices])
    for i, (weights, result) in zip(indices, in_ensemble, strict=True):
        model, expected = train_in_loop(i)
        assert_same_result(result, expected)
        if not expected.diverged:
            assert_same_weights(weights, model)


def test_batch_statistics_are_separate_for_each_run() -> None:
    diverging = replace(BASIC, lr=1e38, weight_decay=1e38)
    settings = (BASIC, diverging, replace(BASIC, lr=0.5))
    runs = [Run(None, each, seed) for each in settings for seed in (0, 1)]
    trained = ensemble.train_and_get_weights(make_images_problem(), runs)
    assert trained[2][1].diverged
    for i in (0, 1, 4, 5):
        model, expected = loop.train_and_get_model(make_images_problem(), runs[i])
        assert_same_result(trained[i][1], expected)
        assert_same_weights(trained[i][0], model)


def test_gradients_without_a_limit_are_not_clipped() -> None:
    problem = make_regression_problem(lambda: torch.nn.Linear(4, 1))

    def split(seed: int) -> Split:
        rows = problem.split(seed)
        return replace(rows, x_train=1e200 * rows.x_train)

    task = replace(problem.task, loss=torch.nn.L1Loss())
    settings = replace(BASIC, lr=1e-201)
    runs = [Run(None, replace(settings, max_grad_norm=limit), 0) for limit in (None, 1.0)]
    results = assert_equals_loop(replace(problem, split=split, task=task), runs)
    assert not any(result.diverged for result in results)


def test_the_same_call_gives_the_same_bits() -> None:
    runs = POOL[:8]
    first, second = (ensemble.train_and_get_weights(make_digits_problem(), runs) for _ in range(2))
    for (weights, result), (repeated_weights, repeated) in zip(first, second, strict=True):
        assert result.curve == repeated.curve
        assert all(torch.equal(weights[name], repeated_weights[name]) for name in weights)


def test_global_state_of_torch_is_not_changed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state(), torch.get_num_threads(), torch.is_grad_enabled()
    ensemble.train(make_images_problem(), POOL[:3])
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == before[1:]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_is_not_changed(threads: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        results = ensemble.train(make_digits_problem(), POOL[:2])
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for i, result in enumerate(results):
        assert_same_result(result, train_in_loop(i)[1])


def test_the_callers_generator_has_no_effect() -> None:
    torch.manual_seed(1)
    first = ensemble.train(make_digits_problem(), POOL[:2])
    torch.manual_seed(2)
    second = ensemble.train(make_digits_problem(), POOL[:2])
    assert [result.curve for result in first] == [result.curve for result in second]


def test_no_runs_give_no_results() -> None:
    assert ensemble.train(make_digits_problem(), []) == []


def test_seconds_are_divided_among_runs() -> None:
    started = time.perf_counter()
    results = ensemble.train(make_digits_problem(), POOL[:6])
    seconds = time.perf_counter() - started
    assert all(result.seconds > 0 for result in results)
    assert sum(result.seconds for result in results) <= seconds


@pytest.mark.parametrize(
    "run",
    [
        Run(Formula("3 - t"), replace(BASIC, epochs=10), 0),
        Run(Constant(0.0), BASIC, 0),
        Run(Custom(lambda t: None), BASIC, 0),
        Run(Plateau(mode="max"), BASIC, 0),
        Run(None, replace(BASIC, validation_size=0.999), 0),
        Run(None, BASIC, 0, {"momentun": Constant(1.0)}),
        Run(None, replace(BASIC, optimizer="adam"), 0, {"dampening": Constant(1.0)}),
        Run(None, BASIC, 0, {"nesterov": Constant(1.0)}),
    ],
)
def test_errors_equal_the_loops(run: Run) -> None:
    with pytest.raises(LrlabError) as expected:
        loop.train(make_digits_problem(), run)
    for runs in ([run], [POOL[0], run]):
        with pytest.raises(type(expected.value)) as caught:
            ensemble.train(make_digits_problem(), runs)
        assert str(caught.value) == str(expected.value)
