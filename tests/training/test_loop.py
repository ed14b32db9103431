"""The loop against the tutorial's program and other plain PyTorch, and its edge cases."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau

from lrlab import (
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
)
from lrlab.errors import ScheduleError, TrainingError
from lrlab.problems import Metric, Problem, derive_seeds, load_problem
from lrlab.training import Curve, Epoch, Result, Run, Settings, loop, train
from lrlab.training.loop import select_schedule_metric
from tests.raising import raises
from tests.training.factories import (
    make_digits_problem,
    make_images_problem,
    make_regression_problem,
)

TUTORIAL = Settings(shuffle=False)
BASIC = Settings(epochs=4, batch_size=16)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def test_a_run_equals_the_tutorials_program(ionosphere_folder: Path) -> None:
    problem = load_problem("ionosphere")
    seeds, split = derive_seeds(4), problem.split(4)

    torch.manual_seed(seeds.weights)
    model = nn.Sequential(nn.Linear(34, 34), nn.ReLU(), nn.Linear(34, 1), nn.Sigmoid())
    loss_fn = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LinearLR(
        optimizer, start_factor=1.0, end_factor=0.5, total_iters=30
    )
    rates, losses = [], []
    for _ in range(50):
        total = 0.0
        model.train()
        for start in torch.arange(0, 245, 24):
            y_pred = model(split.x_train[start : start + 24])
            loss = loss_fn(y_pred, split.y_train[start : start + 24])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y_pred)
        losses.append(total / 245)
        before_lr = optimizer.param_groups[0]["lr"]
        scheduler.step()
        rates.append((before_lr, optimizer.param_groups[0]["lr"]))
    model.eval()
    accuracy = float((model(split.x_test).round() == split.y_test).float().mean())

    result = train(problem, Run(Linear(1.0, 0.5, over=30), TUTORIAL, seed=4))
    assert result.test_score == pytest.approx(accuracy, abs=1e-6)
    assert not result.diverged
    assert [epoch.epoch for epoch in result.curve] == list(range(50))
    ours = [(epoch.lr_start, epoch.lr_end) for epoch in result.curve]
    np.testing.assert_allclose(ours, rates, rtol=1e-12)
    np.testing.assert_allclose([epoch.loss for epoch in result.curve], losses, rtol=1e-5)


def test_a_seed_gives_the_same_run_and_another_seed_another(iris: Problem) -> None:
    settings = Settings(epochs=3)

    def curve(seed: int) -> Curve:
        return train(iris, Run(Cosine(), settings, seed)).curve

    assert curve(1) == curve(1)
    assert curve(1) != curve(2)


def test_training_leaves_the_callers_random_numbers_alone(iris: Problem) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(iris, Run(None, Settings(epochs=1), seed=0))
    assert torch.equal(torch.rand(3), expected)


def test_layers_are_in_training_mode_only_while_they_train(iris: Problem) -> None:
    modes = []

    class ModeRecorder(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            modes.append((self.training, len(x)))
            return x

    recorded = dataclasses.replace(
        iris, model=lambda: nn.Sequential(ModeRecorder(), nn.Linear(4, 3))
    )
    train(recorded, Run(None, Settings(epochs=2, batch_size=60), 0))
    assert modes == [(True, 60), (True, 45), (False, 45)] * 2


def test_no_schedule_equals_a_constant_learning_rate(iris: Problem) -> None:
    settings = Settings(epochs=4)
    without = train(iris, Run(None, settings, 0))
    constant = train(iris, Run(Constant(1.0), settings, 0))
    assert without.curve == constant.curve


def test_runs_of_a_seed_differ_only_in_the_schedule(iris: Problem) -> None:
    # Equal first epochs at equal rates: same split, weights and batches.
    settings = Settings(epochs=2)
    constant = train(iris, Run(Constant(1.0), settings, 0))
    late = train(iris, Run(Formula("1 - 0.5 * (t >= 1)"), settings, 0))
    assert late.curve[0].loss == constant.curve[0].loss
    assert late.curve[1].loss != constant.curve[1].loss


def test_the_scheduler_steps_every_step_or_every_epoch(iris: Problem) -> None:
    rows = iris.train_rows
    per_step = Settings(epochs=4, batch_size=20, step_every="step")
    steps = math.ceil(rows / 20)
    assert per_step.count_steps_per_epoch(rows) == steps
    result = train(iris, Run(Warmup("1ep") >> Cosine(), per_step, 0))
    schedule = Warmup(steps) >> Cosine(3 * steps)
    for epoch in result.curve:
        assert epoch.lr_start == schedule(epoch.epoch * steps, base=0.1)
        assert epoch.lr_end == schedule((epoch.epoch + 1) * steps, base=0.1)
    per_epoch = train(iris, Run(Cosine(), Settings(epochs=4), 0))
    assert [epoch.lr_start for epoch in per_epoch.curve] == Cosine(4)(range(4), base=0.1).tolist()


def test_shuffling_changes_only_the_order_of_rows(iris: Problem) -> None:
    one_batch = {"epochs": 1, "batch_size": 1000}
    in_order = train(iris, Run(None, Settings(shuffle=False, **one_batch), 0))
    shuffled = train(iris, Run(None, Settings(**one_batch), 0))
    assert in_order.curve[0].loss == pytest.approx(shuffled.curve[0].loss, rel=1e-5)
    in_order = train(iris, Run(None, Settings(shuffle=False, epochs=2), 0))
    assert in_order.curve != train(iris, Run(None, Settings(epochs=2), 0)).curve


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_optimizers_learn(iris: Problem, optimizer: str) -> None:
    result = train(iris, Run(Cosine(), Settings(lr=0.05, optimizer=optimizer, epochs=20), 0))
    assert result.test_score > 0.85
    assert result.curve[-1].loss < result.curve[0].loss


def test_momentum_reaches_the_optimizer(iris: Problem) -> None:
    plain = train(iris, Run(None, Settings(epochs=2), 0))
    heavy = train(iris, Run(None, Settings(epochs=2, momentum=0.9), 0))
    assert heavy.curve[0].loss != plain.curve[0].loss


def test_regression_is_scored_in_the_targets_units() -> None:
    diabetes = load_problem("diabetes")
    result = train(diabetes, Run(None, Settings(lr=0.01, epochs=20), 0))
    assert 40 < result.test_score < 75  # the target's standard deviation is 77


@pytest.mark.parametrize("name", ["breast-cancer", "iris", "diabetes", "ionosphere"])
@pytest.mark.parametrize("lr", [1e30, 1e38])
def test_a_diverged_run_gets_the_dummy_score(
    name: str, lr: float, request: pytest.FixtureRequest
) -> None:
    if name == "ionosphere":
        request.getfixturevalue("ionosphere_folder")
    problem = load_problem(name)
    result: Result = train(problem, Run(None, Settings(lr=lr, epochs=5), 0))
    split = problem.split(0)
    if problem.task.kind == "regression":
        dummy_score = float((split.y_test**2).mean().sqrt()) * split.target_scale
    else:
        labels, counts = np.unique(split.y_train, return_counts=True)
        dummy_score = float((split.y_test == labels[counts.argmax()]).float().mean())
    assert result.diverged
    assert result.test_score == pytest.approx(dummy_score, rel=1e-5)
    assert len(result.curve) < 5
    assert all(math.isfinite(epoch.loss) for epoch in result.curve)


def test_a_diverged_run_keeps_the_dummy_score_of_its_validation_rows() -> None:
    wine = load_problem("wine")
    settings = Settings(lr=1e30, epochs=2, validation_size=0.2)
    result = train(wine, Run(None, settings, 8))
    split = wine.split_rows(8, settings.count_validation_rows(wine.train_rows))
    most_frequent = np.bincount(split.y_train.numpy()).argmax()
    expected = float((split.y_validation == most_frequent).double().mean())
    assert (result.diverged, result.validation_dummy_score) == (True, pytest.approx(expected))
    for other in (replace(settings, validation_size=0.0), replace(settings, lr=0.1)):
        assert train(wine, Run(None, other, 8)).validation_dummy_score is None


def test_a_batch_may_be_larger_than_the_data(iris: Problem) -> None:
    full_batch, huge_batch = (
        train(iris, Run(None, Settings(epochs=1, batch_size=size), 0)).curve
        for size in (iris.train_rows, 10**30)
    )
    assert full_batch == huge_batch


def test_schedules_are_checked_before_training(iris: Problem) -> None:
    epochs: list[Epoch] = []
    for schedule, *mentions in (
        (Formula("3 - t"), "t = 4", "-1"),
        (Constant(0.0), "Constant(0.0)", "every"),
        (Exponential(1e300), "Exponential(1e+300)", "finite"),
        (Custom(lambda t: None), "number", "None"),
    ):
        with raises(ScheduleError, *mentions):
            train(iris, Run(schedule, Settings(epochs=10), 0), epochs.append)
    assert epochs == []


def test_a_metric_must_be_finite_for_the_dummy_prediction() -> None:
    def slope(outputs: Tensor, targets: Tensor) -> Tensor:
        risen = outputs - outputs[:1]
        return (risen * targets).sum() / risen.square().sum()

    x = torch.linspace(-1, 1, 30)[:, None]
    metric = Metric("slope", greater_is_better=True, percent=False, fn=slope)
    problem = Problem.from_arrays(x, x, partial(nn.Linear, 1, 1), metric=metric)
    calm, wild = (Run(None, Settings(lr=lr, epochs=9), 0) for lr in (0.1, 1e30))
    assert math.isfinite(train(problem, calm).test_score)
    with raises(TrainingError, "dummy score", "slope", "nan", "`lr`"):
        train(problem, wild)


class PlainTraining:
    """Plain PyTorch on the rows of a problem, in the order of a seed."""

    def __init__(self, problem: Problem, seed: int, validation_rows: int = 0) -> None:
        self.problem = problem
        self.split = problem.split_rows(seed, validation_rows)
        torch.manual_seed(derive_seeds(seed).weights)
        self.model = problem.model()
        self.order = torch.Generator().manual_seed(derive_seeds(seed).batch_order)
        self.losses: list[float] = []
        self.steps = 0

    def train_epoch(
        self, optimizer: Optimizer, max_grad_norm: float | None = None, **schedules: Any
    ) -> None:
        """Train an epoch; ``schedules`` are functions of the step, by hyperparameter."""
        shuffled = torch.randperm(len(self.split.x_train), generator=self.order)
        self.model.train()
        total = 0.0
        for start in range(0, len(shuffled), 16):
            batch = shuffled[start : start + 16]
            for name, value in schedules.items():
                optimizer.param_groups[0][name] = value(self.steps)
            loss = self.problem.task.loss(
                self.model(self.split.x_train[batch]), self.split.y_train[batch]
            )
            optimizer.zero_grad()
            loss.backward()
            if max_grad_norm is not None:
                clip_grad_norm_(self.model.parameters(), max_grad_norm)
            optimizer.step()
            self.steps += 1
            total += loss.item() * len(batch)
        self.losses.append(total / len(shuffled))

    def evaluate(self, criterion: Callable[[Tensor, Tensor], Tensor]) -> float:
        """Evaluate a loss or a metric on the validation rows."""
        assert self.split.x_validation is not None
        assert self.split.y_validation is not None
        self.model.eval()
        with torch.no_grad():
            return criterion(self.model(self.split.x_validation), self.split.y_validation).item()

    def assert_equals(self, model: nn.Module, result: Result) -> None:
        np.testing.assert_allclose(result.curve.get_column("loss"), self.losses, rtol=1e-12)
        expected = self.model.state_dict()
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(weight, expected[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SGD, {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.03}),
        (SGD, {"momentum": 0.9, "nesterov": True}),
        (Adam, {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.03}),
        (AdamW, {"betas": (0.8, 0.9), "weight_decay": 0.3}),
        (RMSprop, {"momentum": 0.5, "alpha": 0.9, "centered": True, "eps": 1e-3}),
    ],
)
def test_optimizers(kind: type[Optimizer], words: dict[str, Any]) -> None:
    plain = PlainTraining(make_images_problem(), seed=1)
    optimizer = kind(plain.model.parameters(), lr=0.02, **words)  # type: ignore[call-arg]
    for _ in range(4):
        plain.train_epoch(optimizer)
    settings = replace(BASIC, lr=0.02, optimizer=kind.__name__.lower(), **words)
    plain.assert_equals(
        *loop.train_and_get_model(make_images_problem(), Run(None, settings, seed=1))
    )


@pytest.mark.parametrize("max_grad_norm", [1e-3, 0.5, 1e3])
def test_gradients_are_clipped(max_grad_norm: float) -> None:
    plain = PlainTraining(make_digits_problem(), seed=1)
    optimizer = Adam(plain.model.parameters(), lr=0.02)
    scheduler = ExponentialLR(optimizer, 0.5)
    for _ in range(4):
        plain.train_epoch(optimizer, max_grad_norm)
        scheduler.step()
    settings = replace(BASIC, lr=0.02, optimizer="adam", max_grad_norm=max_grad_norm)
    plain.assert_equals(
        *loop.train_and_get_model(make_digits_problem(), Run(Exponential(0.5), settings, seed=1))
    )


@pytest.mark.parametrize(("mode", "validation_rows"), [("min", 0), ("min", 11), ("max", 11)])
def test_plateau_equals_torchs(mode: str, validation_rows: int) -> None:
    words: dict[str, Any] = {"patience": 0, "threshold": 0.2, "cooldown": 1}
    plain = PlainTraining(make_digits_problem(), 1, validation_rows)
    optimizer = SGD(plain.model.parameters(), lr=0.2)
    scheduler = ReduceLROnPlateau(optimizer, mode, 0.5, **words)  # type: ignore[arg-type]
    rates, metrics = [], []
    task = make_digits_problem().task
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        plain.train_epoch(optimizer)
        if not validation_rows:
            metrics.append(plain.losses[-1])
        else:
            metrics.append(plain.evaluate(task.loss if mode == "min" else task.metric.fn))
        scheduler.step(metrics[-1])
    run = Run(
        Plateau(0.5, mode=mode, **words),
        replace(BASIC, lr=0.2, epochs=12, validation_size=validation_rows / 44),
        seed=1,
    )
    model, result = loop.train_and_get_model(make_digits_problem(), run)
    assert len({*rates}) > 2
    np.testing.assert_allclose(result.curve.get_column("lr_start"), rates, rtol=1e-12)
    column = {"min": "validation_loss" if validation_rows else "loss", "max": "validation_score"}[
        mode
    ]
    np.testing.assert_allclose(result.curve.get_column(column), metrics, rtol=1e-12)
    plain.assert_equals(model, result)


def test_plateau_with_a_step_every_step_reads_its_metric_once_an_epoch() -> None:
    plain = PlainTraining(make_digits_problem(), 1, 11)
    optimizer = SGD(plain.model.parameters(), lr=0.2)
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0.5)
    for _ in range(4):
        plain.train_epoch(optimizer)
        plateau.step(plain.evaluate(make_digits_problem().task.loss))
    settings = replace(BASIC, lr=0.2, validation_size=0.25, step_every="step")
    schedule = Plateau(0.5, patience=0, threshold=0.5)
    model, result = loop.train_and_get_model(make_digits_problem(), Run(schedule, settings, seed=1))
    assert result.curve[-1].lr_end == optimizer.param_groups[0]["lr"] < 0.2
    plain.assert_equals(model, result)


def test_other_hyperparameters_have_schedules() -> None:
    plain = PlainTraining(make_digits_problem(), seed=1)
    optimizer = SGD(plain.model.parameters(), lr=0.1, momentum=0.8)
    cosine = Cosine(12)
    schedules = {
        "lr": lambda t: cosine(t, base=0.1),
        "momentum": lambda t: 0.0 if t in (0, 1, 5) else 0.8,
        "weight_decay": lambda t: 0.01 * t / 12,
    }
    for _ in range(4):
        plain.train_epoch(optimizer, **schedules)
    hyperparameter_schedules = {
        "momentum": Formula("1 - (t < 2) - (t >= 5) * (t < 6)"),
        "weight_decay": Linear(0.0, 1.0),
    }
    settings = replace(BASIC, momentum=0.8, weight_decay=0.01, step_every="step")
    plain.assert_equals(
        *loop.train_and_get_model(
            make_digits_problem(), Run(Cosine(), settings, 1, hyperparameter_schedules)
        )
    )


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.RReLU()], ids=repr)
def test_random_layers_draw_from_the_seed_and_not_from_the_callers_generator(
    layer: nn.Module,
) -> None:
    problem = make_regression_problem(
        lambda: nn.Sequential(nn.Linear(4, 8), layer, nn.Linear(8, 1))
    )
    curves = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(curves))
        before = torch.get_rng_state()
        curves.append(loop.train(problem, Run(None, BASIC, seed)).curve)
        assert torch.equal(torch.get_rng_state(), before)
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


@pytest.mark.parametrize(
    ("rates", "steps"),
    [
        ("1e9 ** (t >= 0)", 1),  # detected in the outputs of the next step
        ("1e9 ** (t >= 4)", 5),
        ("1e9 ** (t >= 5)", 6),  # after the last step of an epoch, in those of the test rows
        ("1e9 ** (t >= 11)", 12),
    ],
)
def test_a_run_ends_when_it_diverges(rates: str, steps: int) -> None:
    class Brittle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x) + 0 * self.linear.weight.square().sum().exp()

    run = Run(Formula(rates), replace(BASIC, step_every="step"), 0)
    result = loop.train(make_regression_problem(Brittle), run)
    assert (result.diverged, result.diverged_at_step) == (True, steps)
    assert len(result.curve) == (steps - 1) // 3
    split = make_regression_problem(Brittle).split(0)
    dummy_score = (split.y_test - split.y_train.mean()).square().mean().sqrt()
    assert result.test_score == pytest.approx(float(dummy_score), rel=1e-12)


EPOCH = Epoch(3, 0.1, 0.1, loss=1.0, test_score=2.0, validation_loss=3.0, validation_score=4.0)
WITHOUT_VALIDATION = replace(EPOCH, validation_loss=None, validation_score=None)
VALIDATED, UNVALIDATED = Settings(validation_size=0.2), Settings()
MAX_PLATEAU = Plateau(mode="max")


@pytest.mark.parametrize(
    ("schedules", "settings", "epoch", "number"),
    [
        ([Plateau()], VALIDATED, EPOCH, 3.0),
        ([Plateau()], UNVALIDATED, WITHOUT_VALIDATION, 1.0),
        ([MAX_PLATEAU], VALIDATED, EPOCH, 4.0),
        ([Warmup(3) >> Greedy() * Constant(0.5), Plateau(0.5)], VALIDATED, EPOCH, 3.0),
        ([Warmup(3) >> MAX_PLATEAU, Greedy(mode="max")], VALIDATED, EPOCH, 4.0),
        ([Cosine()], UNVALIDATED, WITHOUT_VALIDATION, 1.0),
    ],
)
def test_metric_driven_schedules_read(
    iris: Problem, schedules: list[Schedule], settings: Settings, epoch: Epoch, number: float
) -> None:
    assert select_schedule_metric(schedules, settings, iris)(epoch) == number


def test_metrics_that_cannot_be_read_are_rejected(iris: Problem) -> None:
    with raises(TrainingError, "mode", "Plateau()", 'Plateau(mode="max")'):
        select_schedule_metric([Plateau(), Warmup(2) >> MAX_PLATEAU], VALIDATED, iris)
    with raises(TrainingError, 'Plateau(mode="max")', "accuracy", "`validation_size=0.2`"):
        select_schedule_metric([Cosine(), MAX_PLATEAU], UNVALIDATED, iris)
    with raises(TrainingError, 'Plateau(mode="max")', "RMSE", 'mode="min"'):
        select_schedule_metric([MAX_PLATEAU], VALIDATED, load_problem("diabetes"))
