"""transformers' schedules that read a metric."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.dialects import transformers as ours
from tests.dialects.stepping import collect_metric_rates, make_sgd
from tests.dialects.transformers.stepping import theirs

metrics = st.lists(
    # Multiples of 1/64 below 2**20 add up without rounding, so that averages are the same.
    st.one_of(st.integers(-200, 200).map(lambda n: n / 64), st.sampled_from([math.nan])),
    min_size=20,
    max_size=120,
)
modes = st.sampled_from(["min", "max"])
threshold_modes = st.sampled_from(["rel", "abs"])
small_counts = st.integers(0, 4)
eps = st.sampled_from([0.0, 1e-8, 1e-3])


def check_metric_rates(name: str, base: float, losses: list[float], words: dict[str, Any]) -> None:
    optimizer = make_sgd(base)
    scheduler = getattr(theirs, name)(optimizer, **words)
    forces = []
    for loss in losses:
        scheduler.step(loss)
        forces.append(optimizer.param_groups[0]["lr"])
    found = collect_metric_rates(getattr(ours, name)(**words), losses, base)
    assert found == pytest.approx(forces, rel=1e-12)


@settings(max_examples=60)
@given(
    base=st.floats(1e-3, 10),
    losses=metrics,
    words=st.fixed_dictionaries(
        {},
        optional={
            "mode": modes,
            "factor": st.floats(0, 0.99),
            "patience": small_counts,
            "threshold": st.floats(0, 0.5),
            "threshold_mode": threshold_modes,
            "cooldown": small_counts,
            "min_lr": st.floats(0, 1e-2),
            "eps": eps,
        },
    ),
)
def test_reduce_on_plateau(base: float, losses: list[float], words: dict[str, Any]) -> None:
    check_metric_rates("get_reduce_on_plateau_schedule", base, losses, words)


@settings(max_examples=100)
@given(
    base=st.floats(1e-4, 10),
    losses=metrics,
    words=st.fixed_dictionaries(
        {"patience": small_counts, "reset_start": small_counts},
        optional={
            "mode": modes,
            "factor": st.floats(0.05, 0.99),
            "threshold": st.floats(0, 0.5),
            "threshold_mode": threshold_modes,
            "cooldown": small_counts,
            "warmup": small_counts,
            "min_lr": st.floats(0, 1e-1),
            "max_lr": st.floats(0.1, 10),
            "eps": eps,
            "smooth": st.booleans(),
            "window_size": st.integers(1, 8),
        },
    ),
)
def test_greedy(base: float, losses: list[float], words: dict[str, Any]) -> None:
    if words.get("smooth"):
        losses = [0.0 if math.isnan(loss) else loss for loss in losses]
    check_metric_rates("get_greedy_schedule", base, losses, words)
    check_metric_rates("get_greedy_schedule", base, losses, {})


def test_a_nan_leaves_the_window_on_purpose() -> None:
    words = {"smooth": True, "window_size": 2, "patience": 0, "factor": 0.5}
    losses = [math.nan, 1.0, 1.0, 1.0]
    optimizer = make_sgd(0.1)
    scheduler = theirs.get_greedy_schedule(optimizer, **words)
    for loss in losses:
        scheduler.step(loss)
    # Two metrics are bad in both; the third is the first good one here.
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 / 16)
    found = collect_metric_rates(ours.get_greedy_schedule(**words), losses, 0.1)
    assert found[-1] == pytest.approx(0.1 / 2 / 2 * 2 / 2)
