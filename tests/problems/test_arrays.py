"""Problem.from_arrays: inputs, targets, loss, metric, dummy output, splits and all errors."""

import pickle
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.special import logit
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score, root_mean_squared_error
from torch import Tensor, nn

from lrlab import Metric, Problem, ProblemError
from lrlab.testing import check_problem, list_problem_checks
from lrlab.training import Run, Settings, train
from tests.raising import raises

ROWS = 60
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 4))
CLASSES = RNG.integers(0, 3, ROWS)
QUANTITY = X @ [1.0, -2.0, 0.5, 0.0]


def make_linear(outputs: int, inputs: int = 4) -> Any:
    return partial(nn.Linear, inputs, outputs)


def test_whole_numbers_are_classes() -> None:
    problem = Problem.from_arrays(X, CLASSES, make_linear(3))
    split = problem.split(0)
    assert (split.x_train.dtype, split.y_train.dtype) == (torch.float32, torch.int64)
    assert isinstance(problem.task.loss, nn.CrossEntropyLoss)
    assert problem.metric.name == "accuracy"
    assert problem.metric.greater_is_better
    outputs = torch.from_numpy(RNG.normal(size=(len(split.y_test), 3)))
    expected = accuracy_score(split.y_test, outputs.argmax(1))
    assert float(problem.metric.fn(outputs, split.y_test)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "yes"])[CLASSES % 2],
        CLASSES % 2 == 1,
        5 + CLASSES % 2,
        pd.Series(CLASSES % 2),
    ],
    ids=["texts", "booleans", "numbers from 5", "a column"],
)
@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_have_one_output_or_two(labels: Any, outputs: int) -> None:
    problem = Problem.from_arrays(X, labels, make_linear(outputs))
    y = problem.split(3).y_train
    assert set(y.flatten().tolist()) == {0, 1}
    if outputs == 1:
        assert y.shape == (42, 1)
        assert isinstance(problem.task.loss, nn.BCEWithLogitsLoss)
        dummy_output = problem.task.dummy_output(y)
        assert_allclose(dummy_output.numpy(), logit(y.mean(0).numpy()), rtol=1e-6)
    else:
        assert y.shape == (42,)
        assert problem.task.dummy_output(y).argmax() == y.float().mean().round()


def test_floats_are_quantities() -> None:
    problem = Problem.from_arrays(X, QUANTITY, make_linear(1), metric="mae")
    split = problem.split(0)
    assert split.y_train.shape == (42, 1)  # not (42,), which torch would broadcast to (42, 42)
    assert problem.task.dummy_output(split.y_train).item() == pytest.approx(
        split.y_train.mean().item()
    )
    outputs = torch.from_numpy(RNG.normal(size=tuple(split.y_test.shape)))
    for name, compute_expected, greater_is_better in (
        ("mae", mean_absolute_error, False),
        ("rmse", root_mean_squared_error, False),
        ("r2", r2_score, True),
    ):
        metric = Problem.from_arrays(X, QUANTITY, make_linear(1), metric=name).metric
        assert metric.greater_is_better == greater_is_better
        expected = compute_expected(split.y_test, outputs)
        assert float(metric.fn(outputs, split.y_test)) == pytest.approx(expected)


def test_task_decides_if_targets_are_ambiguous() -> None:
    regression = Problem.from_arrays(X, CLASSES, make_linear(1), task="regression")
    assert regression.task.kind == "regression"
    classification = Problem.from_arrays(
        X, CLASSES.astype(float), make_linear(3), task="classification"
    )
    assert classification.split(0).y_test.dtype == torch.int64


def test_floats_get_the_models_type() -> None:
    def build_double() -> nn.Module:
        return nn.Linear(4, 1).double()

    split = Problem.from_arrays(X.astype(np.float32), QUANTITY, build_double).split(0)
    assert split.x_train.dtype == split.y_train.dtype == torch.float64


