"""Every scheduler of torch by its name: the optimizer has the values that torch's own gives it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.optim import Optimizer

from lrlab import LRScheduler
from lrlab.dialects import torch as dialect
from tests.optim.factories import BASE_LRS, NUMBER_TYPES, make_optimizer, run_steps
from tests.optim.torch_cases import CASES, LAST_STEP, Case

KINDS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}

for_all_cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
for_all_kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def run_both(
    case: Case, kind: Callable[..., Optimizer], make_number: Callable[[float], Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return what an optimizer uses with lrlab's and torch's scheduler, by step and group."""
    our_optimizer, torch_optimizer = (
        make_optimizer(*map(make_number, BASE_LRS), kind=kind) for _ in range(2)
    )
    ours = LRScheduler(our_optimizer, case.plan.build_lrlab())
    theirs = case.plan.build_torch(torch_optimizer)
    return (
        np.array(run_steps(our_optimizer, ours, case.needs_metric, 0, LAST_STEP)),
        np.array(run_steps(torch_optimizer, theirs, case.needs_metric, 0, LAST_STEP)),
    )


def test_the_cases_are_the_whole_dialect() -> None:
    assert sorted(case.name for case in CASES) == sorted(dialect.__all__)


@for_all_cases
@for_all_kinds
@pytest.mark.parametrize("number", ["float", "float64 tensor"])
def test_every_group_has_torchs_sequence(
    case: Case, kind: Callable[..., Optimizer], number: str
) -> None:
    ours, theirs = run_both(case, kind, NUMBER_TYPES[number])
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)
    has_momentum = case.name in ("CyclicLR", "OneCycleLR")
    assert np.ptp(ours, axis=0).astype(bool).tolist() == [[True, has_momentum, False]] * len(
        BASE_LRS
    )


@for_all_cases
@for_all_kinds
def test_float32_tensors_hold_the_closed_form_rounded_once(
    case: Case, kind: Callable[..., Optimizer]
) -> None:
    ours, theirs = run_both(case, kind, NUMBER_TYPES["float32 tensor"])
    # With the base learning rates of float32, in float64.
    exact, _ = run_both(case, kind, lambda lr: float(np.float32(lr)))
    assert_array_equal(ours[..., 0], exact[..., 0].astype(np.float32))
    assert_array_equal(ours[..., 1:], exact[..., 1:])
    assert_allclose(ours, theirs, rtol=2e-5, atol=1e-9)  # torch rounds at every step
