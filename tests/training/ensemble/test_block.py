"""Blocks: runs diverge at the step at which they do in the loop, and never affect others."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lrlab import Formula, Greedy, Plateau
from lrlab.problems import Problem, Split, load_problem
from lrlab.problems.metrics import Metric, OutputKind, make_task
from lrlab.training import Result, Run, Settings, ensemble, loop
from lrlab.training.ensemble import block
from tests.training.assertions import assert_equals_loop
from tests.training.factories import (
    OPTIMIZERS,
    make_digits_problem,
    make_images_problem,
    make_problem,
    make_regression_problem,
    make_two_classes,
    sample_normal,
)

pytestmark = pytest.mark.slow

BASIC = Settings(epochs=4, batch_size=16)


def build_small_network() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))


def get_divergence_steps(results: list[Result]) -> list[int | None]:
    return [result.diverged_at_step for result in results]


@pytest.mark.parametrize("optimizer", ["sgd", "sgd, nesterov", "adam", "rmsprop, centered"])
def test_runs_diverge_at_any_step(optimizer: str) -> None:
    settings = replace(BASIC, **OPTIMIZERS[optimizer], step_every="step")
    blow_ups = [Formula(f"1e9 ** (t >= {k})") for k in (0, 1, 2, 3, 5, 7, 11)]
    runs = [Run(schedule, settings, seed) for schedule in (None, *blow_ups) for seed in (0, 1)]
    results = assert_equals_loop(make_regression_problem(lambda: Fragile(nn.Linear(4, 1))), runs)
    assert get_divergence_steps(results[::2]) == [None, 1, 2, 3, 4, 6, 8, 12]


def test_weights_overflow_step_by_step() -> None:
    settings = replace(BASIC, **OPTIMIZERS["sgd, nesterov"], step_every="step")
    blow_ups = [Formula(f"1e38 ** (t >= {k})") for k in (0, 1, 2, 3, 5, 7)]
    runs = [Run(schedule, settings, seed) for schedule in (None, *blow_ups) for seed in (0, 1)]
    results = assert_equals_loop(make_regression_problem(build_small_network), runs)
    assert get_divergence_steps(results[:2]) == [None, None]
    assert len({*get_divergence_steps(results)}) > 4


def test_remaining_runs_go_on_when_diverged_ones_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(block, "_MIN_SAVED_RUN_STEPS", 1)
    problem = replace(make_images_problem(), model=lambda: Fragile(make_images_problem().model()))
    settings = replace(BASIC, momentum=0.5, step_every="step", validation_size=0.25, batch_size=11)
    schedules = (None, Plateau(0.5, patience=0, threshold=0.5), Greedy(0.5, patience=0))
    runs = [Run(schedule, settings, seed) for seed in (0, 1, 3) for schedule in schedules]
    # All of one seed and some of two others; at once, and later.
    for seed, k in ((2, 0), (2, 4), (0, 4), (1, 0), (1, 7), (2, 7)):
        runs.insert(3 * seed % 7, Run(Formula(f"1e9 ** (t >= {k})"), settings, seed))
    results = assert_equals_loop(problem, runs)
    assert sorted(result.diverged_at_step or 0 for result in results) == [0] * 9 + [
        1,
        1,
        5,
        5,
        8,
        8,
    ]


class Fragile(nn.Module):
    """A network whose outputs are NaN for weights that are not small."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        norms = [parameter.square().sum() for parameter in self.network.parameters()]
        return self.network(x) + 0 * torch.stack(norms).sum().exp()


@pytest.mark.parametrize(
    "problem", [make_digits_problem, pytest.param(make_images_problem, marks=pytest.mark.slow)]
)
def test_networks_of_every_kind_diverge(problem: Callable[[], Problem]) -> None:
    # Where layers are normalized, only the decay of the weights makes them overflow.
    settings = [replace(BASIC, lr=1e38, weight_decay=1e38), BASIC]
    runs = [Run(None, each, seed) for each in settings for seed in (0, 1)]
    results = assert_equals_loop(problem(), runs)
    assert [result.diverged for result in results] == [True, True, False, False]


