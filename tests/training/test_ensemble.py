"""The ensemble against the loop: every optimizer, every kind of network, every kind of schedule."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from lrlab import (
    Absolute,
    Constant,
    Cosine,
    Exponential,
    Formula,
    Greedy,
    Linear,
    Plateau,
    Schedule,
    Warmup,
)
from lrlab.problems import load_problem
from lrlab.training import Run, Settings, ensemble, loop
from tests.training.cases import (
    OPTIMIZERS,
    PROBLEMS,
    SCHEDULES,
    as_double,
    as_images,
    digits,
    runs_of,
    tutorial,
)
from tests.training.equality import assert_like_the_loop

SHORT = Settings(epochs=3, batch_size=11)


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("per", SCHEDULES)
def test_a_run_among_others_is_the_loops(problem: str, optimizer: str, per: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer])
    results = assert_like_the_loop(PROBLEMS[problem](), runs_of(per, settings))
    assert not any(result.diverged for result in results)
    for result in results[2:4]:  # these read a metric, and have moved
        assert np.diff(result.curve.get_column("lr_end")).any()
        assert np.isfinite(result.curve.get_column("validation_score")).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop, centered"])
def test_gradients_are_clipped_run_by_run(optimizer: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer])
    limits = (None, 1e-3, 0.3, 0.6, 1e3)
    runs = [
        Run(Cosine(), replace(settings, max_grad_norm=clip), seed)
        for clip in limits
        for seed in (0, 1)
    ]
    results = assert_like_the_loop(digits(), runs)
    losses = {float(result.curve.get_column("loss")[-1]) for result in results[::2]}
    assert len(losses) >= len(limits) - 1  # the largest limit may never be reached


def test_a_metric_that_is_better_when_it_rises_is_read_too() -> None:
    rising = Plateau(0.2, patience=0, mode="max", threshold=0.2)
    settings = replace(SHORT, validation_size=0.25, epochs=6)
    runs = [
        Run(schedule, replace(settings, step_every=per), seed)
        for per in ("epoch", "step")
        for schedule in (rising, Warmup(1) >> rising, Plateau(patience=0), None)
        for seed in (0, 1)
    ]
    results = assert_like_the_loop(digits(), runs)
    assert len({float(result.curve[-1].lr_end) for result in results}) >= 3


def test_without_rows_held_out_the_training_loss_is_read() -> None:
    schedules = (
        Plateau(0.5, patience=0, threshold=0.2),
        Greedy(0.5, patience=0) * Exponential(0.9),
        None,
    )
    results = assert_like_the_loop(
        digits(), [Run(s, SHORT, seed) for s in schedules for seed in (0, 1)]
    )
    assert results[0].curve[-1].lr_end < results[4].curve[-1].lr_end < results[2].curve[-1].lr_end


@pytest.mark.parametrize("per", ["epoch", "step"])
@pytest.mark.parametrize(
    ("optimizer", "others"),
    [
        # Torch begins its average of gradients at the first step that has momentum.
        ("sgd, momentum", {"momentum": Formula("t >= 2")}),
        ("sgd, dampening", {"momentum": Formula("t >= 2"), "dampening": Linear(1, 2, over=3)}),
        # And keeps it, as it was, through steps that have none.
        ("sgd, momentum", {"momentum": Formula("1 - (t >= 1) * (t < 3)")}),
        ("sgd, dampening", {"momentum": Formula("1 - (t >= 1) * (t < 3)")}),
        ("sgd, nesterov", {"momentum": Formula("1 - 0.7 * t / 10")}),
        ("sgd, weight decay", {"weight_decay": Formula("t % 2"), "momentum": Linear(1, 0, over=3)}),
        ("sgd", {"weight_decay": Linear(Absolute(0.0), Absolute(0.1), over=4)}),
        ("adam", {"betas[0]": Linear(1.1, 0.0, over=4), "betas[1]": Linear(0.5, 1.0, over=4)}),
        ("adam", {"momentum": Cosine(), "weight_decay": Exponential(0.5), "eps": Linear(1, 1e4)}),
        ("adamw", {"weight_decay": Formula("t % 2"), "beta2": Linear(0.5, 1, over=3)}),
        ("adamw", {"weight_decay": Plateau(0.5, patience=0, threshold=0.3)}),
        ("rmsprop", {"alpha": Linear(0.3, 1, over=4), "weight_decay": Constant(Absolute(0.1))}),
        ("rmsprop, centered", {"momentum": Linear(1, 0.1, over=5), "alpha": Cosine(end=0.5)}),
    ],
)
def test_other_hyperparameters_have_schedules(
    optimizer: str, others: dict[str, Schedule], per: str
) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every=per)
    runs = [
        Run(schedule, settings, seed, given)
        for given in (others, {})
        for schedule in (None, Warmup(1) >> Cosine())
        for seed in (0, 1)
    ]
    results = assert_like_the_loop(tutorial(), runs)
    for scheduled, plain in zip(results[:4], results[4:], strict=True):
        assert scheduled.curve != plain.curve


@pytest.mark.parametrize("optimizer", ["sgd, nesterov", "adamw", "rmsprop, centered"])
def test_a_rate_may_be_zero_for_a_while(optimizer: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every="step")
    schedules = (Formula("(t + 1) % 2"), Formula("t >= 4"), Warmup(4, start=0.0))
    assert_like_the_loop(tutorial(), [Run(schedule, settings, 0) for schedule in schedules])


@pytest.mark.parametrize("size", [1, 43, 10**30])
def test_batches_of_any_size(size: int) -> None:
    settings = Settings(epochs=2, batch_size=size, momentum=0.9, lr=0.01)
    runs = [Run(schedule, settings, seed) for schedule in (None, Cosine()) for seed in (0, 1)]
    assert_like_the_loop(digits(), runs)


@pytest.mark.parametrize("shuffle", [True, False])
def test_rows_are_shuffled_as_the_run_says(shuffle: bool) -> None:
    settings = replace(SHORT, shuffle=shuffle)
    assert_like_the_loop(tutorial(), [Run(Cosine(), settings, seed) for seed in (3, 4)])


def test_regression_is_scored_in_the_targets_units() -> None:
    problem = as_double(load_problem("diabetes"))
    settings = Settings(lr=0.01, epochs=2, validation_size=0.1, batch_size=64)
    results = assert_like_the_loop(problem, [Run(s, settings, 0) for s in (None, Exponential(0.8))])
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
def test_in_float32_only_rows_on_the_boundary_may_differ(
    name: str, optimizer: str, request: pytest.FixtureRequest
) -> None:
    if name == "ionosphere":
        request.getfixturevalue("ionosphere_folder")
        problem, epochs = load_problem("ionosphere"), 12
    else:
        flat = load_problem("digits")
        problem, epochs = (flat if name == "digits" else as_images(flat)), 2
    settings = Settings(epochs=epochs, batch_size=64, **OPTIMIZERS[optimizer])
    runs = [Run(schedule, settings, 0) for schedule in (None, Warmup(1) >> Cosine())]
    for run, result in zip(runs, ensemble.train(problem, runs), strict=True):
        model, expected = loop.train_and_get_model(problem, run)
        split = problem.split(0)
        with torch.no_grad():
            near = int((margins(model(split.x_test)) < 1e-3).sum())
        differing = abs(result.test_score - expected.test_score) * len(split.x_test)
        assert differing <= near + 1e-6
        assert expected.test_score > 0.5
        assert near < 0.1 * len(split.x_test)
        losses = (each.curve.get_column("loss") for each in (result, expected))
        np.testing.assert_allclose(*losses, rtol=1e-2)


def margins(outputs: Tensor) -> Tensor:
    """How far the outputs of a row are from being taken for another class."""
    if outputs.shape[1] == 1:  # a probability
        return (outputs - 0.5).abs()
    best = outputs.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]
