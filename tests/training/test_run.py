"""Runs: how their schedules are bound, and invalid runs."""

from functools import partial
from typing import Any

import pytest
from torch import nn

from lrlab import Absolute, Constant, Cosine, Formula, Linear, Warmup
from lrlab.errors import LrlabError, TrainingError
from lrlab.training import Run, Settings, train
from tests.raising import raises
from tests.training.factories import make_regression_problem

PER_STEP = Settings(epochs=4, batch_size=25, momentum=0.9, step_every="step")


def test_the_schedule_of_the_learning_rate_comes_first() -> None:
    run = Run(Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5)})
    assert list(run.schedules.items()) == [("lr", Cosine()), ("momentum", Linear(1, 0.5))]
    assert Run(None, PER_STEP, 0).schedules == {}


def test_all_schedules_are_bound_to_the_training() -> None:
    run = Run(Warmup("1ep") >> Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5, over="50%")})
    bound = run.bind(train_rows=100)
    assert bound == {"lr": Warmup(4) >> Cosine(12), "momentum": Linear(1.0, 0.5, over=8)}


def test_other_hyperparameters_may_be_zero_at_every_step() -> None:
    run = Run(None, PER_STEP, 0, {"momentum": Constant(0.0)})
    assert run.bind(train_rows=100) == {"momentum": Constant(0.0)}


def test_runs_with_equal_fields_are_equal() -> None:
    runs = [Run(Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5)}) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len({*runs}) == 1
    assert runs[0] != Run(Cosine(), PER_STEP, 0)
    assert runs[0] != Run(Cosine(), PER_STEP, 1, {"momentum": Linear(1, 0.5)})


@pytest.mark.parametrize(
    ("schedule", "hyperparameter_schedules", "mentions"),
    [
        (Cosine(), {"lr": Constant(2.0)}, ("hyperparameter_schedules", "lr", "schedule")),
        ("Cosine()", {}, ("lr", "'Cosine()'", "lrlab.parse")),
        (None, {"momentum": "Linear(1, 0)"}, ("momentum", "'Linear(1, 0)'")),
        (0.1, {}, ("lr", 0.1)),
    ],
)
def test_invalid_schedules_are_rejected(
    schedule: Any, hyperparameter_schedules: dict[str, Any], mentions: tuple
) -> None:
    with raises(TrainingError, *mentions):
        Run(schedule, PER_STEP, 0, hyperparameter_schedules)


@pytest.mark.parametrize("seed", [-1, 1.5, "1"])
def test_invalid_seeds_are_rejected(seed: Any) -> None:
    with raises(TrainingError, "seed", repr(seed)):
        Run(None, PER_STEP, seed)


@pytest.mark.parametrize("name", ["optimizer", "schedule", "groups", "last_epoch", "momentun"])
def test_only_hyperparameters_have_schedules(name: str) -> None:
    run = Run(None, PER_STEP, 0, {name: Constant(0.5)})
    with pytest.raises(LrlabError, match=f"{name}|group"):
        train(make_regression_problem(partial(nn.Linear, 4, 1)), run)


@pytest.mark.parametrize(
    "momentum", [Formula("t >= 1"), Linear(Absolute(0.0), Absolute(0.9), over=3)]
)
def test_momentum_of_rmsprop_must_start_above_zero(momentum: Any) -> None:
    # Otherwise torch creates no momentum buffer, and later looks for it.
    settings = Settings(optimizer="rmsprop", momentum=0.9, step_every="step", epochs=2)
    with raises(TrainingError, "momentum", "rmsprop", momentum):
        Run(None, settings, 0, {"momentum": momentum}).bind(train_rows=100)
    Run(None, settings, 0, {"momentum": Linear(1, 0, over=3)}).bind(train_rows=100)