def test_all_runs_diverge() -> None:
    runs = [Run(None, replace(BASIC, lr=lr), seed) for lr in (1e20, 1e38) for seed in (0, 1)]
    results = assert_equals_loop(make_regression_problem(build_small_network), runs)
    assert all(result.diverged for result in results)


class Bounded(nn.Module):
    """A network whose output is finite for weights that are not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((4, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.tanh()


def test_weights_are_checked_at_the_end_of_an_epoch() -> None:
    settings = replace(BASIC, step_every="step", weight_decay=1e38)
    runs = [
        Run(Formula(f"1e-38 + 1e39 * (t >= {k})"), settings, seed)
        for k in range(12)
        for seed in (0, 1)
    ]
    results = assert_equals_loop(make_regression_problem(Bounded), runs)
    assert {6, 9, 12} <= {*get_divergence_steps(results)}


def test_infinite_rows_end_the_runs_of_their_seed() -> None:
    problem = make_regression_problem(build_small_network)

    def split(seed: int) -> Split:
        rows = problem.split(seed)
        with_infinity = rows.x_train.clone()
        with_infinity[20] = inf if seed == 1 else with_infinity[20]
        return replace(rows, x_train=with_infinity)

    settings = replace(BASIC, batch_size=8, momentum=0.9)
    runs = [
        Run(None, replace(settings, shuffle=shuffle), seed)
        for shuffle in (True, False)
        for seed in (0, 1, 2)
    ]
    results = assert_equals_loop(replace(problem, split=split), runs)
    assert get_divergence_steps(results)[3:] == [None, 2, None]
    assert [result.diverged for result in results] == [False, True, False] * 2


@pytest.mark.parametrize("where", ["validation", "test"])
def test_outputs_may_overflow_on_evaluation_rows_only(where: str) -> None:
    # One row is so large that its output overflows once the weight has passed 1.8, on its way to 3.
    absolute = Metric("MAE", lambda outputs, y: (outputs - y).abs().mean(), greater_is_better=False)
    task = make_task(OutputKind.QUANTITY, loss=nn.SmoothL1Loss(), metric=absolute)
    validation = 0.05

    def ones(seed: int, huge: int = -1) -> Split:
        x, y = torch.ones(20, 1).double(), torch.full((20, 1), 3.0).double()
        test = x[:5].clone()
        if where == "test":
            test[2] = 1e308
        elif huge >= 0:
            x[huge] = 1e308
        return Split(x, y, test, y[:5])

    problem = Problem("one", "one", ones, 20, Slope, task, True, "one weight")

    def split(seed: int) -> Split:
        marked = replace(ones(seed), x_train=torch.arange(20.0).reshape(20, 1))
        validation_row = replace(problem, split=lambda _: marked).split_rows(seed, 1).x_validation
        assert validation_row is not None
        return ones(seed, huge=int(validation_row))

    settings = Settings(epochs=6, batch_size=10, validation_size=validation)
    runs = [Run(None, replace(settings, lr=lr), seed) for lr in (0.01, 0.3, 0.5) for seed in (0, 1)]
    results = assert_equals_loop(replace(problem, split=split), runs)
    assert get_divergence_steps(results) == [None, None, 6, 6, 4, 4]


class Slope(nn.Module):
    """Has one weight, 0.5 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[0.5]], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


def test_a_loss_may_be_infinite_while_outputs_and_weights_are_finite() -> None:
    def overflowing_loss(outputs: Tensor, targets: Tensor) -> Tensor:
        wide = outputs.detach().abs().max() > 1.5
        return (outputs - targets).square().mean() + torch.where(wide, inf, 0.0)

    problem = make_regression_problem(build_small_network)
    problem = replace(problem, task=replace(problem.task, loss=overflowing_loss))
    runs = [
        Run(schedule, replace(BASIC, lr=lr, validation_size=0.2), 0)
        for schedule in (None, Plateau(patience=0))
        for lr in (0.01, 0.3, 1.0)
    ]
    results = assert_equals_loop(problem, runs)
    assert {result.diverged for result in results} == {True, False}
    assert all(
        result.diverged_at_step % 3 == 0
        for result in results
        if result.diverged_at_step is not None
    )