def test_rows_may_have_any_shape_and_whole_numbers() -> None:
    images = Problem.from_arrays(
        RNG.normal(size=(ROWS, 1, 5, 5)),
        CLASSES,
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(18, 3)),
    )
    assert images.split(0).x_test.shape == (18, 1, 5, 5)
    words = Problem.from_arrays(
        RNG.integers(0, 9, (ROWS, 6)),
        CLASSES,
        lambda: nn.Sequential(nn.EmbeddingBag(9, 4), nn.Linear(4, 3)),
    )
    assert words.split(0).x_test.dtype == torch.int64
    pixels = Problem.from_arrays(
        RNG.normal(size=(ROWS, 1, 4, 4)),
        RNG.integers(0, 3, (ROWS, 4, 4)),
        lambda: nn.Conv2d(1, 3, 1),
    )
    split = pixels.split(0)
    assert pixels.task.dummy_output(split.y_train).shape == (3, 4, 4)
    for problem in (images, words, pixels):
        assert np.isfinite(train(problem, Run(None, Settings(epochs=1), 0)).test_score)


def test_a_custom_loss_is_the_metric() -> None:
    def compute_likelihood(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.gaussian_nll_loss(outputs[:, :1], targets, outputs[:, 1:].exp())

    problem = Problem.from_arrays(
        X, QUANTITY.reshape(-1, 1), make_linear(2), loss=compute_likelihood
    )
    assert problem.metric.name == "loss"
    assert not problem.metric.greater_is_better
    assert train(problem, Run(None, Settings(lr=0.01, epochs=5), 0)).test_score < 9


def test_bce_loss_means_probabilities() -> None:
    def build_sigmoid() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())

    problem = Problem.from_arrays(X, QUANTITY > 0, build_sigmoid, loss=nn.BCELoss())
    outputs = torch.tensor([[0.4], [0.6]])
    assert float(problem.metric.fn(outputs, torch.tensor([[0.0], [1.0]]))) == 1
    for check in list_problem_checks(problem):
        if "processes" not in str(check):  # the model is a local function
            check()


def test_splits_are_stratified_and_given_test_rows_are_fixed() -> None:
    rare = (np.arange(ROWS) % 10 == 0).astype(int)
    for seed in range(5):
        assert Problem.from_arrays(X, rare, make_linear(2)).split(seed).y_test.sum() == 2
    problem = Problem.from_arrays(
        X[:40], CLASSES[:40], make_linear(3), x_test=X[40:], y_test=CLASSES[40:]
    )
    assert problem.test_train_ratio is None
    assert problem.train_rows == 40
    for seed in range(3):
        split = problem.split(seed)
        assert_allclose(split.x_train, X[:40], rtol=1e-6)
        assert_allclose(split.y_test, CLASSES[40:])
    problem = Problem.from_arrays(X, CLASSES, make_linear(3), test_size=0.25)
    assert problem.test_train_ratio == 15 / 45
    assert problem.split(0).y_test.tolist() != problem.split(1).y_test.tolist()


def test_a_pickled_copy_is_the_same_problem() -> None:
    problem = Problem.from_arrays(X, CLASSES, make_linear(3))
    copy = pickle.loads(pickle.dumps(problem))
    assert torch.equal(copy.split(3).x_test, problem.split(3).x_test)
    assert copy.fingerprint == problem.fingerprint
    check_problem(problem)


def test_the_fingerprint_covers_everything_that_affects_results() -> None:
    def compute(x: Any = X, y: Any = CLASSES, model: Any = None, **options: Any) -> str:
        return Problem.from_arrays(x, y, model or make_linear(3), **options).fingerprint

    expected = compute()
    assert compute() == expected
    assert compute(name="another") == expected
    assert compute(x=torch.from_numpy(X)) == expected
    fingerprints = [
        compute(x=X + 1e-6),
        compute(y=2 - CLASSES),
        compute(model=make_linear(4)),
        compute(loss=nn.CrossEntropyLoss(label_smoothing=0.1)),
        compute(metric="loss"),
        compute(test_size=0.25),
        compute(x_test=X, y_test=CLASSES),
    ]
    assert len({expected, *fingerprints}) == 1 + len(fingerprints)


def test_a_custom_metric() -> None:
    def compute_zeros(outputs: Tensor, targets: Tensor) -> float:
        return float(
            (outputs.argmax(1) == 0).float().mean()
        )  # a plain number, as scikit-learn returns

    metric = Metric("zeros", greater_is_better=False, percent=True, fn=compute_zeros)
    problem = Problem.from_arrays(X, CLASSES, make_linear(3), metric=metric)
    assert problem.metric is metric
    assert 0 <= train(problem, Run(None, Settings(epochs=1), 0)).test_score <= 1


