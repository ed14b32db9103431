"""Ramps against their closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cooldown,
    Cosine,
    Geometric,
    Linear,
    Polynomial,
    Rex,
    Schedule,
    Tanh,
    Warmup,
)
from tests.schedules.strategies import heights, levels, powers, ramps

overs = st.integers(1, 500)


@given(over=overs, start=levels, end=levels, base=st.floats(1e-6, 10))
def test_ends_are_exact_and_the_last_value_holds(
    over: int, start: float, end: float, base: float
) -> None:
    for ramp in (Linear(start, end, over=over), Cosine(over, start=start, end=end)):
        assert ramp(0) == start
        assert ramp(over) == ramp(over + 1) == ramp(10 * over) == end
        assert ramp(over, base=base) == base * end


@given(over=overs, start=levels, end=levels)
def test_ramps_are_monotone_and_symmetric(over: int, start: float, end: float) -> None:
    t = np.arange(over + 1)
    for ramp, back in (
        (Linear(start, end, over=over), Linear(end, start, over=over)),
        (Cosine(over, start=start, end=end), Cosine(over, start=end, end=start)),
    ):
        rates = ramp(t)
        slack = 1e-14 * max(start, end)
        assert (np.diff(rates) * np.sign(end - start) >= -slack).all()
        assert_allclose(rates, back(over - t), rtol=0, atol=1e-14 * max(start, end, 1))


@given(ramp=ramps)
def test_every_ramp_ends_where_it_says(ramp: Schedule) -> None:
    assert ramp(ramp.over) == ramp(ramp.over + 3) == pytest.approx(ramp.end, rel=1e-15)
    if ramp.over and ramp.start is not None:
        assert ramp(0) == pytest.approx(ramp.start, rel=1e-15)


@given(ramp=ramps)
def test_every_ramp_is_monotone(ramp: Schedule) -> None:
    steps = np.diff(ramp(np.linspace(0, ramp.over, 400)))
    slack = 1e-14 * max(ramp(0), ramp.end)
    assert (steps >= -slack).all() or (steps <= slack).all()


@given(over=overs, k=powers)
def test_ramps_up_are_ramps_down_upside_down(over: int, k: float) -> None:
    t = np.arange(over + 1)
    for shape, words in (
        (Cosine, {"power": k}),
        (Rex, {"beta": min(k, 1.9)}),
        (Cooldown, {"curve": k}),
        (Tanh, {"upper": k}),
    ):
        up, down = shape(over, start=0, end=1, **words), shape(over, start=1, end=0, **words)
        assert_allclose(up(t), 1 - down(t), atol=1e-15)


@given(over=overs, power=powers, k=powers, start=levels, end=levels)
def test_closed_forms(over: int, power: float, k: float, start: float, end: float) -> None:
    for shape, left in (
        (
            # A power below 1 would magnify the last bits of what is left near the end.
            Cosine(over, start=start, end=end, power=max(1, power), k=k),
            lambda p: ((1 + math.cos(math.pi * p**k)) / 2) ** max(1, power),
        ),
        (Polynomial(power, over=over, start=start, end=end, k=k), lambda p: (1 - p**k) ** power),
        (
            Rex(over, start=start, end=end, beta=min(k, 1.99)),
            lambda p: (1 - p) / (0.5 + 0.5 * (1 - min(k, 1.99) * p)),
        ),
        (
            Tanh(over, start=start, end=end, lower=-k, upper=power),
            lambda p: (1 - math.tanh(-k * (1 - p) + power * p)) / 2,
        ),
    ):
        expected = [end + (start - end) * left(t / over) for t in range(over)]
        assert_allclose(shape(range(over)), expected, rtol=1e-12, atol=1e-12 * max(start, end))


@given(over=overs, start=heights, end=heights, base=st.floats(0.01, 10))
def test_geometric_is_straight_on_a_logarithmic_axis(
    over: int, start: float, end: float, base: float
) -> None:
    t = np.arange(over + 1)
    logs = np.log(Geometric(start, Absolute(end), over=over)(t, base=base))
    assert_allclose(logs, np.linspace(np.log(base * start), np.log(end), over + 1), atol=1e-12)
    with pytest.raises(ScheduleError, match=r"Geometric: end must be a factor .* above 0"):
        Geometric(start, Absolute(0.0), over=over)


@given(over=overs, end=levels)
def test_cosine_is_the_papers_formula(over: int, end: float) -> None:
    expected = [end + (1 - end) * (1 + math.cos(math.pi * t / over)) / 2 for t in range(over + 1)]
    assert_allclose(Cosine(over, end=end)(range(over + 1)), expected, rtol=1e-12, atol=1e-15)


@given(warm=st.integers(0, 500))
def test_a_warmup_counts_from_one_and_reaches_the_base_rate(warm: int) -> None:
    t = np.arange(warm + 3)
    expected = np.minimum((t + 1) / (warm + 1), 1.0)
    assert_allclose(Warmup(warm)(t), expected, rtol=1e-14)
    assert Warmup(warm)(warm) == 1.0


@given(warm=st.integers(1, 500))
def test_a_warmup_is_a_decay_reversed(warm: int) -> None:
    t = np.arange(warm + 1)
    assert_allclose(Warmup(warm, start=0.0)(t), Linear(1, 0, over=warm)(warm - t), atol=1e-15)


def test_levels_may_be_absolute() -> None:
    ramp = Linear(Absolute(0.001), 1.0, over=4)
    assert_allclose(ramp([0, 2, 4], base=0.1), [0.001, 0.0505, 0.1], rtol=1e-14)
    assert Warmup(4, start=Absolute(0.02))(0, base=0.1) == 0.02
    assert Constant(Absolute(0.3))(7, base=0.1) == 0.3


def test_no_duration_is_a_jump() -> None:
    assert Linear(1.0, 0.5, over=0)(0) == 0.5
    assert Cosine(0)(0) == 0.0
    assert Warmup(0)(0) == 1.0


@pytest.mark.parametrize(
    "over", [-3, float("nan"), float("inf"), "5", "5 weeks", "101%", [3], True]
)
def test_durations_that_are_none(over: object) -> None:
    with pytest.raises(ScheduleError, match=r"Cosine: over must be a duration .* got "):
        Cosine(over)


@pytest.mark.parametrize("level", [-0.1, float("nan"), float("inf"), "1", None, True])
def test_levels_that_are_none(level: object) -> None:
    with pytest.raises(ScheduleError, match=r"Linear: end must be a factor .* got "):
        Linear(1.0, level, over=3)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), "1", None])
def test_rates_that_are_none(rate: object) -> None:
    with pytest.raises(ScheduleError, match="Rate: value must be a rate of 0 or more"):
        Absolute(rate)