def test_a_loss_may_raise_on_outputs_that_are_not_finite() -> None:
    def model() -> nn.Module:
        return Fragile(nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())).double()

    problem = make_problem(
        sample_normal(4), make_two_classes, model, make_task(OutputKind.PROBABILITY)
    )
    blow_ups = [Formula(f"1e6 ** (t >= {k})") for k in (0, 2, 3, 7)]
    runs = [
        Run(schedule, replace(BASIC, step_every="step", validation_size=0.25), seed)
        for schedule in (None, *blow_ups)
        for seed in (0, 1)
    ]
    results = assert_equals_loop(problem, runs)
    assert [result.diverged for result in results] == [False] * 2 + [True] * 8
    assert len({*get_divergence_steps(results)}) >= 5


def test_the_tutorial_in_float32_diverges_like_the_loop(ionosphere_folder: Path) -> None:
    problem = load_problem("ionosphere")
    settings = Settings(epochs=3, momentum=0.9, shuffle=False)
    runs = [Run(None, replace(settings, lr=lr), seed) for lr in (1e38, 0.1) for seed in (0, 1)]
    for run, result in zip(runs, ensemble.train(problem, runs), strict=True):
        expected = loop.train(problem, run)
        assert (result.diverged, result.diverged_at_step) == (
            expected.diverged,
            expected.diverged_at_step,
        )
        assert result.diverged == (run.settings.lr > 1)
        assert result.test_score == pytest.approx(expected.test_score, abs=0.02)


def test_the_dummy_score_is_computed_once_per_seed() -> None:
    calls = []

    def compute_dummy_output(targets: Tensor) -> Tensor:
        calls.append(len(targets))
        return targets.mean(dim=0)

    problem = make_regression_problem(lambda: nn.Linear(4, 1))
    problem = replace(problem, task=replace(problem.task, dummy_output=compute_dummy_output))
    settings = [Settings(epochs=20, lr=lr) for lr in (1e36, 1e37, 1e38)]
    runs = [Run(None, each, seed) for each in settings for seed in (0, 1)]
    ensemble.train(problem, runs)
    assert len(calls) == 2


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_overflowing_squares_do_not_end_a_run(optimizer: str) -> None:
    def model() -> nn.Module:
        wide = (nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
        return nn.Sequential(*wide)

    double = make_regression_problem(model)

    def split(seed: int) -> Split:
        whole = double.split(seed)
        rows = (whole.x_train, whole.y_train, whole.x_test, whole.y_test)
        return Split(*(tensor.float() for tensor in rows))

    problem = replace(double, split=split, model=model)
    runs = [
        Run(None, replace(BASIC, optimizer=optimizer, lr=lr), 0)
        for lr in (1e2, 1e3, 1e4, 1e5, 1e6, 1e8)
    ]
    in_loop = [loop.train(problem, run) for run in runs]
    in_ensemble = ensemble.train(problem, runs)
    assert get_divergence_steps(in_ensemble) == get_divergence_steps(in_loop)
    # Squares of numbers beyond 1e19 are infinite in float32.
    assert None in get_divergence_steps(in_loop[2:])


def test_the_dummy_score_is_computed_for_diverged_runs_only() -> None:
    def in_place_metric(outputs: Tensor, targets: Tensor) -> Tensor:
        return outputs.sub_(targets).square().mean()  # fails on the expanded dummy output

    metric = Metric("MSE", in_place_metric, greater_is_better=False)
    task = make_task(OutputKind.QUANTITY, metric=metric)
    problem = replace(make_regression_problem(build_small_network), task=task)
    assert_equals_loop(problem, [Run(None, BASIC, 0), Run(None, replace(BASIC, lr=0.01), 0)])
