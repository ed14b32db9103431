"""Waves and polynomial cycles against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.schedules import CosineWave, PolynomialCycle


@given(period=st.floats(1, 100), high=st.floats(0, 2), low=st.floats(0, 2))
def test_a_wave_equals_its_closed_form(period: float, high: float, low: float) -> None:
    t = np.arange(200)
    expected = [low + (high - low) * (1 + math.cos(2 * math.pi * s / period)) / 2 for s in t]
    assert_allclose(CosineWave(period, high=high, low=low)(t), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("total", [18, 27, 49, 490, 755])
def test_polynomial_cycles_touch_their_end_where_steps_are_whole(total: int) -> None:
    for falls in range(1, total + 1):
        schedule = PolynomialCycle(0.5, period=total / falls)
        assert_allclose(
            schedule([total, 3 * total]), 0.0, atol=1e-7
        )  # a root magnifies the last bits


@given(period=st.integers(1, 60), power=st.floats(0.3, 3), end=st.floats(0, 1))
def test_polynomial_cycles_equal_tensorflow(period: int, power: float, end: float) -> None:
    def tensorflow(step: int) -> float:
        multiplier = 1.0 if step == 0 else math.ceil(step / period)
        return (1.0 - end) * (1 - step / (period * multiplier)) ** power + end

    ours = PolynomialCycle(power, period=period, end=end)(range(220))
    assert_allclose(ours, [tensorflow(step) for step in range(220)], rtol=1e-12, atol=1e-14)
