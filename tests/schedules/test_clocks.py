"""Schedules on another clock, against the schedules themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cosine, Exponential, Linear, Schedule, Step, Warmup
from lrlab.schedules.durations import Horizon
from tests.schedules.strategies import relative, steps


@given(a=relative, at=st.integers(0, 100), t=steps)
def test_a_cut_holds_the_value_it_has_there(a: Schedule, at: int, t: list) -> None:
    assert_array_equal(a.until(at)(t), a(np.minimum(t, at)))
    assert a.then(Constant(1.0), at=at) == a.until(at) >> Constant(1.0)


@given(a=relative, by=st.integers(-100, 100), t=steps)
def test_a_shift_is_another_clock(a: Schedule, by: int, t: list) -> None:
    assert_array_equal(a.shift(by)(t), a(np.maximum(0, np.array(t) - by)))


@given(a=relative, by=st.floats(0.1, 10), t=steps)
def test_a_stretch_is_a_slower_clock(a: Schedule, by: float, t: list) -> None:
    assert_array_equal(a.stretch(by)(t), a(np.array(t) / by))


@given(a=relative, every=st.integers(1, 50), t=st.lists(st.integers(0, 500), min_size=1))
def test_a_staircase_reads_the_clock_now_and_then(a: Schedule, every: int, t: list) -> None:
    assert_array_equal(a.staircase(every)(t), a([step // every * every for step in t]))


@given(gamma=st.floats(0.5, 1), every=st.integers(1, 50))
def test_step_is_a_staircase_of_exponential(gamma: float, every: int) -> None:
    t = np.arange(200)
    stairs = Exponential(gamma, every=every).staircase(every)
    assert_array_equal(stairs(t), Step(every, gamma)(t))


def test_lengths() -> None:
    ramp = Linear(1, 0, over=10)
    for schedule, length in [
        (ramp.until(3), 3),
        (ramp.shift(5), 15),
        (ramp.shift(-4), 6),
        (ramp.shift(-40), 0),
        (ramp.stretch(2.5), 25),
        (ramp.staircase(3), 10),
        (ramp.repeat(3), 30),
        (ramp.repeat(3, growth=2), 70),
        (ramp.clip(0.1), 10),
    ]:
        assert schedule.compute_length(Horizon()) == length
        assert (schedule >> Constant(7.0))(length) == 7.0
        if length:
            assert (schedule >> Constant(7.0))(length - 0.5) != 7.0


def test_units_are_those_of_the_whole_training() -> None:
    assert Warmup("10%").stretch(2).bind(total_steps=100) == Warmup(10).stretch(2)
    assert Cosine(30).shift("1ep").bind(steps_per_epoch=7) == Cosine(30).shift(7)
    assert Exponential(0.9).staircase("1ep").bind(steps_per_epoch=7) == Exponential(0.9).staircase(
        7
    )


def test_what_takes_the_rest_ends_with_the_training() -> None:
    for schedule in (
        Linear(1, 0).stretch(4),
        Linear(1, 0).shift(20),
        Linear(1, 0).shift(-20),
        Linear(1, 0).repeat(4),
        Linear(1, 0).repeat(3, growth=2),
        Linear(1, 0).clip(0.0).staircase(1),
        Constant(1.0, over=40) >> Linear(1, 0).stretch(3).shift(5),
    ):
        bound = schedule.bind(total_steps=140)
        assert bound(140) == pytest.approx(0, abs=1e-12)
        assert bound(138) > 1e-4


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda a: a.shift("x"), "Shift: by must be a duration, or a negative number of steps"),
        (lambda a: a.stretch(0), "Stretch: by must be a number above 0"),
        (lambda a: a.staircase(0), "Staircase: every must be a duration above 0"),
        (lambda a: a.until(-1), "Until: at must be a duration of 0 or more"),
    ],
)
def test_clocks_that_are_none(make: object, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        make(Cosine(5))
