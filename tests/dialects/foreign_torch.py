"""torch's own schedulers: their classes and their rates, step by step."""

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
    """Collect the rates of torch's class of that name at steps 0, 1, ..."""
    return collect_rates(
        lambda optimizer: get_torch_class(name)(optimizer, **arguments), base, steps, key
    )


def check_against_torch(
    schedule: Schedule, name: str, base: float, steps: int = STEPS, key: str = "lr", **kwargs: Any
) -> None:
    """Check the schedule's rates against torch's class of that name, which multiplies up."""
    expected = collect_torch_rates(name, base, steps, key, **kwargs)
    peak = max(base, expected.max())
    assert_allclose(schedule(range(steps), base=base), expected, rtol=1e-9, atol=1e-12 * peak)
