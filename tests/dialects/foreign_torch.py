"""Torch's own schedulers, stepped."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from torch.optim import lr_scheduler, swa_utils

from lrlab.schedules import Schedule
from tests.dialects.stepped_rates import STEPS, collect_rates


def get_torch_class(name: str) -> Any:
    return getattr(swa_utils if name == "SWALR" else lr_scheduler, name)


def collect_torch_rates(
    name: str, base: float, steps: int = STEPS, key: str = "lr", **arguments: Any
) -> np.ndarray:
    """The same of torch's class of that name."""
    return collect_rates(
        lambda optimizer: get_torch_class(name)(optimizer, **arguments), base, steps, key
    )


def check_against_torch(
    schedule: Schedule, name: str, base: float, steps: int = STEPS, key: str = "lr", **words: Any
) -> None:
    """The schedule's rates are those of torch's class of that name, which recurses."""
    expected = collect_torch_rates(name, base, steps, key, **words)
    peak = max(base, expected.max())
    assert_allclose(schedule(range(steps), base=base), expected, rtol=1e-9, atol=1e-12 * peak)
