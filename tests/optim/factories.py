"""Optimizers for tests, readers of their values, and a loop that records used values."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

GroupValues = list[tuple[float, ...]]
"""Learning rate, momentum and weight decay of every parameter group."""

BASE_LRS = (0.1, 1.0, 0.003)
"""The base learning rates of three parameter groups."""

NUMBER_TYPES: dict[str, Callable[[float], Any]] = {
    "float": float,
    "float64 tensor": lambda lr: torch.tensor(lr, dtype=torch.float64),
    "float32 tensor": torch.tensor,
}
"""Types that a learning rate may have."""


def make_optimizer(
    *lrs: Any, kind: Callable[..., Optimizer] = torch.optim.SGD, **arguments: Any
) -> Optimizer:
    """Return an optimizer with one parameter group for each learning rate."""
    if kind is torch.optim.SGD:
        arguments = {"momentum": 0.9} | arguments
    return kind([make_group(lr=lr) for lr in lrs or (0.1,)], **arguments)


def make_two_groups(
    kind: Callable[..., Optimizer] = torch.optim.SGD, **arguments: Any
) -> Optimizer:
    """Return an optimizer of a body with learning rate 0.1 and a head with 0.5."""
    groups = [make_group(name="body"), make_group(name="head", lr=0.5)]
    return kind(groups, **{"lr": 0.1, **arguments})


def make_group(**values: Any) -> dict[str, Any]:
    """Return a parameter group of one parameter."""
    return {"params": [torch.zeros(1, requires_grad=True)], **values}


def read_lrs(optimizer: Optimizer) -> list[float]:
    """Return the learning rate of every parameter group."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def read_values(optimizer: Optimizer) -> GroupValues:
    """Return learning rate, momentum and weight decay of every parameter group."""
    return [
        (
            float(group["lr"]),
            group["momentum"] if "momentum" in group else group["betas"][0],
            group["weight_decay"],
        )
        for group in optimizer.param_groups
    ]


def compute_loss(t: int) -> float:
    """Return a loss that falls and then goes up and down around a half."""
    return max(0.5, 1.0 - 0.1 * t) + 0.01 * (t * t % 7)


def run_steps(
    optimizer: Optimizer, scheduler: Any, needs_metric: bool, first: int, last: int
) -> list[GroupValues]:
    """Train from step ``first`` to ``last``; return what the optimizer used at each."""
    used: list[GroupValues] = []
    hook = optimizer.register_step_pre_hook(
        lambda optimizer, *_: used.append(read_values(optimizer))
    )
    for t in range(first, last + 1):
        optimizer.step()
        if t < last:
            scheduler.step(*[compute_loss(t)] * needs_metric)
    hook.remove()
    return used
