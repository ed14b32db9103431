"""Cosines, weight averaging and the plateau against torch's own."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.stepping import STEPS, collect_metric_rates, make_sgd
from tests.dialects.torch.stepping import check_against_torch, collect_torch_rates

bases = st.floats(1e-4, 10)


@settings(max_examples=30)
@given(base=bases, period=st.integers(2, 300), floor=st.floats(0, 1e-4))
def test_cosine_equals_torch_until_its_end_and_stays_there(
    base: float, period: int, floor: float
) -> None:
    schedule = ours.CosineAnnealingLR(period, floor)
    expected = collect_torch_rates("CosineAnnealingLR", base, T_max=period, eta_min=floor)
    ends = min(period + 1, STEPS)
    assert_allclose(schedule(range(ends), base=base), expected[:ends], rtol=1e-9, atol=1e-12 * base)
    exact = [floor + (base - floor) * (1 + math.cos(math.pi * t / period)) / 2 for t in range(ends)]
    assert_allclose(schedule(range(ends), base=base), exact, rtol=1e-12, atol=1e-15 * base)
    assert schedule(2 * period, base=base) == schedule(period, base=base)  # torch climbs again
    if 2 * period < STEPS:
        assert expected[2 * period] == pytest.approx(base)


def test_a_cosine_of_no_steps_is_at_its_end() -> None:
    with pytest.raises(ZeroDivisionError):
        collect_torch_rates("CosineAnnealingLR", 0.1, T_max=0)
    assert ours.CosineAnnealingLR(0, 0.01)([0, 5], base=0.1).tolist() == [0.01, 0.01]


@settings(max_examples=30)
@given(base=bases, period=st.integers(1, 100), growth=st.integers(1, 4), floor=st.floats(0, 1e-3))
def test_warm_restarts(base: float, period: int, growth: int, floor: float) -> None:
    words = {"T_0": period, "T_mult": growth, "eta_min": floor}
    schedule = ours.CosineAnnealingWarmRestarts(**words)
    expected = collect_torch_rates("CosineAnnealingWarmRestarts", base, **words)
    # torch's own closed form in float64; its cosine is 1 + cos, whose last bits cancel near 0.
    assert_allclose(schedule(range(STEPS), base=base), expected, rtol=1e-12, atol=1e-15 * base)


@settings(max_examples=30)
@given(
    base=bases,
    swa_lr=st.floats(0, 0.1),
    epochs=st.integers(0, 100),
    strategy=st.sampled_from(["cos", "linear"]),
)
def test_weight_averaging(base: float, swa_lr: float, epochs: int, strategy: str) -> None:
    words = {"swa_lr": swa_lr, "anneal_epochs": epochs, "anneal_strategy": strategy}
    check_against_torch(ours.SWALR(**words), "SWALR", base, **words)
    check_against_torch(ours.SWALR(0.05), "SWALR", base, swa_lr=0.05)


metrics = st.lists(
    st.one_of(st.floats(-2, 2), st.sampled_from([0.5, 1.0, math.nan, math.inf, -math.inf])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=100)
@given(
    base=bases,
    seen=metrics,
    words=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["min", "max"]),
            "factor": st.floats(0, 1, exclude_max=True),
            "patience": st.integers(0, 4),
            "threshold": st.floats(0, 0.5),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 4),
            "min_lr": st.floats(0, 0.1),
            "eps": st.floats(0, 0.01),
        },
    ),
)
def test_plateau_reduces_when_torchs_does(base: float, seen: list[float], words: dict) -> None:
    optimizer = make_sgd(base)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **words)
    forces = []
    for metric in seen:
        theirs.step(metric)
        forces.append(optimizer.param_groups[0]["lr"])
    # Without an absolute level ours counts in factors, which are rounded apart.
    found = collect_metric_rates(ours.ReduceLROnPlateau(**words), seen, base)
    assert found == pytest.approx(forces, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": [0.1, 0.2]}, "eta_min must be one number"),
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": -1}, "0 or more"),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}, "T_0 must be a whole number of 1 or more"),
        ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 1.5}, "T_mult must be a whole number"),
        ("SWALR", {"swa_lr": [0.1]}, "swa_lr must be one number"),
        ("SWALR", {"swa_lr": 0.1, "anneal_epochs": -1}, "anneal_epochs must be"),
        ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "exp"}, 'must be "cos" or "linear"'),
        ("SWALR", {"swa_lr": 0.1, "anneal_strategy": []}, 'must be "cos" or "linear"'),
        ("ReduceLROnPlateau", {"min_lr": [0.1, 0.2]}, "min_lr must be one number"),
        ("ReduceLROnPlateau", {"min_lr": "x"}, "min_lr must be a rate of 0 or more"),
        ("ReduceLROnPlateau", {"mode": "most"}, '"min" or "max"'),
    ],
)
def test_refused_arguments_of_annealing(name: str, arguments: dict, rule: str) -> None:
    with pytest.raises(ScheduleError, match=rule):
        getattr(ours, name)(**arguments)
