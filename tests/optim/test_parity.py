"""Every class of torch by its name: the optimizer holds what torch's own scheduler gives it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.optim import Optimizer

from lrlab import LRScheduler
from lrlab.dialects import torch as dialect
from tests.optim.cases import CASES, LAST, NUMBERS, RATES, Case, optimizer_of, steps

KINDS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def sequences(
    case: Case, kind: Callable[..., Optimizer], number: Callable[[float], Any]
) -> tuple[np.ndarray, np.ndarray]:
    """What torch's class and ours make an optimizer use, by step, group and name."""
    mine, torchs = (optimizer_of(*map(number, RATES), kind=kind) for _ in range(2))
    ours, theirs = LRScheduler(mine, case.plan.build_lrlab()), case.plan.build_torch(torchs)
    return (
        np.array(steps(mine, ours, case.metrics, 0, LAST)),
        np.array(steps(torchs, theirs, case.metrics, 0, LAST)),
    )


def test_all_of_the_dialect_is_here() -> None:
    assert sorted(case.name for case in CASES) == sorted(dialect.__all__)


@every_case
@every_kind
@pytest.mark.parametrize("number", ["float", "float64 tensor"])
def test_every_group_has_torchs_sequence(
    case: Case, kind: Callable[..., Optimizer], number: str
) -> None:
    ours, theirs = sequences(case, kind, NUMBERS[number])
    assert_allclose(ours, theirs, rtol=1e-9, atol=1e-15)
    both = case.name in ("CyclicLR", "OneCycleLR")
    assert np.ptp(ours, axis=0).astype(bool).tolist() == [[True, both, False]] * len(RATES)


@every_case
@every_kind
def test_float32_tensors_hold_the_closed_form_rounded_once(
    case: Case, kind: Callable[..., Optimizer]
) -> None:
    ours, theirs = sequences(case, kind, NUMBERS["float32 tensor"])
    # Of the base rates as float32 has them, in float64.
    exact, _ = sequences(case, kind, lambda rate: float(np.float32(rate)))
    assert_array_equal(ours[..., 0], exact[..., 0].astype(np.float32))
    assert_array_equal(ours[..., 1:], exact[..., 1:])
    assert_allclose(ours, theirs, rtol=2e-5, atol=1e-9)  # torch rounds at every step
