"""Torch's own schedulers, stepped."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.testing import assert_allclose
from torch.optim import Optimizer, lr_scheduler, swa_utils

from lrlab.schedules import Schedule

STEPS = 220


def sgd(base: float) -> Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base, momentum=0.9)


def torchs(name: str) -> Any:
    return getattr(swa_utils if name == "SWALR" else lr_scheduler, name)


def rates(
    build: Callable[[Optimizer], Any], base: float, steps: int = STEPS, key: str = "lr"
) -> np.ndarray:
    """What is in force at steps 0, 1, ... of the scheduler that ``build`` puts on an optimizer."""
    optimizer = sgd(base)
    scheduler = build(optimizer)
    found = [optimizer.param_groups[0][key]]
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        found.append(optimizer.param_groups[0][key])
    return np.array(found)


def stepped(
    name: str, base: float, steps: int = STEPS, key: str = "lr", **arguments: Any
) -> np.ndarray:
    """The same of torch's class of that name."""
    return rates(lambda optimizer: torchs(name)(optimizer, **arguments), base, steps, key)


def check(
    schedule: Schedule, name: str, base: float, steps: int = STEPS, key: str = "lr", **words: Any
) -> None:
    """The schedule's rates are those of torch's class of that name, which recurses."""
    expected = stepped(name, base, steps, key, **words)
    peak = max(base, expected.max())
    assert_allclose(schedule(range(steps), base=base), expected, rtol=1e-9, atol=1e-12 * peak)
