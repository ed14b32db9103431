"""lrlab.dialects.paddle against Paddle's formulas, computed step by step as in Paddle."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import paddle as ours
from lrlab.errors import ScheduleError
from tests.dialects import foreign_paddle as theirs
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.dialects.stepped_rates import collect_metric_rates
from tests.raising import raises

STEPS = 220
quick = settings(max_examples=25)
rates = st.floats(1e-3, 10)
step_counts = st.integers(1, 150)


def check_rates(
    name: str, *arguments: Any, steps: int = STEPS, rtol: float = 1e-12, **kwargs: Any
) -> None:
    expected = list(theirs.iterate_rates(name, steps, *arguments, **kwargs))
    rates = getattr(ours, name)(*arguments, **kwargs)(range(steps), base=0.3)
    # Paddle subtracts numbers that are nearly equal, so values near 0 are as exact as the peak.
    assert_allclose(rates, expected, rtol=rtol, atol=1e-12 * max(expected))


@quick
@given(rates, st.integers(1, 1000), step_counts)
def test_noam(rate: float, width: int, warmup: int) -> None:
    check_rates("NoamDecay", width, warmup, rate)
    check_rates("NoamDecay", width, warmup)


@quick
@given(rates, st.floats(0.01, 1), step_counts)
def test_decays(rate: float, gamma: float, size: int) -> None:
    check_rates("NaturalExpDecay", rate, gamma)
    check_rates("InverseTimeDecay", rate, gamma)
    check_rates("ExponentialDecay", rate, gamma)
    check_rates("StepDecay", rate, size, gamma)
    check_rates("StepDecay", rate, size)
    check_rates("LambdaDecay", rate, lambda t: 1 / (1 + gamma * t))
    check_rates("MultiplicativeDecay", rate, lambda t: 1 - gamma / (1 + t))


@quick
@given(st.lists(st.integers(0, 200), min_size=1, max_size=4, unique=True), rates, st.data())
def test_staircases(at: list[int], rate: float, data: st.DataObject) -> None:
    at = sorted(at)
    levels = data.draw(st.lists(rates, min_size=len(at) + 1, max_size=len(at) + 1))
    check_rates("PiecewiseDecay", at, levels)
    check_rates("MultiStepDecay", rate, at, 0.5)
    check_rates("MultiStepDecay", rate, at)


def test_a_boundary_acts_where_torchs_does() -> None:
    assert ours.PiecewiseDecay([3], [1.0, 0.1])([2, 3], base=1.0).tolist() == [1.0, 0.1]


@quick
@given(rates, step_counts, st.floats(0, 1), st.floats(0.3, 3), st.booleans())
def test_polynomial(rate: float, steps: int, end: float, power: float, cycle: bool) -> None:
    check_rates("PolynomialDecay", rate, steps, end, power, cycle)
    check_rates("PolynomialDecay", rate, steps)


@quick
@given(step_counts, st.floats(0, 1), rates)
def test_warmup_to_a_rate_and_to_a_schedule(steps: int, start: float, rate: float) -> None:
    check_rates("LinearWarmup", rate, steps, start, start + rate)
    check_rates("LinearWarmup", rate, 0, start, start + rate)
    mine = ours.LinearWarmup(ours.ExponentialDecay(rate, 0.9), steps, start, start + rate)
    inner = [rate * 0.9**t for t in range(STEPS)]
    expected = theirs.iterate_rates(
        "LinearWarmup", STEPS, inner.__getitem__, steps, start, start + rate
    )
    assert_allclose(mine(range(STEPS), base=0.3), list(expected), rtol=1e-12)


@quick
@given(rates, step_counts, st.floats(0.1, 1), st.floats(0.1, 1))
def test_linear(rate: float, steps: int, start: float, end: float) -> None:
    check_rates("LinearLR", rate, steps, start, end, rtol=1e-9)  # Paddle multiplies step by step
    check_rates("LinearLR", rate, steps, rtol=1e-9)


@quick
@given(rates, st.integers(2, 150), st.floats(0, 1e-3))
def test_cosine_equals_paddle_until_its_end_and_stays_there(
    rate: float, steps: int, least: float
) -> None:
    check_rates("CosineAnnealingDecay", rate, steps, least, steps=steps + 1, rtol=1e-9)
    schedule = ours.CosineAnnealingDecay(rate, steps, least)
    assert schedule(2 * steps, base=1.0) == pytest.approx(least)
    climbed = list(theirs.iterate_rates("CosineAnnealingDecay", 2 * steps + 1, rate, steps, least))
    assert climbed[-1] == pytest.approx(rate)


@quick
@given(rates, step_counts, st.integers(1, 3), st.floats(0, 1))
def test_restarts(rate: float, steps: int, longer: int, least: float) -> None:
    check_rates("CosineAnnealingWarmRestarts", rate, steps, longer, least)
    check_rates("CosineAnnealingWarmRestarts", rate, steps)


@quick
@given(
    rates, st.integers(10, 200), st.floats(1, 50), st.floats(0, 1e-3), st.floats(0.15, 0.45),
    st.sampled_from(["cos", "linear"]), st.booleans(),
)  # fmt: skip
def test_onecycle(
    peak: float, steps: int, div: float, end: float, rise: float, how: str, three: bool
) -> None:
    check_rates("OneCycleLR", peak, steps, div, end, rise, how, three, steps=steps)
    check_rates("OneCycleLR", peak, steps, steps=steps)


@quick
@given(
    rates, rates, st.integers(1, 50), st.none() | st.integers(1, 50),
    st.sampled_from(["triangular", "triangular2", "exp_range"]), st.floats(0.9, 1),
)  # fmt: skip
def test_cyclic(
    low: float, height: float, up: int, down: int | None, mode: str, gamma: float
) -> None:
    check_rates("CyclicLR", low, low + height, up, down, mode, gamma)
    check_rates("CyclicLR", 0.0, height, up, down, mode, gamma)
    check_rates("CyclicLR", low, low + height, up, down, scale_fn=lambda cycle: 1 / (1 + cycle))
    check_rates(
        "CyclicLR", low, low + height, up, down,
        scale_fn=lambda t: gamma**t, scale_mode="iterations",
    )  # fmt: skip


metrics = st.lists(st.integers(-8, 8).map(lambda i: i / 4), min_size=40, max_size=40)


def collect_plateau_rates(values: list[float], **kwargs: Any) -> tuple[list[float], list[float]]:
    """Collect lrlab's and Paddle's rates after each metric."""
    mine = collect_metric_rates(ours.ReduceOnPlateau(0.5, **kwargs), values, base=0.3)
    return mine, list(theirs.ReduceOnPlateau(values, math.nan, 0.5, **kwargs))


@quick
@given(
    values=metrics,
    mode=st.sampled_from(["min", "max"]),
    threshold=st.sampled_from([0.0, 0.125]),
    kind=st.sampled_from(["rel", "abs"]),
    patience=st.integers(0, 4),
    least=st.sampled_from([0, 0.0625]),
    epsilon=st.sampled_from([0, 0.01]),
)
def test_plateau(
    values: list[float], mode: str, threshold: float, kind: str, patience: int, least: float,
    epsilon: float,
) -> None:  # fmt: skip
    kwargs = {"mode": mode, "threshold": threshold, "threshold_mode": kind, "patience": patience}
    mine, paddles = collect_plateau_rates(
        values, **kwargs, min_lr=least, epsilon=epsilon, factor=0.5
    )
    assert mine == pytest.approx(paddles, rel=1e-12)


def test_only_paddle_ignores_the_metrics_of_a_cooldown() -> None:
    # The best metric comes during the cooldown, so later ones are worse in lrlab only.
    values = [4.0, 4.0, 1.0, 1.0, 2.0, 2.0]
    mine, paddles = collect_plateau_rates(values, patience=0, cooldown=2, factor=0.5)
    assert paddles == pytest.approx([0.5, 0.25, 0.25, 0.25, 0.25, 0.125])
    assert mine == pytest.approx([0.5, 0.25, 0.25, 0.25, 0.125, 0.125])


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ExponentialDecay", (0.5, 1.5)),
        ("StepDecay", (0.5, 3, 1.0)),
        ("MultiStepDecay", (0.5, [3, 6], 1.5)),
        ("MultiStepDecay", (0.5, [3, 3], 0.5)),
        ("LinearWarmup", (0.5, 3, 0.2, 0.1)),
        ("ReduceOnPlateau", (0.5, "min", 1.0)),
    ],
)
def test_only_paddle_refuses(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises((AssertionError, ValueError), match=r"gamma|milestones|end_lr|Factor"):
        theirs.check_arguments(name, *arguments)
    if name == "ReduceOnPlateau":  # its rate would never fall
        with raises(ScheduleError, "factor", "got 1.0"):
            ours.ReduceOnPlateau(*arguments)
    else:
        expected = list(theirs.iterate_rates(name, 9, *arguments))
        assert getattr(ours, name)(*arguments)(range(9), base=0.3) == pytest.approx(expected)


def test_paddle_ignores_surplus_values() -> None:
    arguments = ([1, 2], [1.0, 0.5, 0.1, 0.0])
    assert list(theirs.iterate_rates("PiecewiseDecay", 4, *arguments)) == [1.0, 0.5, 0.0, 0.0]
    with raises(ScheduleError, "levels", "got 4 and 2"):
        ours.PiecewiseDecay(*arguments)


def test_paddle_divides_by_zero_where_the_rise_is_one_step() -> None:
    arguments = (1.0, 10, 25.0, 1e-4, 0.1)
    with pytest.raises(ZeroDivisionError):
        list(theirs.iterate_rates("OneCycleLR", 10, *arguments))
    with raises(ScheduleError, "phase_pct", "got 0.1 of 10"):
        ours.OneCycleLR(*arguments)


def test_paddle_raises_past_the_end_of_one_cycle() -> None:
    with pytest.raises(ValueError, match="Tried to step"):
        list(theirs.iterate_rates("OneCycleLR", 22, 1.0, 20))
    schedule = ours.OneCycleLR(1.0, 20)
    assert schedule(1000, base=0.3) == schedule(19, base=0.3) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("NoamDecay", (64, 0), ("warmup_steps", "got 0")),
        ("PiecewiseDecay", ([1, 2], [1.0, 0.5, 0.1, 0.0]), ("levels", "got 4 and 2")),
        ("NaturalExpDecay", (0.1, 800.0), ("gamma", "got 800.0")),
        ("StepDecay", (0.1, 30, 0), ("gamma", "got 0")),
        ("LinearWarmup", ("x", 10, 0.0, 0.1), ("learning_rate", "got 'x'")),
        ("OneCycleLR", (0.1, 10, 25.0, 1e-4, 0.1), ("phase_pct", "got 0.1 of 10")),
        ("OneCycleLR", (0.1, 10, 25.0, 1e-4, 0.5, "cos", True), ("phase_pct", "got 0.5 of 10")),
        ("CyclicLR", (0.2, 0.1, 5), ("max_learning_rate", "got 0.1 and 0.2")),
        ("ReduceOnPlateau", (0.1, "least"), ("mode", "got 'least'")),
        ("LambdaDecay", (0.1, 0.5), ("lr_lambda", "got 0.5")),
    ],
)
def test_errors_name_argument_and_value(
    name: str, arguments: Any, mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(*arguments)


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_equal_paddles(name: str) -> None:
    check_same_parameters(
        getattr(ours, name), getattr(theirs, name), omitted=("t", "metrics", "last")
    )
