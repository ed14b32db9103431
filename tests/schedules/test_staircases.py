"""Staircases against their closed forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import Step


@given(every=st.integers(1, 100), gamma=st.floats(0.5, 1.0))
def test_step(every: int, gamma: float) -> None:
    expected = [gamma ** (t // every) for t in range(300)]
    assert_allclose(Step(every, gamma)(range(300)), expected, rtol=1e-12)


def test_the_first_jump_acts_at_its_step() -> None:
    assert Step(30)(29) == 1.0
    assert Step(30)(30) == 0.1


def test_a_period_that_rounds_to_nothing_is_refused() -> None:
    with pytest.raises(ScheduleError, match=r"\"0.1%\" rounds to 0 steps here"):
        Step("0.1%").bind(total=50)
