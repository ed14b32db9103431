"""Rates of schedulers stepped on an optimizer, and of schedules that observe metrics."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from lrlab.schedules import Schedule

STEPS = 220


def make_sgd(base: float) -> Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base, momentum=0.9)


def collect_rates(
    build: Callable[[Optimizer], Any], base: float, steps: int = STEPS, key: str = "lr"
) -> np.ndarray:
    """Collect the rates at steps 0, 1, ... of the scheduler that ``build`` puts on an optimizer."""
    optimizer = make_sgd(base)
    scheduler = build(optimizer)
    rates = [optimizer.param_groups[0][key]]
    for _ in range(steps - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0][key])
    return np.array(rates)


def collect_metric_rates(
    schedule: Schedule, metrics: Iterable[float], base: float = 1.0
) -> list[float]:
    """Collect the rates after each metric."""
    state, rates = schedule.init_state(), []
    for t, metric in enumerate(metrics):
        state = schedule.update_state(state, t, metric, base=base)
        rates.append(schedule.with_state(state)(t, base=base))
    return rates
