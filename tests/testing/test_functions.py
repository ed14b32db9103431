"""Each check of a training function passes an honest one, and fails one with that very slip."""

from collections.abc import Callable
from typing import Any

import pytest

from lrlab import TrainingFunction, testing
from lrlab.training import Settings
from tests.testing import trained


def function(train: Callable[[Any], None]) -> TrainingFunction:
    return TrainingFunction(train, metric="rmse", greater_is_better=False, dummy_score=1.0)


@pytest.mark.parametrize("check", testing.list_training_checks(function(trained.honest)), ids=str)
def test_an_honest_function_passes(check: testing.Check) -> None:
    check()


BROKEN = {
    "trains and reports every epoch": trained.ends_early,
    "can be sent to other processes": lambda run: trained.honest(run),
    "gives the same numbers for the same run": trained.any_seed,
    "gives other numbers for another seed": trained.one_seed,
    "obeys the schedule": trained.no_schedule,
    "obeys the base rate": trained.own_rate,
    "trains as many epochs as it is told": trained.two_epochs,
    "holds rows out for validation": trained.all_rows,
}


def test_every_check_is_seen_to_fail() -> None:
    checks = testing.list_training_checks(function(trained.honest))
    assert {str(check) for check in checks} == BROKEN.keys()


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_fails_there_alone(name: str) -> None:
    said = {}
    for check in testing.list_training_checks(function(BROKEN[name])):
        try:
            check()
        except AssertionError as error:
            said[str(check)] = str(error)
    assert "; " in said[name]
    if name != "trains and reports every epoch":  # where nothing else can be asked
        assert len(said) <= 2


def test_a_run_that_diverges_tells_nothing() -> None:
    with pytest.raises(AssertionError, match="must not diverge"):
        testing.check_training(function(trained.honest), Settings(lr=1e30, epochs=9))


def test_a_plain_function_is_made_one() -> None:
    testing.check_training(trained.honest, metric="rmse", greater_is_better=False, dummy_score=1.0)
