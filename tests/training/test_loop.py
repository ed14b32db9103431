"""The loop against the article's program written out by hand, and its edges."""

import dataclasses
import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lrlab import Constant, Cosine, Custom, Exponential, Formula, Linear, Warmup
from lrlab.errors import ScheduleError, TrainingError
from lrlab.problems import Metric, Problem, derive_seeds, load_problem
from lrlab.training import Curve, Epoch, Result, Run, Settings, train

TUTORIAL = Settings(shuffle=False)


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


def test_a_run_is_the_articles_program(ionosphere_folder: Path) -> None:
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


def test_layers_are_told_whether_they_train(iris: Problem) -> None:
    modes = []

    class Watch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            modes.append((self.training, len(x)))
            return x

    watched = dataclasses.replace(iris, model=lambda: nn.Sequential(Watch(), nn.Linear(4, 3)))
    train(watched, Run(None, Settings(epochs=2, batch_size=60), 0))
    assert modes == [(True, 60), (True, 45), (False, 45)] * 2


def test_no_schedule_is_the_constant_rate(iris: Problem) -> None:
    settings = Settings(epochs=4)
    without = train(iris, Run(None, settings, 0))
    constant = train(iris, Run(Constant(1.0), settings, 0))
    assert without.curve == constant.curve


def test_runs_of_a_seed_differ_in_the_schedule_alone(iris: Problem) -> None:
    # Equal first epochs at equal rates: same split, weights and batches.
    settings = Settings(epochs=2)
    constant = train(iris, Run(Constant(1.0), settings, 0))
    late = train(iris, Run(Formula("1 - 0.5 * (t >= 1)"), settings, 0))
    assert late.curve[0].loss == constant.curve[0].loss
    assert late.curve[1].loss != constant.curve[1].loss


def test_per_step_and_per_epoch(iris: Problem) -> None:
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


def test_shuffling_changes_the_order_of_batches_only(iris: Problem) -> None:
    one_batch = {"epochs": 1, "batch_size": 1000}
    kept = train(iris, Run(None, Settings(shuffle=False, **one_batch), 0))
    shuffled = train(iris, Run(None, Settings(**one_batch), 0))
    assert kept.curve[0].loss == pytest.approx(shuffled.curve[0].loss, rel=1e-5)
    kept = train(iris, Run(None, Settings(shuffle=False, epochs=2), 0))
    assert kept.curve != train(iris, Run(None, Settings(epochs=2), 0)).curve


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
@pytest.mark.parametrize("rate", [1e30, 1e38])
def test_a_diverged_run_scores_as_a_constant_guess(
    name: str, rate: float, request: pytest.FixtureRequest
) -> None:
    if name == "ionosphere":
        request.getfixturevalue("ionosphere_folder")
    problem = load_problem(name)
    result: Result = train(problem, Run(None, Settings(lr=rate, epochs=5), 0))
    split = problem.split(0)
    if problem.task.kind == "regression":
        guess = float((split.y_test**2).mean().sqrt()) * split.target_scale
    else:
        labels, counts = np.unique(split.y_train, return_counts=True)
        guess = float((split.y_test == labels[counts.argmax()]).float().mean())
    assert result.diverged
    assert result.test_score == pytest.approx(guess, rel=1e-5)
    assert len(result.curve) < 5
    assert all(math.isfinite(epoch.loss) for epoch in result.curve)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"lr": 0}, "the rate must be a number above 0, got 0"),
        ({"lr": float("nan")}, "got nan"),
        ({"lr": -0.1}, "got -0.1"),
        ({"lr": "0.1"}, "the rate must be a number above 0"),
        ({"epochs": 0}, "epochs must be a whole number of 1 or more, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number of 1 or more, got 1.5"),
        ({"epochs": "5"}, "epochs must be a whole number of 1 or more, got 5"),
        ({"batch_size": 0}, "batch_size must be a whole number of 1 or more"),
        ({"momentum": 1.0}, "momentum must be 0 or more and below 1"),
        ({"momentum": 0.9, "optimizer": "adam"}, "momentum is for sgd and rmsprop, adam has none"),
        ({"optimizer": "lion"}, "one of sgd, adam, adamw, rmsprop, got lion"),
        ({"per": "day"}, "per must be epoch or step, got day"),
    ],
)
def test_settings_out_of_range(words: dict, said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Settings(**words)
    assert said in str(caught.value)


def test_settings_are_plain_numbers() -> None:
    settings = Settings(lr=np.float32(0.5), momentum=0, epochs=np.int64(5))
    assert settings == Settings(lr=0.5, epochs=5)
    assert repr(settings) == repr(Settings(lr=0.5, epochs=5))


def test_a_batch_may_be_larger_than_the_data(iris: Problem) -> None:
    whole, huge = (
        train(iris, Run(None, Settings(epochs=1, batch_size=size), 0)).curve
        for size in (iris.train_rows, 10**30)
    )
    assert whole == huge


def test_negative_seeds_are_none() -> None:
    for seed in (-1, 1.5, "1"):
        with pytest.raises(TrainingError, match="seed must be a whole number of 0 or more"):
            Run(None, Settings(), seed=seed)


def test_a_schedule_is_checked_before_anything_is_trained(iris: Problem) -> None:
    epochs: list[Epoch] = []
    for schedule, said in (
        (Formula("3 - t"), "at t = 4 it gives -1"),
        (Constant(0.0), "0 at every step"),
        (Exponential(1e300), "must give a finite rate"),
        (Custom(lambda t: None), "must return a number"),
    ):
        with pytest.raises(ScheduleError, match=said):
            train(iris, Run(schedule, Settings(epochs=10), 0), epochs.append)
    assert epochs == []


def test_a_metric_without_a_number_for_a_constant_guess_is_named() -> None:
    def slope(outputs: Tensor, targets: Tensor) -> Tensor:
        risen = outputs - outputs[:1]
        return (risen * targets).sum() / risen.square().sum()

    x = torch.linspace(-1, 1, 30)[:, None]
    metric = Metric("slope", greater_is_better=True, percent=False, fn=slope)
    own = Problem.from_arrays(x, x, partial(nn.Linear, 1, 1), metric=metric)
    calm, wild = (Run(None, Settings(lr=lr, epochs=9), 0) for lr in (0.1, 1e30))
    assert math.isfinite(train(own, calm).test_score)
    with pytest.raises(TrainingError, match="the slope of one is nan; give the metric"):
        train(own, wild)
