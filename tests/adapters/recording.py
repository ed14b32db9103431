"""Records what an optimizer used at each of its steps."""

from typing import Any

import torch

UsedValues = list[list[Any]]
"""For every step of an optimizer, one value for each parameter group."""


def record_values(optimizer: torch.optim.Optimizer, key: str = "lr") -> UsedValues:
    """Return a list that grows with every ``optimizer.step()`` from now on."""
    used: UsedValues = []

    def append_values(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        used.append([group[key] for group in optimizer.param_groups])

    optimizer.register_step_pre_hook(append_values)
    return used
