"""Decays against their closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import Exponential, InverseTime


@given(gamma=st.floats(0.5, 1.001), every=st.integers(1, 50))
def test_exponential(gamma: float, every: int) -> None:
    expected = [gamma ** (t / every) for t in range(200)]
    assert_allclose(Exponential(gamma, every=every)(range(200)), expected, rtol=1e-12)


@given(alpha=st.floats(1e-4, 10), every=st.integers(1, 50))
def test_inverse_time(alpha: float, every: int) -> None:
    expected = [1 / (1 + alpha * t / every) for t in range(200)]
    assert_allclose(InverseTime(alpha, every=every)(range(200)), expected, rtol=1e-12)


def test_units_make_no_difference_to_the_rate_per_epoch() -> None:
    by_epoch = Exponential(0.99)(range(50))
    by_step = Exponential(0.99, every="1ep").bind(epoch=17)(range(0, 50 * 17, 17))
    assert_allclose(by_step, by_epoch, rtol=1e-12)


def test_growth_beyond_float64_is_an_error_and_no_warning() -> None:
    with pytest.raises(
        ScheduleError, match=r"Exponential\(2.0\) must give a finite rate.*t = 1024"
    ):
        Exponential(2.0)([3, 1024, 5000])


@pytest.mark.parametrize("gamma", [0, -0.5, float("nan"), float("inf"), "0.9"])
def test_factors_that_are_none(gamma: object) -> None:
    with pytest.raises(ScheduleError, match="gamma must be a number above 0, got "):
        Exponential(gamma)


@pytest.mark.parametrize("every", [0, -1, "0ep", "x"])
def test_periods_that_are_none(every: object) -> None:
    with pytest.raises(ScheduleError, match="every must be a duration above 0"):
        InverseTime(0.1, every=every)