WITH_NAN = np.where(np.arange(ROWS) == 7, np.nan, QUANTITY)


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"model": nn.Linear(4, 3)}, ["model", "got a network", "Linear"]),
        ({"model": nn.Linear}, ["model", "without arguments", "partial"]),
        ({"model": lambda: 3}, ["model", "Module", "int"]),
        ({"model": nn.Flatten}, ["model", "parameters"]),
        ({"model": lambda: 1 / 0}, ["model", "test_arrays.py:", "ZeroDivisionError"]),
        ({"model": make_linear(3, inputs=5)},
         ["model", "float32 of shape (8, 4)", "cannot be multiplied"]),
        ({"model": lambda: nn.Sequential(make_linear(3)(), SumRows())},
         ["model", "8 rows", "got (3,)"]),
        ({"y": CLASSES[:59]}, ["y ", "59 targets", "60 rows"]),
        ({"x": np.where(np.isin(X, X[3, 1]), np.inf, X)}, ["x ", "1 of 60 rows"]),
        ({"y": WITH_NAN}, ["y ", "1 of 60 rows"]),
        ({"y": [None, None, *"ab" * 29]}, ["y ", "2 of 60 rows"]),
        ({"x": pd.DataFrame({"a": QUANTITY, "city": "Rome"})}, ["x ", "column city", "from_table"]),
        ({"y": QUANTITY + 1j}, ["y ", "complex"]),
        ({"x": torch.utils.data.DataLoader([1])}, ["x ", "DataLoader"]),
        ({"x": [[1.0], [1.0, 2.0]]}, ["x ", "list", "length"]),
        ({"x": np.zeros((0, 4))}, ["x ", "(0, 4)"]),
        ({"y": np.arange(ROWS) % 4}, ["4 classes need 4 outputs", "3"]),
        ({"model": make_linear(1)}, ["3 classes need 3 outputs", "one"]),
        ({"y": np.ones(ROWS, int)}, ["y is 1"]),
        ({"y": X[:, :2], "model": make_linear(3)}, ["targets of shape (2,)", "(3,)"]),
        ({"y": QUANTITY, "task": "classification"}, ["y ", "whole numbers", "task"]),
        ({"y": ["a", "b"] * 30, "task": "regression"}, ["y ", "names of classes", "regression"]),
        ({"task": "ranking"}, ["task", "classification or regression", "ranking"]),
        ({"y": (np.arange(ROWS) == 4).astype(int)}, ["2 classes", "1 of 60 rows", "18"]),
        ({"loss": "mse"}, ["loss", "'mse'"]),
        ({"loss": nn.NLLLoss(weight=torch.ones(9))}, ["loss", "outputs of shape (8, 3)"]),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, ["loss", "one number", "(8,)"]),
        ({"loss": lambda o, y: nn.functional.mse_loss(o * 0, o * 0).detach()}, ["loss", "outputs"]),
        ({"metric": lambda o, y: 0.0}, ["metric", "greater_is_better"]),
        ({"metric": "acuracy"}, ["metric", "acuracy", "did you mean accuracy"]),
        ({"metric": "rmse"}, ["metric", "accuracy", "loss", "rmse"]),
        ({"metric": Metric("f", lambda o, y: o, percent=True)},
         ["metric f", "outputs of shape (8, 3)"]),
        ({"x_test": X}, ["x_test", "y_test"]),
        ({"x_test": X[:, :2], "y_test": CLASSES}, ["x_test", "(4,)", "(2,)"]),
        ({"x_test": X, "y_test": CLASSES[:3]}, ["y_test", "x_test", "3 targets", "60 rows"]),
        ({"test_size": 1}, ["test_size", "got 1"]),
        ({"x": X[:2], "y": [0, 1]}, ["3 rows", "got 2"]),
        ({"name": "a/b"}, ["name", "'a/b'"]),
    ],
)  # fmt: skip
def test_mistakes_are_refused_by_name(arguments: dict[str, Any], mentions: list[str]) -> None:
    options = {"x": X, "y": CLASSES, "model": make_linear(3)} | arguments
    with raises(ProblemError, *mentions):
        Problem.from_arrays(options.pop("x"), options.pop("y"), options.pop("model"), **options)


class SumRows(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0)


def test_the_dry_run_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Problem.from_arrays(X, CLASSES, make_linear(3))
    assert torch.equal(torch.rand(3), expected)
