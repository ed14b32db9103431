"""Training functions: their arguments and their fingerprints."""

from typing import Any

import pytest

from lrlab import TrainingFunction
from lrlab.errors import TrainingError
from tests.raising import raises


def train(run: Any) -> None:
    for epoch in range(run.epochs):
        run.report(epoch, accuracy=0.5)


@pytest.mark.parametrize("function", [3, lambda: None, lambda run, other: None])
def test_a_training_function_takes_the_run(function: Any) -> None:
    with raises(TrainingError, "training function", repr(function)):
        TrainingFunction(function)


@pytest.mark.parametrize("metric", ["two words", "", 3])
def test_the_metric_must_be_a_name(metric: Any) -> None:
    with raises(TrainingError, "metric", repr(metric)):
        TrainingFunction(train, metric=metric)


def test_the_dummy_score_must_be_finite() -> None:
    with raises(TrainingError, "dummy_score", "nan"):
        TrainingFunction(train, dummy_score=float("nan"))


def test_a_metric_to_minimize_needs_a_dummy_score() -> None:
    with raises(TrainingError, "perplexity", "`dummy_score`"):
        TrainingFunction(train, metric="perplexity", greater_is_better=False)
    function = TrainingFunction(train, metric="perplexity", greater_is_better=False, dummy_score=2)
    assert (function.dummy_score, function.metric.greater_is_better) == (2.0, False)
    assert TrainingFunction(train).dummy_score == 0.0


def test_a_metric_that_lrlab_has_is_known_by_its_direction() -> None:
    with raises(TrainingError, "rmse", "`dummy_score`"):
        TrainingFunction(train, metric="rmse")
    assert not TrainingFunction(train, metric="rmse", dummy_score=2).metric.greater_is_better
    reversed_loss = TrainingFunction(train, metric="loss", greater_is_better=True)
    assert reversed_loss.metric.greater_is_better
    assert TrainingFunction(train, metric="perplexity").metric.greater_is_better


def test_the_fingerprint_depends_on_the_given_text_and_dummy_score() -> None:
    def train_differently(run: Any) -> None:
        run.report(0, accuracy=0.1)

    function = TrainingFunction(train, fingerprint="data of May")
    same = TrainingFunction(train_differently, fingerprint="data of May")
    assert same.fingerprint == function.fingerprint
    other = TrainingFunction(train, fingerprint="data of June")
    assert other.fingerprint != function.fingerprint
    other = TrainingFunction(train, dummy_score=0.1, fingerprint="data of May")
    assert other.fingerprint != function.fingerprint
