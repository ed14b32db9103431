"""A problem of one's own data and model: targets, loss, metric, guess, splits, and every slip."""

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

import lrlab
from lrlab import Metric, ProblemError
from lrlab.problems import Problem
from lrlab.testing import check_problem
from lrlab.training import Run, Settings, train

ROWS = 60
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(ROWS, 4))
THREE = DRAW.integers(0, 3, ROWS)
AMOUNT = X @ [1.0, -2.0, 0.5, 0.0]


def linear(outputs: int, inputs: int = 4) -> Any:
    return partial(nn.Linear, inputs, outputs)


def test_whole_numbers_are_classes() -> None:
    problem = lrlab.Problem.from_arrays(X, THREE, linear(3))
    split = problem.split(0)
    assert (split.x_train.dtype, split.y_train.dtype) == (torch.float32, torch.int64)
    assert isinstance(problem.task.loss, nn.CrossEntropyLoss)
    assert problem.metric.name == "accuracy"
    assert problem.metric.greater_is_better
    outputs = torch.from_numpy(DRAW.normal(size=(len(split.y_test), 3)))
    expected = accuracy_score(split.y_test, outputs.argmax(1))
    assert float(problem.metric.fn(outputs, split.y_test)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "labels",
    [np.array(["no", "yes"])[THREE % 2], THREE % 2 == 1, 5 + THREE % 2, pd.Series(THREE % 2)],
    ids=["texts", "booleans", "numbers from 5", "a column"],
)
@pytest.mark.parametrize("outputs", [1, 2])
def test_two_classes_have_one_output_or_two(labels: Any, outputs: int) -> None:
    problem = lrlab.Problem.from_arrays(X, labels, linear(outputs))
    y = problem.split(3).y_train
    assert set(y.flatten().tolist()) == {0, 1}
    if outputs == 1:
        assert y.shape == (42, 1)
        assert isinstance(problem.task.loss, nn.BCEWithLogitsLoss)
        guess = problem.task.dummy_output(y)
        assert_allclose(guess.numpy(), logit(y.mean(0).numpy()), rtol=1e-6)
    else:
        assert y.shape == (42,)
        assert problem.task.dummy_output(y).argmax() == y.float().mean().round()


def test_floats_are_quantities() -> None:
    problem = lrlab.Problem.from_arrays(X, AMOUNT, linear(1), metric="mae")
    split = problem.split(0)
    assert split.y_train.shape == (42, 1)  # not (42,), which torch would spread to (42, 42)
    assert problem.task.dummy_output(split.y_train).item() == pytest.approx(
        split.y_train.mean().item()
    )
    outputs = torch.from_numpy(DRAW.normal(size=tuple(split.y_test.shape)))
    for metric, of, more in (
        ("mae", mean_absolute_error, False),
        ("rmse", root_mean_squared_error, False),
        ("r2", r2_score, True),
    ):
        ours = lrlab.Problem.from_arrays(X, AMOUNT, linear(1), metric=metric).metric
        assert ours.greater_is_better == more
        assert float(ours.fn(outputs, split.y_test)) == pytest.approx(of(split.y_test, outputs))


def test_task_says_what_could_be_either() -> None:
    counted = lrlab.Problem.from_arrays(X, THREE, linear(1), task="regression")
    assert counted.task.kind == "regression"
    named = lrlab.Problem.from_arrays(X, THREE.astype(float), linear(3), task="classification")
    assert named.split(0).y_test.dtype == torch.int64


def test_floats_get_the_models_type() -> None:
    def double() -> nn.Module:
        return nn.Linear(4, 1).double()

    split = lrlab.Problem.from_arrays(X.astype(np.float32), AMOUNT, double).split(0)
    assert split.x_train.dtype == split.y_train.dtype == torch.float64


