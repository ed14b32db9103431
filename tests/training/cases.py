"""Small problems in float64, every kind of optimizer, and schedules to train them with."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from lrlab import Cosine, Exponential, Plateau, Schedule, Warmup
from lrlab.problems import Problem, Split, load_problem
from lrlab.problems.datasets import build_tutorial_network as tutorial_network
from lrlab.problems.metrics import Task, make_binary_probability_task, make_regression_task
from lrlab.training import Run, Settings

ROWS, TESTED = 44, 30

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
"""By what steps them: two that are pure, and two that read the loss of rows held out."""


def made(
    x: Callable[[torch.Generator, int], Tensor],
    y: Callable[[Tensor, torch.Generator], Tensor],
    model: Callable[[], nn.Module],
    task: Task,
    rows: int = ROWS,
    shuffle: bool = True,
) -> Problem:
    """A problem with random rows, others for every seed, in the dtype that ``x`` gives."""

    @cache
    def split(seed: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        inputs = x(generator, rows + TESTED)
        targets = y(inputs, generator)
        return Split(inputs[:rows], targets[:rows], inputs[rows:], targets[rows:])

    return Problem("made", "made", split, rows, model, task, shuffle, "made for a test")


def normal(*shape: int) -> Callable[[torch.Generator, int], Tensor]:
    """Inputs of this shape from the standard normal distribution."""
    return lambda generator, rows: torch.randn(
        rows, *shape, generator=generator, dtype=torch.float64
    )


def one_number(x: Tensor, generator: torch.Generator) -> Tensor:
    """A target that a network has something to learn of: a bent function, and noise."""
    first = x.flatten(1)[:, :1].double()
    return first.sin() + 0.1 * torch.randn(len(x), 1, generator=generator, dtype=torch.float64)


def one_class(x: Tensor, generator: torch.Generator) -> Tensor:
    """0 or 1 by the sign of ``one_number``."""
    return (one_number(x, generator) > 0).double()


def three_classes(x: Tensor, generator: torch.Generator) -> Tensor:
    """0, 1 or 2 by ``one_number``."""
    return torch.bucketize(one_number(x, generator).flatten(), torch.tensor([-0.4, 0.4]).double())


def squares(model: Callable[[], nn.Module], *shape: int, rows: int = ROWS) -> Problem:
    """A regression in float64."""
    return made(
        normal(*shape or (4,)), one_number, lambda: model().double(), make_regression_task(), rows
    )


def as_double(problem: Problem, rows: int = ROWS) -> Problem:
    """Its first rows alone, in float64."""

    @cache
    def split(seed: int) -> Split:
        full = problem.split(seed)
        return Split(
            full.x_train[:rows].double(),
            _double(full.y_train[:rows]),
            full.x_test[:TESTED].double(),
            _double(full.y_test[:TESTED]),
            full.target_scale,
        )

    return replace(problem, split=split, train_rows=rows, model=lambda: problem.model().double())


@cache
def tutorial() -> Problem:
    """The tutorial's network and loss on rows of the same width, in the same order every epoch."""
    return made(
        normal(34),
        one_class,
        lambda: tutorial_network().double(),
        make_binary_probability_task(),
        shuffle=False,
    )


@cache
def digits() -> Problem:
    """The 64-64-10 network on some of scikit-learn's digits."""
    return as_double(load_problem("digits"))


def conv_net() -> nn.Module:
    # No bias before the normalisation: its gradient is noise around 0, which Adam would blow up.
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 10),
    )


def as_images(problem: Problem) -> Problem:
    """Digits as images, for a small convolutional network with normalisation."""

    @cache
    def split(seed: int) -> Split:
        flat = problem.split(seed)
        return replace(
            flat,
            x_train=flat.x_train.reshape(-1, 1, 8, 8),
            x_test=flat.x_test.reshape(-1, 1, 8, 8),
        )

    return replace(problem, split=split, model=conv_net)


@cache
def images() -> Problem:
    """``as_images`` of ``digits``."""
    return replace(as_images(digits()), model=lambda: conv_net().double())


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "tutorial": tutorial,
    "digits": digits,
    "images": images,
}


def runs_of(per: str, settings: Settings) -> list[Run]:
    """Runs of every kind of schedule at two rates, of two seeds: more of one than of the other."""
    settings = replace(settings, step_every=per, validation_size=0.25)
    of_one = [Run(schedule, settings, seed=1) for schedule in SCHEDULES[per]]
    of_other = [
        Run(schedule, replace(settings, lr=share * settings.lr), seed=2)
        for schedule in SCHEDULES[per]
        for share in (0.3, 1.0)
    ]
    return of_one + of_other


def briefly(optimizer: str, **words: Any) -> list[Run]:
    """Two epochs of two steps of two schedules and two seeds, and rows held out for validation."""
    basic: dict[str, Any] = {"epochs": 2, "batch_size": 20, "validation_size": 0.1}
    settings = Settings(**{**basic, **OPTIMIZERS[optimizer], **words})
    return [Run(schedule, settings, seed) for schedule in (None, Cosine()) for seed in (0, 1)]


def _double(targets: Tensor) -> Tensor:
    return targets.double() if targets.is_floating_point() else targets
