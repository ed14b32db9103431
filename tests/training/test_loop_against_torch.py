"""What the loop can do beyond the article's program, against plain PyTorch written out by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau

from lrlab import Cosine, Exponential, Formula, Linear, Plateau
from lrlab.problems import Problem, derive_seeds
from lrlab.training import Result, Run, Settings, loop
from tests.training.cases import digits, images, squares

BASIC = Settings(epochs=4, batch_size=16)


class ByHand:
    """Trains on a problem's rows in their order of a seed; the tests fill in the rest."""

    def __init__(self, problem: Problem, seed: int, held_out: int = 0) -> None:
        self.problem = problem
        self.split = problem.split_rows(seed, held_out)
        torch.manual_seed(derive_seeds(seed).weights)
        self.model = problem.model()
        self.order = torch.Generator().manual_seed(derive_seeds(seed).batch_order)
        self.losses: list[float] = []
        self.steps = 0

    def epoch(self, optimizer: Optimizer, clip: float | None = None, **scheduled: Any) -> None:
        """One epoch; the hyperparameters that are ``scheduled`` are functions of the step."""
        places = torch.randperm(len(self.split.x_train), generator=self.order)
        self.model.train()
        total = 0.0
        for start in range(0, len(places), 16):
            batch = places[start : start + 16]
            for name, value in scheduled.items():
                optimizer.param_groups[0][name] = value(self.steps)
            loss = self.problem.task.loss(
                self.model(self.split.x_train[batch]), self.split.y_train[batch]
            )
            optimizer.zero_grad()
            loss.backward()
            if clip is not None:
                clip_grad_norm_(self.model.parameters(), clip)
            optimizer.step()
            self.steps += 1
            total += loss.item() * len(batch)
        self.losses.append(total / len(places))

    def measured(self, of: Callable[[Tensor, Tensor], Tensor]) -> float:
        """Something of the rows held out."""
        assert self.split.x_validation is not None
        assert self.split.y_validation is not None
        self.model.eval()
        with torch.no_grad():
            return of(self.model(self.split.x_validation), self.split.y_validation).item()

    def assert_is(self, model: nn.Module, result: Result) -> None:
        np.testing.assert_allclose(result.curve.get_column("loss"), self.losses, rtol=1e-12)
        expected = self.model.state_dict()
        for name, weight in model.state_dict().items():
            torch.testing.assert_close(weight, expected[name], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (SGD, {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.03}),
        (SGD, {"momentum": 0.9, "nesterov": True}),
        (Adam, {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.03}),
        (AdamW, {"betas": (0.8, 0.9), "weight_decay": 0.3}),
        (RMSprop, {"momentum": 0.5, "alpha": 0.9, "centered": True, "eps": 1e-3}),
    ],
)
def test_optimizers(kind: type[Optimizer], words: dict[str, Any]) -> None:
    by_hand = ByHand(images(), seed=1)
    optimizer = kind(by_hand.model.parameters(), lr=0.02, **words)  # type: ignore[call-arg]
    for _ in range(4):
        by_hand.epoch(optimizer)
    settings = replace(BASIC, lr=0.02, optimizer=kind.__name__.lower(), **words)
    by_hand.assert_is(*loop.train_and_get_model(images(), Run(None, settings, seed=1)))


@pytest.mark.parametrize("clip", [1e-3, 0.5, 1e3])
def test_gradients_are_clipped(clip: float) -> None:
    by_hand = ByHand(digits(), seed=1)
    optimizer = Adam(by_hand.model.parameters(), lr=0.02)
    scheduler = ExponentialLR(optimizer, 0.5)
    for _ in range(4):
        by_hand.epoch(optimizer, clip)
        scheduler.step()
    settings = replace(BASIC, lr=0.02, optimizer="adam", max_grad_norm=clip)
    by_hand.assert_is(*loop.train_and_get_model(digits(), Run(Exponential(0.5), settings, seed=1)))


