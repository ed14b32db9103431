"""Runs: what they are bound to, and what they refuse."""

from functools import partial
from typing import Any

import pytest
from torch import nn

from lrlab import Absolute, Constant, Cosine, Formula, Linear, Warmup
from lrlab.errors import LrlabError, TrainingError
from lrlab.training import Run, Settings, train
from tests.training.cases import squares

PER_STEP = Settings(epochs=4, batch_size=25, momentum=0.9, step_every="step")


def test_the_schedule_of_the_rate_comes_first() -> None:
    run = Run(Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5)})
    assert list(run.schedules.items()) == [("lr", Cosine()), ("momentum", Linear(1, 0.5))]
    assert Run(None, PER_STEP, 0).schedules == {}


def test_all_schedules_are_bound_to_the_training() -> None:
    run = Run(Warmup("1ep") >> Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5, over="50%")})
    bound = run.bind(train_rows=100)
    assert bound == {"lr": Warmup(4) >> Cosine(12), "momentum": Linear(1.0, 0.5, over=8)}


def test_all_but_the_rate_may_be_zero_at_every_step() -> None:
    run = Run(None, PER_STEP, 0, {"momentum": Constant(0.0)})
    assert run.bind(train_rows=100) == {"momentum": Constant(0.0)}


def test_runs_are_equal_by_what_they_are() -> None:
    runs = [Run(Cosine(), PER_STEP, 0, {"momentum": Linear(1, 0.5)}) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len({*runs}) == 1
    assert runs[0] != Run(Cosine(), PER_STEP, 0)
    assert runs[0] != Run(Cosine(), PER_STEP, 1, {"momentum": Linear(1, 0.5)})


@pytest.mark.parametrize(
    ("schedule", "others", "said"),
    [
        (Cosine(), {"lr": Constant(2.0)}, "lr must have one schedule, the run's own"),
        ("Cosine()", {}, "must be a schedule, got 'Cosine()'; parse(...)"),
        (None, {"momentum": "Linear(1, 0)"}, "must be a schedule, got 'Linear(1, 0)'"),
        (0.1, {}, "must be a schedule, got 0.1"),
    ],
)
def test_what_is_no_run(schedule: Any, others: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Run(schedule, PER_STEP, 0, others)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["optimizer", "schedule", "groups", "last_epoch", "momentun"])
def test_only_hyperparameters_have_schedules(name: str) -> None:
    run = Run(None, PER_STEP, 0, {name: Constant(0.5)})
    with pytest.raises(LrlabError, match=f"{name}|group"):
        train(squares(partial(nn.Linear, 4, 1)), run)


@pytest.mark.parametrize(
    "momentum", [Formula("t >= 1"), Linear(Absolute(0.0), Absolute(0.9), over=3)]
)
def test_momentum_of_rmsprop_may_not_begin_at_zero(momentum: Any) -> None:
    # Torch makes no average of gradients then, and looks for it later.
    settings = Settings(optimizer="rmsprop", momentum=0.9, step_every="step", epochs=2)
    with pytest.raises(TrainingError, match="momentum of rmsprop must be above 0 at its first"):
        Run(None, settings, 0, {"momentum": momentum}).bind(train_rows=100)
    Run(None, settings, 0, {"momentum": Linear(1, 0, over=3)}).bind(train_rows=100)
