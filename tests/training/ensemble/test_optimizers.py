"""The update rules over stacked parameters against ``torch.optim``, one run at a time."""

from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import settings as drawn
from hypothesis.strategies import (
    DrawFn,
    booleans,
    composite,
    floats,
    integers,
    just,
    lists,
    sampled_from,
)
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from lrlab.training.ensemble.optimizers import OptimizerSpec, clip_gradients

TORCHS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW, "rmsprop": RMSprop}
SHAPES = ((3, 2), (4,), ())
STEPS = 5

rates = floats(1e-4, 0.5)
shares = sampled_from([0.0, 0.5]) | floats(0, 0.99)
decays = sampled_from([0.0]) | floats(0, 0.5)
small = floats(1e-8, 0.1)
NUMBERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": rates, "momentum": shares, "dampening": floats(0, 1), "weight_decay": decays},
    "adam": {
        "lr": rates,
        "betas[0]": shares,
        "betas[1]": floats(0.5, 0.999),
        "eps": small,
        "weight_decay": decays,
    },
    "rmsprop": {
        "lr": rates,
        "alpha": floats(0.5, 0.99),
        "eps": small,
        "momentum": shares,
        "weight_decay": decays,
    },
}
NUMBERS["adamw"] = NUMBERS["adam"]


@composite
def plans(draw: DrawFn) -> tuple[OptimizerSpec, dict[str, np.ndarray]]:
    """A kind of optimizer and the hyperparameters of several runs at every step."""
    optimizer = draw(sampled_from(sorted(TORCHS)))
    runs = draw(integers(1, 3))
    nesterov = optimizer == "sgd" and draw(booleans())
    moving = draw(booleans())
    values = {}
    for name, numbers in NUMBERS[optimizer].items():
        if name == "dampening" and nesterov:
            numbers = just(0.0)
        rows = [
            draw(lists(numbers, min_size=STEPS, max_size=STEPS))
            if moving
            else [draw(numbers)] * STEPS
            for _ in range(runs)
        ]
        values[name] = np.array(rows).T
    if optimizer == "rmsprop":  # torch needs momentum at the first step to have any later
        values["momentum"][0] = np.where(values["momentum"].any(0), 0.3, 0.0)
        values["momentum"] = (
            values["momentum"] if moving else values["momentum"][:1].repeat(STEPS, 0)
        )
    used = frozenset(name for name, column in values.items() if column.any())
    kind = OptimizerSpec(
        optimizer,
        nesterov,
        optimizer == "rmsprop" and draw(booleans()),
        used,
        frozenset(values) if moving else frozenset(),
    )
    return kind, values


def gradients(run: int, step: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(100 * run + step)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def by_torch(kind: OptimizerSpec, values: dict[str, np.ndarray], run: int) -> list[Tensor]:
    """The parameters of one run after all steps."""
    parameters = [torch.nn.Parameter(tensor) for tensor in gradients(run, 99)]
    words: dict[str, Any] = {"nesterov": True, "momentum": 0.1} if kind.nesterov else {}
    words |= {"centered": kind.centered} if kind.optimizer == "rmsprop" else {}
    optimizer = TORCHS[kind.optimizer](parameters, **words)
    for step in range(STEPS):
        now = {name: float(column[step, run]) for name, column in values.items()}
        if "eps" in now and kind.optimizer != "rmsprop":
            now["betas"] = (now.pop("betas[0]"), now.pop("betas[1]"))  # type: ignore[assignment]
        optimizer.param_groups[0].update(now)
        for parameter, gradient in zip(parameters, gradients(run, step), strict=True):
            parameter.grad = gradient
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


@given(plans(), sampled_from([1, 2, STEPS]))
@drawn(max_examples=60)
def test_a_rule_is_torchs_optimizer(
    plan: tuple[OptimizerSpec, dict[str, np.ndarray]], at_once: int
) -> None:
    kind, values = plan
    rule, runs = kind.create_update_rule(), values["lr"].shape[1]
    parameters = _stacked(99, runs)
    kept = [[torch.zeros_like(p) for _ in range(rule.state_count)] for p in parameters]
    for start in range(0, STEPS, at_once):
        ahead = {name: column[start : start + at_once] for name, column in values.items()}
        columns = rule.compute_coefficients(ahead, start)
        for i in range(len(ahead["lr"])):
            now = {name: torch.tensor(column[i])[None] for name, column in columns.items()}
            for p, gradient, own in zip(parameters, _stacked(start + i, runs), kept, strict=True):
                rule.update(p, gradient, own, now)
    for run in range(runs):
        for stacked, expected in zip(parameters, by_torch(kind, values, run), strict=True):
            torch.testing.assert_close(stacked[0, run], expected, rtol=1e-10, atol=1e-12)


@given(lists(floats(1e-3, 10) | just(float("inf")), min_size=1, max_size=4))
@drawn(max_examples=20)
def test_gradients_are_clipped_as_torch_does(limits: list[float]) -> None:
    found = clip_gradients(_stacked(0, len(limits)), torch.tensor([limits], dtype=torch.float64))
    for run, limit in enumerate(limits):
        parameters = [torch.zeros(shape, dtype=torch.float64) for shape in SHAPES]
        for parameter, gradient in zip(parameters, gradients(run, 0), strict=True):
            parameter.grad = gradient
        clip_grad_norm_(parameters, limit)
        for stacked, parameter in zip(found, parameters, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(stacked[0, run], parameter.grad, rtol=1e-12, atol=0)


def _stacked(step: int, runs: int) -> list[Tensor]:
    """The gradients of all runs, of shape (1 seed, runs, ...)."""
    each = [gradients(run, step) for run in range(runs)]
    return [torch.stack(tensors)[None] for tensors in zip(*each, strict=True)]
