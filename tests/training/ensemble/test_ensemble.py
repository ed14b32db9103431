"""The ensemble against the loop: optimizers, schedules, settings, and runs next to any others."""

import time
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import settings as drawn
from hypothesis.strategies import integers, lists
from torch import Tensor

from lrlab import (
    Absolute,
    Constant,
    Cosine,
    Custom,
    Exponential,
    Formula,
    Greedy,
    Linear,
    Plateau,
    Schedule,
    Warmup,
    parse,
)
from lrlab.errors import LrlabError
from lrlab.problems import Split, load_problem
from lrlab.training import Result, Run, Settings, ensemble, loop
from lrlab.training.ensemble import schedule_table
from lrlab.views.gallery import GALLERY
from tests.training.assertions import assert_equals_loop, assert_same_result, assert_same_weights
from tests.training.factories import (
    OPTIMIZERS,
    PROBLEMS,
    SCHEDULES,
    make_digits_problem,
    make_images_problem,
    make_regression_problem,
    make_runs,
    make_tutorial_problem,
    to_float64,
    to_images,
)

SHORT = Settings(epochs=3, batch_size=11)


@pytest.mark.parametrize("problem", PROBLEMS)
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


def test_schedules_read_a_metric_to_maximize() -> None:
    max_plateau = Plateau(0.2, patience=0, mode="max", threshold=0.2)
    settings = replace(SHORT, validation_size=0.25, epochs=6)
    runs = [
        Run(schedule, replace(settings, step_every=step_every), seed)
        for step_every in ("epoch", "step")
        for schedule in (max_plateau, Warmup(1) >> max_plateau, Plateau(patience=0), None)
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_digits_problem(), runs)
    assert len({float(result.curve[-1].lr_end) for result in results}) >= 3


def test_without_validation_rows_the_training_loss_is_read() -> None:
    schedules = (
        Plateau(0.5, patience=0, threshold=0.2),
        Greedy(0.5, patience=0) * Exponential(0.9),
        None,
    )
    results = assert_equals_loop(
        make_digits_problem(), [Run(s, SHORT, seed) for s in schedules for seed in (0, 1)]
    )
    assert results[0].curve[-1].lr_end < results[4].curve[-1].lr_end < results[2].curve[-1].lr_end


@pytest.mark.parametrize("step_every", ["epoch", "step"])
@pytest.mark.parametrize(
    ("optimizer", "schedules"),
    [
        # Torch starts its momentum buffer at the first step with momentum.
        ("sgd, momentum", {"momentum": Formula("t >= 2")}),
        ("sgd, dampening", {"momentum": Formula("t >= 2"), "dampening": Linear(1, 2, over=3)}),
        # And does not change it in steps without momentum.
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
    optimizer: str, schedules: dict[str, Schedule], step_every: str
) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every=step_every)
    runs = [
        Run(schedule, settings, seed, hyperparameter_schedules)
        for hyperparameter_schedules in (schedules, {})
        for schedule in (None, Warmup(1) >> Cosine())
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_tutorial_problem(), runs)
    for scheduled, plain in zip(results[:4], results[4:], strict=True):
        assert scheduled.curve != plain.curve


@pytest.mark.parametrize("optimizer", ["sgd, nesterov", "adamw", "rmsprop, centered"])
def test_a_learning_rate_may_be_zero_at_some_steps(optimizer: str) -> None:
    settings = replace(SHORT, **OPTIMIZERS[optimizer], step_every="step")
    schedules = (Formula("(t + 1) % 2"), Formula("t >= 4"), Warmup(4, start=0.0))
    assert_equals_loop(
        make_tutorial_problem(), [Run(schedule, settings, 0) for schedule in schedules]
    )


@pytest.mark.parametrize("size", [1, 43, 10**30])
def test_batches_of_any_size(size: int) -> None:
    settings = Settings(epochs=2, batch_size=size, momentum=0.9, lr=0.01)
    runs = [Run(schedule, settings, seed) for schedule in (None, Cosine()) for seed in (0, 1)]
    assert_equals_loop(make_digits_problem(), runs)


@pytest.mark.parametrize("shuffle", [True, False])
def test_shuffling_equals_the_loops(shuffle: bool) -> None:
    settings = replace(SHORT, shuffle=shuffle)
    assert_equals_loop(make_tutorial_problem(), [Run(Cosine(), settings, seed) for seed in (3, 4)])


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


@cache
def train_in_loop(i: int) -> tuple[torch.nn.Module, Result]:
    return loop.train_and_get_model(make_digits_problem(), POOL[i])


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


@pytest.mark.parametrize("step_every", ["epoch", "step"])
def test_schedules_are_computed_a_few_steps_ahead(
    step_every: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_table, "PRECOMPUTED_STEPS", 4)
    settings = replace(VALIDATED, step_every=step_every, epochs=7)
    schedules = (Plateau(0.5, patience=0, threshold=0.3), Greedy(0.5, patience=1), Cosine())
    assert_equals_loop(
        make_digits_problem(), [Run(s, settings, seed) for s in schedules for seed in (0, 1)]
    )


def test_all_schedules_of_the_gallery_train_together() -> None:
    examples = [example for group in GALLERY.values() for example in group]
    schedules = [example.schedule or parse(example.text) for example in examples]
    settings = replace(BASIC, lr=1e-3, step_every="step")
    assert_equals_loop(
        make_digits_problem(), [Run(schedule, settings, 0) for schedule in schedules]
    )


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


def test_schedules_may_be_functions_without_a_hash() -> None:
    @dataclass
    class Decay:
        slope: float

        def __call__(self, t: float) -> float:
            return 1 / (1 + self.slope * t)

    runs = [Run(Custom(Decay(slope)), BASIC, 0) for slope in (0.1, 1.0)]
    assert_equals_loop(make_digits_problem(), runs)


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
