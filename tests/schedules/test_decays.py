"""Decays against their closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import Exponential, InverseSqrt, InverseTime, Power, Schedule, Sigmoid, noam
from tests.raising import raises


@given(gamma=st.floats(0.5, 1.001), every=st.integers(1, 50))
def test_exponential(gamma: float, every: int) -> None:
    expected = [gamma ** (t / every) for t in range(200)]
    assert_allclose(Exponential(gamma, every=every)(range(200)), expected, rtol=1e-12)


@given(alpha=st.floats(1e-4, 10), every=st.integers(1, 50))
def test_inverse_time(alpha: float, every: int) -> None:
    expected = [1 / (1 + alpha * t / every) for t in range(200)]
    assert_allclose(InverseTime(alpha, every=every)(range(200)), expected, rtol=1e-12)


def test_decay_per_epoch_does_not_depend_on_steps_per_epoch() -> None:
    by_epoch = Exponential(0.99)(range(50))
    by_step = Exponential(0.99, every="1ep").bind(steps_per_epoch=17)(range(0, 50 * 17, 17))
    assert_allclose(by_step, by_epoch, rtol=1e-12)


def test_growth_beyond_float64_raises_without_a_warning() -> None:
    with raises(ScheduleError, "Exponential(2.0)", "finite", "t = 1024"):
        Exponential(2.0)([3, 1024, 5000])


@pytest.mark.parametrize("gamma", [0, -0.5, float("nan"), float("inf"), "0.9"])
def test_invalid_factors_are_refused(gamma: object) -> None:
    with raises(ScheduleError, "Exponential: gamma", "positive", f"got {gamma!r}"):
        Exponential(gamma)


@pytest.mark.parametrize("every", [0, -1, "0ep", "x"])
def test_invalid_periods_are_refused(every: object) -> None:
    with raises(ScheduleError, "InverseTime: every", "positive", f"got {every!r}"):
        InverseTime(0.1, every=every)


@given(tau=st.floats(1, 500))
def test_inverse_sqrt(tau: float) -> None:
    expected = [math.sqrt(tau / (t + tau)) for t in range(300)]
    assert_allclose(InverseSqrt(tau)(range(300)), expected, rtol=1e-14)


@given(warmup=st.integers(1, 200))
def test_noam_equals_the_formula_of_the_transformer(warmup: int) -> None:
    def paper(step: int) -> float:
        return min(step**-0.5, step * warmup**-1.5) / warmup**-0.5

    assert_allclose(noam(warmup)(range(400)), [paper(n) for n in range(1, 401)], rtol=1e-13)


@given(exponent=st.floats(0.1, 3), after=st.floats(1, 100))
def test_power_equals_the_power_scheduler(exponent: float, after: float) -> None:
    scale = after**exponent  # min(a_max, c * t**-exponent) with a_max = 1
    expected = [1.0] + [min(1.0, scale * t**-exponent) for t in range(1, 300)]
    assert_allclose(Power(exponent, after=after)(range(300)), expected, rtol=1e-12)


@given(slope=st.floats(0.01, 5), at=st.integers(0, 200))
def test_sigmoid_is_symmetric_about_its_middle(slope: float, at: int) -> None:
    t = np.arange(at + 1)
    sigmoid = Sigmoid(slope, at=at)
    assert sigmoid(at) == 0.5
    assert_allclose(sigmoid(at - t) + sigmoid(at + t), np.ones(at + 1), rtol=1e-14)
    expected = [1 / (1 + math.exp(slope * (s - at))) for s in range(at + 100)]
    assert_allclose(sigmoid(range(at + 100)), expected, rtol=1e-12)


@given(decay=st.sampled_from([Exponential(0.9), InverseTime(0.1), InverseSqrt(9), noam(1)]))
def test_decays_start_at_the_base_rate_and_fall(decay: Schedule) -> None:
    rates = decay(range(500))
    assert rates[0] == 1.0
    assert (np.diff(rates) < 0).all()
