"""Settings: torch's own defaults, what is refused, what is written down, how steps are counted."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis.strategies import booleans, builds, floats, integers, none, sampled_from, tuples
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.utils.data import DataLoader

from lrlab import Constant, Cosine, Linear, Warmup
from lrlab.errors import ScheduleError, TrainingError
from lrlab.training import OPTIMIZER_HYPERPARAMETERS, Settings
from lrlab.training.loop import create_optimizer

TORCHS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}
ADAM = {"optimizer": "adam"}
RMSPROP = {"optimizer": "rmsprop"}


def group_of(optimizer: Optimizer) -> dict[str, Any]:
    return {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}


@pytest.mark.parametrize("name", OPTIMIZER_HYPERPARAMETERS)
def test_what_is_left_out_is_torchs_default(name: str) -> None:
    model = nn.Linear(2, 1)
    ours = create_optimizer(model.parameters(), Settings(lr=0.02, optimizer=name))
    theirs = TORCHS[name](model.parameters(), lr=0.02)
    assert type(ours) is TORCHS[name]
    assert group_of(ours) == group_of(theirs)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sgd", {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01}),
        ("sgd", {"momentum": 0.8, "nesterov": True}),
        ("adam", {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.01}),
        ("adamw", {"betas": (0.0, 0.9), "eps": 1e-3, "weight_decay": 0.0}),
        ("rmsprop", {"momentum": 0.8, "alpha": 0.5, "eps": 1e-3, "centered": True}),
    ],
)
def test_what_is_given_reaches_torchs_optimizer(name: str, words: dict[str, Any]) -> None:
    model = nn.Linear(2, 1)
    ours = create_optimizer(model.parameters(), Settings(lr=0.02, optimizer=name, **words))
    assert group_of(ours) == group_of(TORCHS[name](model.parameters(), lr=0.02, **words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"weight_decay": -1}, "weight_decay must be from 0 to 3.40282e+38, got -1; try 0"),
        ({"weight_decay": float("inf")}, "got inf"),
        ({"dampening": 1.5}, "dampening must be from 0 to 1, got 1.5; try 0"),
        ({"nesterov": True}, "nesterov needs momentum above 0 and dampening 0, got 0.0 and 0.0"),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "got 0.9 and 0.1; try momentum"),
        ({"nesterov": True, **ADAM}, "nesterov is for sgd, adam has none; leave it out"),
        ({"centered": True}, "centered is for rmsprop, sgd has none; leave it out"),
        ({"eps": 1e-3}, "eps is for adam and adamw and rmsprop, sgd has none"),
        ({"eps": 0, **ADAM}, "eps must be a number above 0, got 0; try 1e-8"),
        ({"alpha": 1, **RMSPROP}, "alpha must be 0 or more and below 1, got 1; try 0.99"),
        ({"betas": (0.9,), **ADAM}, "betas must be two numbers, got (0.9,); try (0.9, 0.999)"),
        ({"betas": "ab", **ADAM}, "betas must be two numbers, got 'ab'"),
        ({"betas": (0.9, 1.0), **ADAM}, "each of betas must be 0 or more and below 1, got 1.0"),
        ({"betas": (0.9, "x"), **ADAM}, "got x; try (0.9, 0.999)"),
        ({"clip": 0}, "clip must be a number above 0, got 0; try 1"),
        ({"clip": float("nan")}, "got nan; try 1"),
        ({"validation": 1}, "validation must be 0 or more and below 1, got 1; try 0.2"),
        ({"validation": -0.1}, "got -0.1; try 0.2"),
        ({"batch_size": True}, "batch_size must be a whole number of 1 or more, got True"),
        ({"optimizer": ["sgd"]}, "the optimizer must be one of sgd, adam, adamw, rmsprop, got"),
    ],
)
def test_what_is_refused(words: dict[str, Any], said: str) -> None:
    with pytest.raises(TrainingError) as caught:
        Settings(**words)
    assert said in str(caught.value)


shares = floats(0, 1, exclude_max=True)
common = {
    "lr": floats(1e-9, 1e9),
    "epochs": integers(1, 10**6),
    "batch_size": integers(1, 10**6),
    "per": sampled_from(["epoch", "step"]),
    "shuffle": booleans(),
    "weight_decay": none() | floats(0, 10),
    "clip": none() | floats(1e-9, 1e9),
    "validation": shares,
}
any_settings = (
    builds(Settings, momentum=shares, dampening=floats(0, 1), **common)
    | builds(
        Settings,
        optimizer=sampled_from(["adam", "adamw"]),
        betas=tuples(shares, shares),
        eps=floats(1e-12, 1),
        **common,
    )
    | builds(
        Settings,
        optimizer=sampled_from(["rmsprop"]),
        momentum=shares,
        alpha=shares,
        eps=floats(1e-12, 1),
        centered=booleans(),
        **common,
    )
)


@given(any_settings)
def test_settings_are_read_again_from_what_is_written_down(settings: Settings) -> None:
    assert Settings(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_settings_of_old_are_written_as_they_always_were() -> None:
    # Stored runs are found by this text: another one would train all of them again.
    written = json.dumps(Settings(momentum=0.5, epochs=3).to_dict())
    assert written == (
        '{"lr": 0.1, "momentum": 0.5, "optimizer": "sgd", "epochs": 3, "batch_size": 24, '
        '"per": "epoch", "shuffle": true}'
    )
    assert Settings(optimizer="adamw", max_grad_norm=1).to_dict() == {
        "lr": 0.1,
        "momentum": 0.0,
        "optimizer": "adamw",
        "epochs": 50,
        "batch_size": 24,
        "per": "epoch",
        "shuffle": True,
        "clip": 1.0,
    }


@given(any_settings, any_settings)
def test_other_settings_are_written_otherwise(one: Settings, other: Settings) -> None:
    assume(one != other)
    assert one.to_dict() != other.to_dict()


@given(integers(2, 400), integers(1, 500), floats(0, 0.5))
def test_steps_are_counted_as_a_data_loader_does(rows: int, size: int, share: float) -> None:
    settings = Settings(batch_size=size, validation_size=share, step_every="step")
    kept = rows - settings.count_validation_rows(rows)
    batches = len(DataLoader(range(kept), batch_size=size))  # type: ignore[arg-type]
    assert settings.count_batches_per_epoch(rows) == settings.count_steps_per_epoch(rows) == batches
    assert Settings(batch_size=size, validation_size=share).count_steps_per_epoch(rows) == 1


@pytest.mark.parametrize(
    ("share", "rows", "held"),
    [(0.0, 10, 0), (0.2, 10, 2), (0.25, 10, 2), (0.001, 10, 1), (0.5, 2, 1), (0.94, 10, 9)],
)
def test_a_share_holds_out_a_row_at_least(share: float, rows: int, held: int) -> None:
    assert Settings(validation_size=share).count_validation_rows(rows) == held


def test_a_row_is_left_to_train_on() -> None:
    with pytest.raises(
        TrainingError, match=r"validation_size=0.96 of 10 training rows leaves none"
    ):
        Settings(validation_size=0.96).count_validation_rows(10)


def test_durations_become_steps_of_the_rows_that_are_trained_on() -> None:
    settings = Settings(epochs=4, batch_size=10, validation_size=0.5, step_every="step")
    assert settings.bind(Warmup("1ep") >> Cosine(), train_rows=100) == Warmup(5) >> Cosine(15)
    assert Settings(epochs=4).bind(Linear(1, 0), train_rows=100) == Linear(1.0, 0.0, over=4)


def test_only_the_rate_may_not_be_zero_at_every_step() -> None:
    with pytest.raises(ScheduleError, match="0 at every step"):
        Settings().bind(Constant(0.0), train_rows=10)
    assert Settings().bind(Constant(0.0), train_rows=10, base=1.0) == Constant(0.0)
    with pytest.raises(ScheduleError, match=r"gives a rate of 1e\+39 at t = 0; the highest"):
        Settings().bind(Constant(1e39), train_rows=10, base=1.0)
