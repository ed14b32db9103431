"""Factories: small problems in float64, settings of every optimizer, schedules and runs."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from lrlab import Cosine, Exponential, Plateau, Schedule, Warmup
from lrlab.problems import Problem, Split, load_problem
from lrlab.problems.datasets import build_tutorial_network
from lrlab.problems.metrics import OutputKind, Task, make_task
from lrlab.training import Run, Settings

ROWS, TEST_ROWS = 44, 30

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 0.1},
    "sgd, momentum": {"lr": 0.05, "momentum": 0.9},
    "sgd, dampening": {"lr": 0.1, "momentum": 0.9, "dampening": 0.5},
    "sgd, nesterov": {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    "sgd, weight decay": {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.03},
    "adam": {"optimizer": "adam", "lr": 0.01, "betas": (0.8, 0.95), "weight_decay": 0.03},
    "adamw": {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.3, "eps": 1e-6},
    "rmsprop": {"optimizer": "rmsprop", "lr": 0.003},
    "rmsprop, centered": {
        "optimizer": "rmsprop",
        "lr": 0.003,
        "momentum": 0.5,
        "centered": True,
        "alpha": 0.9,
        "weight_decay": 0.03,
    },
}

SCHEDULES: dict[str, tuple[Schedule | None, ...]] = {
    "epoch": (
        None,
        Exponential(0.8),
        Plateau(0.5, patience=0, threshold=0.3),
        Warmup(1) >> Plateau(0.2, patience=0, threshold=1.0),
    ),
    "step": (
        Exponential(0.95),
        Warmup("1ep") >> Cosine(end=0.1),
        Plateau(0.5, patience=0, threshold=0.3),
        Warmup("1ep") >> Plateau(0.2, patience=0, threshold=1.0),
    ),
}
"""By ``step_every``: pure schedules, and metric-driven ones, which read the validation loss."""


def make_problem(
    x: Callable[[torch.Generator, int], Tensor],
    y: Callable[[Tensor, torch.Generator], Tensor],
    model: Callable[[], nn.Module],
    task: Task,
    rows: int = ROWS,
    shuffle: bool = True,
) -> Problem:
    """Make a problem with random rows that differ between seeds, in the dtype of ``x``."""

    @cache
    def split(seed: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        inputs = x(generator, rows + TEST_ROWS)
        targets = y(inputs, generator)
        return Split(inputs[:rows], targets[:rows], inputs[rows:], targets[rows:])

    return Problem("random", "random", split, rows, model, task, shuffle, "random rows for a test")


def sample_normal(*shape: int) -> Callable[[torch.Generator, int], Tensor]:
    """Inputs of this shape from the standard normal distribution."""
    return lambda generator, rows: torch.randn(
        rows, *shape, generator=generator, dtype=torch.float64
    )


def make_numbers(x: Tensor, generator: torch.Generator) -> Tensor:
    """Make targets that a network can learn: a nonlinear function, and noise."""
    first = x.flatten(1)[:, :1].double()
    return first.sin() + 0.1 * torch.randn(len(x), 1, generator=generator, dtype=torch.float64)


def make_two_classes(x: Tensor, generator: torch.Generator) -> Tensor:
    """Make targets 0 and 1, by the sign of ``make_numbers``."""
    return (make_numbers(x, generator) > 0).double()


def make_three_classes(x: Tensor, generator: torch.Generator) -> Tensor:
    """Make targets 0, 1 and 2, by ``make_numbers``."""
    return torch.bucketize(make_numbers(x, generator).flatten(), torch.tensor([-0.4, 0.4]).double())


def make_regression_problem(
    model: Callable[[], nn.Module], *shape: int, rows: int = ROWS
) -> Problem:
    """Make a regression problem in float64."""
    return make_problem(
        sample_normal(*shape or (4,)),
        make_numbers,
        lambda: model().double(),
        make_task(OutputKind.QUANTITY),
        rows,
    )


def to_float64(problem: Problem, rows: int = ROWS) -> Problem:
    """Return a problem with its first rows only, in float64."""

    @cache
    def split(seed: int) -> Split:
        full = problem.split(seed)
        return Split(
            full.x_train[:rows].double(),
            _to_float64(full.y_train[:rows]),
            full.x_test[:TEST_ROWS].double(),
            _to_float64(full.y_test[:TEST_ROWS]),
            full.target_scale,
        )

    return replace(problem, split=split, train_rows=rows, model=lambda: problem.model().double())


@cache
def make_tutorial_problem() -> Problem:
    """Make a problem with the tutorial's network and loss, and no shuffling."""
    return make_problem(
        sample_normal(34),
        make_two_classes,
        lambda: build_tutorial_network().double(),
        make_task(OutputKind.PROBABILITY),
        shuffle=False,
    )


@cache
def make_digits_problem() -> Problem:
    """Make a problem with the 64-64-10 network and some of scikit-learn's digits."""
    return to_float64(load_problem("digits"))


def build_conv_net() -> nn.Module:
    # No bias before the normalization: its gradient is noise around 0, which Adam would amplify.
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 10),
    )


def to_images(problem: Problem) -> Problem:
    """Return the problem of digits as images, with a small convolutional network."""

    @cache
    def split(seed: int) -> Split:
        flat = problem.split(seed)
        return replace(
            flat,
            x_train=flat.x_train.reshape(-1, 1, 8, 8),
            x_test=flat.x_test.reshape(-1, 1, 8, 8),
        )

    return replace(problem, split=split, model=build_conv_net)


@cache
def make_images_problem() -> Problem:
    """Make the problem of digits as images, in float64."""
    return replace(to_images(make_digits_problem()), model=lambda: build_conv_net().double())


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "tutorial": make_tutorial_problem,
    "digits": make_digits_problem,
    "images": make_images_problem,
}


def make_runs(step_every: str, settings: Settings) -> list[Run]:
    """Make runs of every kind of schedule: one learning rate for a seed, two for another."""
    settings = replace(settings, step_every=step_every, validation_size=0.25)
    first_seed = [Run(schedule, settings, seed=1) for schedule in SCHEDULES[step_every]]
    second_seed = [
        Run(schedule, replace(settings, lr=factor * settings.lr), seed=2)
        for schedule in SCHEDULES[step_every]
        for factor in (0.3, 1.0)
    ]
    return first_seed + second_seed


def make_short_runs(optimizer: str, **changes: Any) -> list[Run]:
    """Make runs of two schedules and two seeds: two epochs of two steps, with validation rows."""
    defaults: dict[str, Any] = {"epochs": 2, "batch_size": 20, "validation_size": 0.1}
    settings = Settings(**{**defaults, **OPTIMIZERS[optimizer], **changes})
    return [Run(schedule, settings, seed) for schedule in (None, Cosine()) for seed in (0, 1)]


def _to_float64(targets: Tensor) -> Tensor:
    return targets.double() if targets.is_floating_point() else targets
