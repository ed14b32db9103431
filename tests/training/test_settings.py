"""Settings: torch's defaults, invalid values, the written form, the number of steps."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis.strategies import booleans, builds, floats, integers, none, sampled_from, tuples
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.utils.data import DataLoader

from lrlab import Constant, Cosine, Linear, Warmup
from lrlab.errors import ScheduleError, TrainingError
from lrlab.training import OPTIMIZERS, Settings
from lrlab.training.loop import create_optimizer
from tests.raising import raises

TORCHS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}
ADAM = {"optimizer": "adam"}
RMSPROP = {"optimizer": "rmsprop"}


def get_param_group(optimizer: Optimizer) -> dict[str, Any]:
    return {name: value for name, value in optimizer.param_groups[0].items() if name != "params"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_omitted_settings_have_torchs_defaults(name: str) -> None:
    model = nn.Linear(2, 1)
    ours = create_optimizer(model.parameters(), Settings(lr=0.02, optimizer=name))
    theirs = TORCHS[name](model.parameters(), lr=0.02)
    assert type(ours) is TORCHS[name]
    assert get_param_group(ours) == get_param_group(theirs)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("sgd", {"momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01}),
        ("sgd", {"momentum": 0.8, "nesterov": True}),
        ("adam", {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.01}),
        ("adamw", {"betas": (0.0, 0.9), "eps": 1e-3, "weight_decay": 0.0}),
        ("rmsprop", {"momentum": 0.8, "alpha": 0.5, "eps": 1e-3, "centered": True}),
    ],
)
def test_settings_reach_torchs_optimizer(name: str, arguments: dict[str, Any]) -> None:
    model = nn.Linear(2, 1)
    ours = create_optimizer(model.parameters(), Settings(lr=0.02, optimizer=name, **arguments))
    assert get_param_group(ours) == get_param_group(
        TORCHS[name](model.parameters(), lr=0.02, **arguments)
    )


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"lr": 0}, ("lr", 0, "0.1")),
        ({"lr": float("nan")}, ("lr", "nan")),
        ({"lr": -0.1}, ("lr", -0.1)),
        ({"lr": "0.1"}, ("lr", 0.1)),
        ({"lr": 1e39}, ("lr", 1e39, "3.4e+38")),
        ({"epochs": 0}, ("epochs", 0)),
        ({"epochs": 1.5}, ("epochs", 1.5)),
        ({"epochs": "5"}, ("epochs", 5)),
        ({"batch_size": 0}, ("batch_size", 0)),
        ({"batch_size": True}, ("batch_size", True)),
        ({"momentum": 1.0}, ("momentum", 1.0, 0.9)),
        ({"momentum": 0.9, **ADAM}, ("momentum", "sgd, rmsprop", "adam")),
        ({"optimizer": "lion"}, ("optimizer", "sgd, adam, adamw, rmsprop", "lion")),
        ({"optimizer": ["sgd"]}, ("optimizer", "sgd, adam, adamw, rmsprop", "['sgd']")),
        ({"step_every": "day"}, ("step_every", "epoch or step", "day")),
        ({"weight_decay": -1}, ("weight_decay", "3.40282e+38", -1)),
        ({"weight_decay": float("inf")}, ("weight_decay", "inf")),
        ({"dampening": 1.5}, ("dampening", 1.5)),
        ({"nesterov": True}, ("nesterov", "momentum", "dampening", 0.0)),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, ("nesterov", 0.9, 0.1)),
        ({"nesterov": True, **ADAM}, ("nesterov", "sgd", "adam")),
        ({"centered": True}, ("centered", "rmsprop", "sgd")),
        ({"eps": 1e-3}, ("eps", "adam, adamw, rmsprop", "sgd")),
        ({"eps": 0, **ADAM}, ("eps", 0, "1e-8")),
        ({"alpha": 1, **RMSPROP}, ("alpha", 1, 0.99)),
        ({"betas": (0.9,), **ADAM}, ("betas", "(0.9,)", "(0.9, 0.999)")),
        ({"betas": "ab", **ADAM}, ("betas", "'ab'")),
        ({"betas": (0.9, 1.0), **ADAM}, ("betas", 1.0)),
        ({"betas": (0.9, "x"), **ADAM}, ("betas", "x", "(0.9, 0.999)")),
        ({"max_grad_norm": 0}, ("max_grad_norm", 0, 1)),
        ({"max_grad_norm": float("nan")}, ("max_grad_norm", "nan", 1)),
        ({"validation_size": 1}, ("validation_size", 1, 0.2)),
        ({"validation_size": -0.1}, ("validation_size", -0.1, 0.2)),
    ],
)
def test_invalid_settings_are_rejected(arguments: dict[str, Any], mentions: tuple) -> None:
    with raises(TrainingError, *mentions):
        Settings(**arguments)


def test_settings_are_plain_numbers() -> None:
    settings = Settings(lr=np.float32(0.5), momentum=0, epochs=np.int64(5))
    assert settings == Settings(lr=0.5, epochs=5)
    assert repr(settings) == repr(Settings(lr=0.5, epochs=5))


fractions = floats(0, 1, exclude_max=True)
common = {
    "lr": floats(1e-9, 1e9),
    "epochs": integers(1, 10**6),
    "batch_size": integers(1, 10**6),
    "step_every": sampled_from(["epoch", "step"]),
    "shuffle": booleans(),
    "weight_decay": none() | floats(0, 10),
    "max_grad_norm": none() | floats(1e-9, 1e9),
    "validation_size": fractions,
}
any_settings = (
    builds(Settings, momentum=fractions, dampening=floats(0, 1), **common)
    | builds(
        Settings,
        optimizer=sampled_from(["adam", "adamw"]),
        betas=tuples(fractions, fractions),
        eps=floats(1e-12, 1),
        **common,
    )
    | builds(
        Settings,
        optimizer=sampled_from(["rmsprop"]),
        momentum=fractions,
        alpha=fractions,
        eps=floats(1e-12, 1),
        centered=booleans(),
        **common,
    )
)


@given(any_settings)
def test_written_settings_are_read_back(settings: Settings) -> None:
    assert Settings(**json.loads(json.dumps(settings.to_dict()))) == settings


def test_all_settings_are_written() -> None:
    written = json.dumps(Settings(momentum=0.5, epochs=3, max_grad_norm=1).to_dict())
    assert written == (
        '{"lr": 0.1, "momentum": 0.5, "optimizer": "sgd", "epochs": 3, "batch_size": 24, '
        '"step_every": "epoch", "shuffle": true, "weight_decay": null, "dampening": 0.0, '
        '"nesterov": false, "betas": [0.9, 0.999], "eps": 1e-08, "alpha": 0.99, '
        '"centered": false, "max_grad_norm": 1.0, "validation_size": 0.0}'
    )


@given(any_settings, any_settings)
def test_different_settings_are_written_differently(first: Settings, second: Settings) -> None:
    assume(first != second)
    assert first.to_dict() != second.to_dict()


@given(integers(2, 400), integers(1, 500), floats(0, 0.5))
def test_steps_are_counted_like_a_data_loader(rows: int, size: int, fraction: float) -> None:
    settings = Settings(batch_size=size, validation_size=fraction, step_every="step")
    train_rows = rows - settings.count_validation_rows(rows)
    batches = len(DataLoader(range(train_rows), batch_size=size))  # type: ignore[arg-type]
    assert settings.count_batches_per_epoch(rows) == settings.count_steps_per_epoch(rows) == batches
    assert Settings(batch_size=size, validation_size=fraction).count_steps_per_epoch(rows) == 1


@pytest.mark.parametrize(
    ("fraction", "rows", "expected"),
    [(0.0, 10, 0), (0.2, 10, 2), (0.25, 10, 2), (0.001, 10, 1), (0.5, 2, 1), (0.94, 10, 9)],
)
def test_validation_rows_are_at_least_one(fraction: float, rows: int, expected: int) -> None:
    assert Settings(validation_size=fraction).count_validation_rows(rows) == expected


def test_a_row_must_be_left_to_train_on() -> None:
    with raises(TrainingError, "validation_size", 0.96, 10):
        Settings(validation_size=0.96).count_validation_rows(10)


def test_durations_become_steps_of_the_remaining_training_rows() -> None:
    settings = Settings(epochs=4, batch_size=10, validation_size=0.5, step_every="step")
    assert settings.bind(Warmup("1ep") >> Cosine(), train_rows=100) == Warmup(5) >> Cosine(15)
    assert Settings(epochs=4).bind(Linear(1, 0), train_rows=100) == Linear(1.0, 0.0, over=4)


def test_only_the_learning_rate_must_be_above_zero_at_some_step() -> None:
    with raises(ScheduleError, "Constant(0.0)", "every"):
        Settings().bind(Constant(0.0), train_rows=10)
    assert Settings().bind(Constant(0.0), train_rows=10, base=1.0) == Constant(0.0)
    with raises(ScheduleError, "Constant(1e+39)", "3.4e+38", "t = 0"):
        Settings().bind(Constant(1e39), train_rows=10, base=1.0)
