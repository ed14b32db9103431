"""The registry of metrics: what an entry says is all that lrlab knows of a metric."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import balanced_accuracy_score, median_absolute_error
from torch import Tensor, nn

from lrlab import Problem, ProblemError, TrainingFunction
from lrlab.problems import load_problem
from lrlab.problems.metrics import (
    DUMMY_RULES,
    METRICS,
    MetricEntry,
    OutputKind,
    Scaling,
    make_task,
)
from lrlab.training import Run, Settings, train
from tests.raising import raises

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(target=RNG.gamma(2.0, 5.0, 60))
DIVERGING = Run(None, Settings(lr=3e38, epochs=2, validation_size=0.25), seed=1)


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_dummy_predictions_of_classes_are_those_of_scikit_learn(outputs: int) -> None:
    classes = np.resize([0, 1, 2, 1, 1], 60) % max(outputs, 2)
    problem = Problem.from_arrays(X, classes, partial(nn.Linear, 4, outputs), metric="loss")
    y = problem.split(0).y_train
    row = problem.task.dummy_output(y).double()
    probabilities = (
        row.sigmoid() if outputs == 1 else row.exp()
    )  # log-probabilities, as for NLLLoss
    labels = y.flatten().numpy()
    (expected,) = DummyClassifier(strategy="prior").fit(labels, labels).predict_proba(labels[:1])
    assert probabilities.numpy() == pytest.approx(expected[-outputs:], rel=1e-6)


def test_dummy_predictions_of_quantities_are_the_mean() -> None:
    y = torch.from_numpy(RNG.normal(size=(60, 1)))
    expected = DummyRegressor(strategy="mean").fit(y, y).predict(y[:1])
    row = make_task(OutputKind.QUANTITY, dtype=torch.float64).dummy_output(y)
    assert row.item() == pytest.approx(expected.item())


def predict_median(targets: Tensor, shape: tuple[int, ...]) -> Tensor:
    return targets.quantile(0.5, dim=0)


def compute_median_error(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs().double().quantile(0.5)


def compute_balanced_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    is_right = (outputs.argmax(dim=1) == targets).double()
    classes = torch.arange(outputs.shape[1])[:, None] == targets
    return ((classes * is_right).sum(1) / classes.sum(1)).mean()


@pytest.fixture
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two more entries, and nothing else."""
    median_error = MetricEntry(
        "median error",
        {OutputKind.QUANTITY: compute_median_error},
        greater_is_better=False,
        scaling=Scaling.SCORE,
        dummy_rules=DUMMY_RULES | {OutputKind.QUANTITY: predict_median},
    )
    balanced = MetricEntry(
        "balanced accuracy", {OutputKind.CLASS_SCORES: compute_balanced_accuracy}, percent=True
    )
    monkeypatch.setitem(METRICS, "median_error", median_error)
    monkeypatch.setitem(METRICS, "balanced", balanced)


def make_array_problem() -> Problem:
    x, y = load_iris(return_X_y=True)
    return Problem.from_arrays(x, y, partial(nn.Linear, 4, 3), metric="balanced")


@pytest.mark.usefixtures("entries")
@pytest.mark.parametrize(
    ("make_problem", "compute"),
    [
        (lambda: Problem.from_table(FRAME, metric="median_error"), median_absolute_error),
        (lambda: load_problem("diabetes", metric="median_error"), median_absolute_error),
        (lambda: load_problem("iris", metric="balanced"), balanced_accuracy_score),
        (make_array_problem, balanced_accuracy_score),
    ],
    ids=["table", "data set, quantity", "data set, classes", "arrays"],
)
def test_one_entry_makes_a_metric_work_everywhere(
    make_problem: Callable[[], Problem], compute: Callable
) -> None:
    problem = make_problem()
    result, split = train(problem, DIVERGING), problem.split_rows(1, round(problem.train_rows / 4))
    assert result.diverged
    is_regression = problem.task.kind == "regression"
    dummy = (
        DummyRegressor(strategy="median") if is_regression else DummyClassifier(strategy="prior")
    ).fit(split.y_train, split.y_train)
    for y, score in (
        (split.y_test, result.test_score),
        (split.y_validation, result.validation_dummy_score),
    ):
        expected = split.target_scale * compute(y, dummy.predict(y))
        assert score == pytest.approx(expected, rel=1e-5)


@pytest.mark.usefixtures("entries")
def test_an_entry_lists_itself_and_gives_its_direction_to_training_functions() -> None:
    with raises(ProblemError, "rmse", "r2", "loss", "median_error", "nothing"):
        load_problem("diabetes", metric="nothing")
    with raises(ProblemError, "accuracy", "loss", "balanced", "median_error"):
        load_problem("iris", metric="median_error")
    function = TrainingFunction(lambda run: None, metric="median_error", dummy_score=3)
    assert not function.metric.greater_is_better
