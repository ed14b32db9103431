"""Cyclic and one-cycle rates and momenta against torch's own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.stepping import STEPS
from tests.dialects.torch.stepping import collect_torch_rates

lrs = st.floats(1e-4, 1)
momenta = st.floats(0, 0.99)


def check_cycles(name: str, words: dict[str, Any], steps: int) -> None:
    # torch computes these in closed form; 1 - x and 1 + cos cancel near the ends of a phase.
    found = getattr(ours, name)(**words)
    by_key = {"lr": found.lr, "momentum": found.momentum} if isinstance(found, tuple) else {}
    for key, schedule in (by_key or {"lr": found}).items():
        expected = collect_torch_rates(name, 0.1, steps, key, **words)
        atol = 1e-12 * expected.max()
        assert_allclose(schedule(range(steps), base=0.1), expected, rtol=1e-12, atol=atol)


@settings(max_examples=60)
@given(
    words=st.fixed_dictionaries(
        {"base_lr": lrs, "max_lr": lrs},
        optional={
            "step_size_up": st.integers(1, 90),
            "step_size_down": st.integers(0, 90),
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": st.floats(0.9, 1.0),
            "cycle_momentum": st.booleans(),
            "base_momentum": momenta,
            "max_momentum": momenta,
        },
    )
)
def test_cyclic(words: dict[str, Any]) -> None:
    check_cycles("CyclicLR", words, STEPS)


@pytest.mark.parametrize("scale_mode", ["cycle", "iterations"])
def test_cyclic_with_a_scale_fn(scale_mode: str) -> None:
    words = {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 7, "scale_mode": scale_mode}
    check_cycles("CyclicLR", words | {"scale_fn": lambda x: 1 / (1 + 0.2 * x)}, STEPS)


@settings(max_examples=100)
@given(
    words=st.fixed_dictionaries(
        {"max_lr": lrs, "total_steps": st.integers(3, 120)},
        optional={
            # 0 and 1 exactly too; a phase that ends at step 0 divides by zero in torch.
            "pct_start": st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": momenta,
            "max_momentum": momenta,
            "div_factor": st.floats(0.5, 100),
            "final_div_factor": st.floats(0.5, 1e5),
            "three_phase": st.booleans(),
        },
    )
)
def test_one_cycle(words: dict[str, Any]) -> None:
    steps = words["total_steps"]
    try:
        collect_torch_rates("OneCycleLR", 0.1, steps, **words)
    except ZeroDivisionError:
        return
    check_cycles("OneCycleLR", words, steps)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_of_one_or_two_steps(steps: int, three_phase: bool) -> None:
    check_cycles(
        "OneCycleLR", {"max_lr": 0.5, "total_steps": steps, "three_phase": three_phase}, steps
    )


def test_one_cycle_counts_epochs_too() -> None:
    schedule = ours.OneCycleLR(0.5, epochs=5, steps_per_epoch=20, cycle_momentum=False)
    assert schedule == ours.OneCycleLR(0.5, 100, cycle_momentum=False)


def test_past_its_end_one_cycle_holds_and_torch_raises() -> None:
    words = {"max_lr": 0.5, "total_steps": 10}
    schedule = ours.OneCycleLR(**words).lr
    assert np.ptp(schedule(range(9, 40), base=0.1)) == 0
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        collect_torch_rates("OneCycleLR", 0.1, 12, **words)


def test_a_text_takes_the_learning_rate_of_two_schedules() -> None:
    text = "torch.OneCycleLR(0.5, 100)"
    assert parse(text) == ours.OneCycleLR(0.5, 100).lr
    assert parse(repr(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("CyclicLR", {"max_lr": [0.1, 0.2]}, "max_lr must be one number, got .* Give each group"),
        ("CyclicLR", {"base_momentum": (0.8, 0.9)}, "base_momentum must be one number"),
        ("CyclicLR", {"step_size_up": 0}, "step_size_up must be a number above 0"),
        ("CyclicLR", {"mode": "square"}, '"triangular" or "triangular2" or "exp_range"'),
        ("CyclicLR", {"scale_fn": 3, "scale_mode": "iterations"}, "scale_fn must be one function"),
        ("CyclicLR", {"scale_fn": 3}, "scale_fn must be one function"),
        ("CyclicLR", {"base_lr": -0.1}, "0 or more"),
        ("OneCycleLR", {}, "total_steps must be given, or epochs and steps_per_epoch"),
        ("OneCycleLR", {"total_steps": 2.5}, "total_steps must be a whole number of 1 or more"),
        ("OneCycleLR", {"epochs": 0, "steps_per_epoch": 2}, "epochs must be"),
        ("OneCycleLR", {"total_steps": 9, "max_lr": [0.1, 0.2]}, "max_lr must be one number"),
        (
            "OneCycleLR",
            {"total_steps": 9, "pct_start": 30},
            "pct_start must be a number from 0 to 1",
        ),
        ("OneCycleLR", {"total_steps": 9, "div_factor": 0}, "div_factor must be a number above 0"),
        ("OneCycleLR", {"total_steps": 9, "anneal_strategy": "exp"}, '"cos" or "linear"'),
        ("OneCycleLR", {"total_steps": 1, "pct_start": 1.0}, "needs more steps"),
    ],
)
def test_refused_arguments_of_cycles(name: str, arguments: dict[str, Any], rule: str) -> None:
    required = {"CyclicLR": {"base_lr": 0.1, "max_lr": 0.2}, "OneCycleLR": {"max_lr": 0.1}}
    with pytest.raises(ScheduleError, match=rule):
        getattr(ours, name)(**required[name] | arguments)