@pytest.mark.parametrize(("mode", "held_out"), [("min", 0), ("min", 11), ("max", 11)])
def test_a_plateau_is_torchs(mode: str, held_out: int) -> None:
    words: dict[str, Any] = {"patience": 0, "threshold": 0.2, "cooldown": 1}
    by_hand = ByHand(digits(), 1, held_out)
    optimizer = SGD(by_hand.model.parameters(), lr=0.2)
    scheduler = ReduceLROnPlateau(optimizer, mode, 0.5, **words)  # type: ignore[arg-type]
    rates, metrics = [], []
    task = digits().task
    for _ in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        by_hand.epoch(optimizer)
        if not held_out:
            metrics.append(by_hand.losses[-1])
        else:
            metrics.append(by_hand.measured(task.loss if mode == "min" else task.metric.fn))
        scheduler.step(metrics[-1])
    run = Run(
        Plateau(0.5, mode=mode, **words),
        replace(BASIC, lr=0.2, epochs=12, validation_size=held_out / 44),
        seed=1,
    )
    model, result = loop.train_and_get_model(digits(), run)
    assert len({*rates}) > 2
    np.testing.assert_allclose(result.curve.get_column("lr_start"), rates, rtol=1e-12)
    read = {"min": "validation_loss" if held_out else "loss", "max": "validation_score"}[mode]
    np.testing.assert_allclose(result.curve.get_column(read), metrics, rtol=1e-12)
    by_hand.assert_is(model, result)


def test_a_plateau_stepped_at_every_step_reads_once_an_epoch() -> None:
    by_hand = ByHand(digits(), 1, 11)
    optimizer = SGD(by_hand.model.parameters(), lr=0.2)
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0.5)
    for _ in range(4):
        by_hand.epoch(optimizer)
        plateau.step(by_hand.measured(digits().task.loss))
    settings = replace(BASIC, lr=0.2, validation_size=0.25, step_every="step")
    schedule = Plateau(0.5, patience=0, threshold=0.5)
    model, result = loop.train_and_get_model(digits(), Run(schedule, settings, seed=1))
    assert result.curve[-1].lr_end == optimizer.param_groups[0]["lr"] < 0.2
    by_hand.assert_is(model, result)


def test_other_hyperparameters_have_schedules() -> None:
    by_hand = ByHand(digits(), seed=1)
    optimizer = SGD(by_hand.model.parameters(), lr=0.1, momentum=0.8)
    cosine = Cosine(12)
    scheduled = {
        "lr": lambda t: cosine(t, base=0.1),
        "momentum": lambda t: 0.0 if t in (0, 1, 5) else 0.8,
        "weight_decay": lambda t: 0.01 * t / 12,
    }
    for _ in range(4):
        by_hand.epoch(optimizer, **scheduled)
    others = {
        "momentum": Formula("1 - (t < 2) - (t >= 5) * (t < 6)"),
        "weight_decay": Linear(0.0, 1.0),
    }
    settings = replace(BASIC, momentum=0.8, weight_decay=0.01, step_every="step")
    by_hand.assert_is(*loop.train_and_get_model(digits(), Run(Cosine(), settings, 1, others)))


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.RReLU()], ids=repr)
def test_random_layers_draw_from_the_seed_and_leave_the_callers_alone(layer: nn.Module) -> None:
    problem = squares(lambda: nn.Sequential(nn.Linear(4, 8), layer, nn.Linear(8, 1)))
    curves = []
    for seed in (1, 1, 2):
        torch.manual_seed(len(curves))
        before = torch.get_rng_state()
        curves.append(loop.train(problem, Run(None, BASIC, seed)).curve)
        assert torch.equal(torch.get_rng_state(), before)
    assert curves[0] == curves[1]
    assert curves[0] != curves[2]


@pytest.mark.parametrize(
    ("rates", "steps"),
    [
        ("1e9 ** (t >= 0)", 1),  # noticed by the outputs of the next step
        ("1e9 ** (t >= 4)", 5),
        ("1e9 ** (t >= 5)", 6),  # and after the last step of an epoch by the rows of the test
        ("1e9 ** (t >= 11)", 12),
    ],
)
def test_a_run_leaves_when_it_is_lost(rates: str, steps: int) -> None:
    class Brittle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x) + 0 * self.linear.weight.square().sum().exp()

    run = Run(Formula(rates), replace(BASIC, step_every="step"), 0)
    result = loop.train(squares(Brittle), run)
    assert (result.diverged, result.diverged_at_step) == (True, steps)
    assert len(result.curve) == (steps - 1) // 3
    split = squares(Brittle).split(0)
    guess = (split.y_test - split.y_train.mean()).square().mean().sqrt()
    assert result.test_score == pytest.approx(float(guess), rel=1e-12)
