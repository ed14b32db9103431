"""What an optimizer really held at each of its steps."""

from typing import Any

import torch

Used = list[list[Any]]
"""For every step of an optimizer, one value for each parameter group."""


def recorded(optimizer: torch.optim.Optimizer, key: str = "lr") -> Used:
    """A list that grows with every ``optimizer.step()`` from now on."""
    used: Used = []

    def before(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        used.append([group[key] for group in optimizer.param_groups])

    optimizer.register_step_pre_hook(before)
    return used
