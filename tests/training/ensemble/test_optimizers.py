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

from lrlab.training import OPTIMIZERS
from lrlab.training.ensemble.optimizers import UPDATE_RULES, OptimizerSpec, clip_gradients

TORCH_OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
}
SHAPES = ((3, 2), (4,), ())
STEPS = 5

rates = floats(1e-4, 0.5)
fractions = sampled_from([0.0, 0.5]) | floats(0, 0.99)
decays = sampled_from([0.0]) | floats(0, 0.5)
small = floats(1e-8, 0.1)
NUMBERS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": rates, "momentum": fractions, "dampening": floats(0, 1), "weight_decay": decays},
    "adam": {
        "lr": rates,
        "betas[0]": fractions,
        "betas[1]": floats(0.5, 0.999),
        "eps": small,
        "weight_decay": decays,
    },
    "rmsprop": {
        "lr": rates,
        "alpha": floats(0.5, 0.99),
        "eps": small,
        "momentum": fractions,
        "weight_decay": decays,
    },
}
NUMBERS["adamw"] = NUMBERS["adam"]


@composite
def plans(draw: DrawFn) -> tuple[OptimizerSpec, dict[str, np.ndarray]]:
    """Draw an optimizer, and hyperparameters of several runs at every step."""
    optimizer = draw(sampled_from(sorted(TORCH_OPTIMIZERS)))
    runs = draw(integers(1, 3))
    nesterov = optimizer == "sgd" and draw(booleans())
    scheduled = draw(booleans())
    values = {}
    for name, numbers in NUMBERS[optimizer].items():
        if name == "dampening" and nesterov:
            numbers = just(0.0)
        rows = [
            draw(lists(numbers, min_size=STEPS, max_size=STEPS))
            if scheduled
            else [draw(numbers)] * STEPS
            for _ in range(runs)
        ]
        values[name] = np.array(rows).T
    if optimizer == "rmsprop":  # torch needs momentum at the first step
        values["momentum"][0] = np.where(values["momentum"].any(0), 0.3, 0.0)
        values["momentum"] = (
            values["momentum"] if scheduled else values["momentum"][:1].repeat(STEPS, 0)
        )
    used = frozenset(name for name, column in values.items() if column.any())
    spec = OptimizerSpec(
        optimizer,
        nesterov,
        optimizer == "rmsprop" and draw(booleans()),
        used,
        frozenset(values) if scheduled else frozenset(),
    )
    return spec, values


def make_gradients(run: int, step: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(100 * run + step)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in SHAPES]


def train_with_torch(spec: OptimizerSpec, values: dict[str, np.ndarray], run: int) -> list[Tensor]:
    """Return the parameters of one run after all steps."""
    parameters = [torch.nn.Parameter(tensor) for tensor in make_gradients(run, 99)]
    arguments: dict[str, Any] = {"nesterov": True, "momentum": 0.1} if spec.nesterov else {}
    arguments |= {"centered": spec.centered} if spec.optimizer == "rmsprop" else {}
    optimizer = TORCH_OPTIMIZERS[spec.optimizer](parameters, **arguments)
    for step in range(STEPS):
        now = {name: float(column[step, run]) for name, column in values.items()}
        if "eps" in now and spec.optimizer != "rmsprop":
            now["betas"] = (now.pop("betas[0]"), now.pop("betas[1]"))  # type: ignore[assignment]
        optimizer.param_groups[0].update(now)
        for parameter, gradient in zip(parameters, make_gradients(run, step), strict=True):
            parameter.grad = gradient
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


@given(plans(), sampled_from([1, 2, STEPS]))
@drawn(max_examples=60)
def test_update_rules_equal_torchs_optimizers(
    plan: tuple[OptimizerSpec, dict[str, np.ndarray]], steps_per_call: int
) -> None:
    spec, values = plan
    rule, runs = spec.create_update_rule(), values["lr"].shape[1]
    parameters = stack_gradients(99, runs)
    states = [[torch.zeros_like(p) for _ in range(rule.state_count)] for p in parameters]
    for start in range(0, STEPS, steps_per_call):
        next_values = {
            name: column[start : start + steps_per_call] for name, column in values.items()
        }
        columns = rule.compute_coefficients(next_values, start)
        for i in range(len(next_values["lr"])):
            now = {name: torch.tensor(column[i])[None] for name, column in columns.items()}
            for p, gradient, state in zip(
                parameters, stack_gradients(start + i, runs), states, strict=True
            ):
                rule.update(p, gradient, state, now)
    for run in range(runs):
        for stacked, expected in zip(parameters, train_with_torch(spec, values, run), strict=True):
            torch.testing.assert_close(stacked[0, run], expected, rtol=1e-10, atol=1e-12)


@given(lists(floats(1e-3, 10) | just(float("inf")), min_size=1, max_size=4))
@drawn(max_examples=20)
def test_gradients_are_clipped_like_torchs(limits: list[float]) -> None:
    clipped = clip_gradients(
        stack_gradients(0, len(limits)), torch.tensor([limits], dtype=torch.float64)
    )
    for run, limit in enumerate(limits):
        parameters = [torch.zeros(shape, dtype=torch.float64) for shape in SHAPES]
        for parameter, gradient in zip(parameters, make_gradients(run, 0), strict=True):
            parameter.grad = gradient
        clip_grad_norm_(parameters, limit)
        for stacked, parameter in zip(clipped, parameters, strict=True):
            assert parameter.grad is not None
            torch.testing.assert_close(stacked[0, run], parameter.grad, rtol=1e-12, atol=0)


def stack_gradients(step: int, runs: int) -> list[Tensor]:
    """Make the gradients of all runs, of shape (1 seed, runs, ...)."""
    per_run = [make_gradients(run, step) for run in range(runs)]
    return [torch.stack(tensors)[None] for tensors in zip(*per_run, strict=True)]


def test_every_optimizer_has_an_update_rule() -> None:
    assert UPDATE_RULES.keys() == OPTIMIZERS.keys() == TORCH_OPTIMIZERS.keys()
