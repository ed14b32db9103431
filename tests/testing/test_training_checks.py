"""Checks of training functions: correct ones pass, and each check finds its own mistake."""

from collections.abc import Callable
from typing import Any

import pytest

from lrlab import TrainingFunction, testing
from lrlab.training import Settings
from tests.raising import raises
from tests.testing import training_functions


def wrap(train: Callable[[Any], None]) -> TrainingFunction:
    return TrainingFunction(train, metric="rmse", greater_is_better=False, dummy_score=1.0)


@pytest.mark.parametrize(
    "check", testing.list_training_checks(wrap(training_functions.train_correctly)), ids=str
)
def test_a_correct_function_passes(check: testing.Check) -> None:
    check()


BROKEN = {
    "trains and reports every epoch": training_functions.stop_early,
    "can be sent to other processes": lambda run: training_functions.train_correctly(run),
    "gives the same numbers for the same run": training_functions.draw_random_seed,
    "gives other numbers for another seed": training_functions.ignore_seed,
    "follows the schedule": training_functions.ignore_schedule,
    "follows the learning rate": training_functions.ignore_lr,
    "trains run.epochs epochs": training_functions.ignore_epochs,
    "does not train on validation rows": training_functions.train_on_validation_rows,
}


def test_every_check_has_a_function_that_fails_it() -> None:
    checks = testing.list_training_checks(wrap(training_functions.train_correctly))
    assert {str(check) for check in checks} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_fails_its_check_alone(name: str) -> None:
    messages = {}
    for check in testing.list_training_checks(wrap(BROKEN[name])):
        try:
            check()
        except AssertionError as error:
            messages[str(check)] = str(error)
    assert "; " in messages[name]
    if name != "trains and reports every epoch":  # which all other checks need
        assert len(messages) <= 2


def test_a_run_that_diverges_is_refused() -> None:
    with raises(AssertionError, "1e+30"):
        testing.check_training(
            wrap(training_functions.train_correctly), Settings(lr=1e30, epochs=9)
        )


def test_a_plain_function_becomes_a_training_function() -> None:
    testing.check_training(
        training_functions.train_correctly, metric="rmse", greater_is_better=False, dummy_score=1.0
    )