def test_rows_may_have_any_shape_and_whole_numbers() -> None:
    images = lrlab.Problem.from_arrays(
        DRAW.normal(size=(ROWS, 1, 5, 5)),
        THREE,
        lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(18, 3)),
    )
    assert images.split(0).x_test.shape == (18, 1, 5, 5)
    words = lrlab.Problem.from_arrays(
        DRAW.integers(0, 9, (ROWS, 6)),
        THREE,
        lambda: nn.Sequential(nn.EmbeddingBag(9, 4), nn.Linear(4, 3)),
    )
    assert words.split(0).x_test.dtype == torch.int64
    pixels = lrlab.Problem.from_arrays(
        DRAW.normal(size=(ROWS, 1, 4, 4)),
        DRAW.integers(0, 3, (ROWS, 4, 4)),
        lambda: nn.Conv2d(1, 3, 1),
    )
    split = pixels.split(0)
    assert pixels.task.dummy_output(split.y_train).shape == (3, 4, 4)
    for problem in (images, words, pixels):
        assert np.isfinite(train(problem, Run(None, Settings(epochs=1), 0)).test_score)


def test_a_loss_of_ones_own_names_the_metric() -> None:
    def both(outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.gaussian_nll_loss(outputs[:, :1], targets, outputs[:, 1:].exp())

    problem = lrlab.Problem.from_arrays(X, AMOUNT.reshape(-1, 1), linear(2), loss=both)
    assert problem.metric.name == "loss"
    assert not problem.metric.greater_is_better
    assert train(problem, Run(None, Settings(lr=0.01, epochs=5), 0)).test_score < 9


def test_probabilities_are_told_from_logits() -> None:
    def sigmoid() -> nn.Module:
        return nn.Sequential(nn.Linear(4, 1), nn.Sigmoid())

    problem = lrlab.Problem.from_arrays(X, AMOUNT > 0, sigmoid, loss=nn.BCELoss())
    outputs = torch.tensor([[0.4], [0.6]])
    assert float(problem.metric.fn(outputs, torch.tensor([[0.0], [1.0]]))) == 1
    check_problem_but_pickle(problem)


def check_problem_but_pickle(problem: Problem) -> None:
    for check in lrlab.testing.problem_checks(problem):
        if "processes" not in str(check):
            check()


def test_splits_are_stratified_and_given_test_rows_are_fixed() -> None:
    rare = (np.arange(ROWS) % 10 == 0).astype(int)
    for seed in range(5):
        assert lrlab.Problem.from_arrays(X, rare, linear(2)).split(seed).y_test.sum() == 2
    problem = lrlab.Problem.from_arrays(
        X[:40], THREE[:40], linear(3), x_test=X[40:], y_test=THREE[40:]
    )
    assert problem.test_train_ratio is None
    assert problem.train_rows == 40
    for seed in range(3):
        split = problem.split(seed)
        assert_allclose(split.x_train, X[:40], rtol=1e-6)
        assert_allclose(split.y_test, THREE[40:])
    own = lrlab.Problem.from_arrays(X, THREE, linear(3), test_size=0.25)
    assert own.test_train_ratio == 15 / 45
    assert own.split(0).y_test.tolist() != own.split(1).y_test.tolist()


def test_it_reaches_other_processes_whole() -> None:
    problem = lrlab.Problem.from_arrays(X, THREE, linear(3))
    copy = pickle.loads(pickle.dumps(problem))
    assert torch.equal(copy.split(3).x_test, problem.split(3).x_test)
    assert copy.fingerprint == problem.fingerprint
    check_problem(problem)


def test_a_fingerprint_is_of_all_that_numbers_depend_on() -> None:
    def made(x: Any = X, y: Any = THREE, model: Any = None, **options: Any) -> str:
        return lrlab.Problem.from_arrays(x, y, model or linear(3), **options).fingerprint

    same = made()
    assert made() == same
    assert made(name="another") == same
    assert made(x=torch.from_numpy(X)) == same
    others = [
        made(x=X + 1e-6),
        made(y=2 - THREE),
        made(model=linear(4)),
        made(loss=nn.CrossEntropyLoss(label_smoothing=0.1)),
        made(metric="loss"),
        made(test_size=0.25),
        made(x_test=X, y_test=THREE),
    ]
    assert len({same, *others}) == 1 + len(others)


def test_a_metric_of_ones_own() -> None:
    def share_of_zeros(outputs: Tensor, targets: Tensor) -> float:
        return float((outputs.argmax(1) == 0).float().mean())  # a plain number, as sklearn gives

    metric = Metric("zeros", greater_is_better=False, percent=True, fn=share_of_zeros)
    problem = lrlab.Problem.from_arrays(X, THREE, linear(3), metric=metric)
    assert problem.metric is metric
    assert 0 <= train(problem, Run(None, Settings(epochs=1), 0)).test_score <= 1


HOLES = np.where(np.arange(ROWS) == 7, np.nan, AMOUNT)


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("a fresh network for every run, got one network, Linear", {"model": nn.Linear(4, 3)}),
        ("without arguments", {"model": nn.Linear}),
        ("must give a torch.nn.Module, got int", {"model": lambda: 3}),
        ("a parameter to train", {"model": nn.Flatten}),
        (r"cannot be built \(test_own.py:\d+\): ZeroDivisionError", {"model": lambda: 1 / 0}),
        (r"cannot take a batch of x, float32 of shape \(8, 4\).*cannot be multiplied",
         {"model": linear(3, inputs=5)}),
        ("a row for each of the 8 rows", {"model": lambda: nn.Sequential(linear(3)(), Summed())}),
        ("one target for each row of x, got 59 targets for 60 rows", {"y": THREE[:59]}),
        ("finite numbers, but 1 of 60 rows", {"x": np.where(np.isin(X, X[3, 1]), np.inf, X)}),
        ("y must hold finite numbers, but 1 of 60", {"y": HOLES}),
        ("y must hold finite numbers, but 2 of 60", {"y": [None, None, *"ab" * 29]}),
        ("column city holds text", {"x": pd.DataFrame({"a": AMOUNT, "city": "Rome"})}),
        ("numbers or names of classes, got complex", {"y": AMOUNT + 1j}),
        ("must be an array, a tensor or a frame, got DataLoader",
         {"x": torch.utils.data.DataLoader([1])}),
        ("rows may differ in length", {"x": [[1.0], [1.0, 2.0]]}),
        ("needs rows, got shape", {"x": np.zeros((0, 4))}),
        ("4 classes need 4 outputs, the model gives 3", {"y": np.arange(ROWS) % 4}),
        ("3 classes need 3 outputs, the model gives one", {"model": linear(1)}),
        ("y is 1 in every row", {"y": np.ones(ROWS, int)}),
        (r"\(2,\) need outputs of that shape", {"y": X[:, :2], "model": linear(3)}),
        ("parts of numbers", {"y": AMOUNT, "task": "classification"}),
        ("names of classes", {"y": ["a", "b"] * 30, "task": "regression"}),
        ("task must be", {"task": "ranking"}),
        ("the rarest has 1 of 60", {"y": (np.arange(ROWS) == 4).astype(int)}),
        ("function of outputs and targets", {"loss": "mse"}),
        ("the loss cannot take outputs of shape", {"loss": nn.NLLLoss(weight=torch.ones(9))}),
        ("a tensor of one number", {"loss": nn.CrossEntropyLoss(reduction="none")}),
        ("follows from the outputs", {"loss": lambda o, y: nn.functional.mse_loss(o * 0, o * 0)
                                      .detach()}),
        ("whether more of it is better", {"metric": lambda o, y: 0.0}),
        ("did you mean accuracy", {"metric": "acuracy"}),
        ("one of loss, accuracy", {"metric": "rmse"}),
        ("the metric f cannot take outputs",
         {"metric": Metric("f", lambda o, y: o, percent=True)}),
        ("both x_test and y_test", {"x_test": X}),
        ("shaped like those of x", {"x_test": X[:, :2], "y_test": THREE}),
        ("y_test needs one target for each row of x_test", {"x_test": X, "y_test": THREE[:3]}),
        ("above 0 and below 1", {"test_size": 1}),
        ("rows to train on and to test", {"x": X[:2], "y": [0, 1]}),
        ("a name must be", {"name": "a/b"}),
    ],
)  # fmt: skip
def test_slips_are_said_in_one_sentence(said: str, given: dict[str, Any]) -> None:
    options = {"x": X, "y": THREE, "model": linear(3)} | given
    with pytest.raises(ProblemError, match=said):
        lrlab.Problem.from_arrays(
            options.pop("x"), options.pop("y"), options.pop("model"), **options
        )


class Summed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.sum(0)


def test_trying_it_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    lrlab.Problem.from_arrays(X, THREE, linear(3))
    assert torch.equal(torch.rand(3), expected)
