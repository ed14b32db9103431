"""Repetitions and waves, against loops and closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    CosineWave,
    Exponential,
    Linear,
    Plateau,
    PolynomialCycle,
    Schedule,
    Warmup,
)
from tests.schedules.strategies import ramps


@given(
    a=ramps,
    times=st.integers(1, 6),
    growth=st.one_of(st.just(1.0), st.integers(1, 3), st.floats(1.01, 2.5)),
    decay=st.floats(0.3, 1.5),
)
def test_a_repetition_is_a_sequence(a: Schedule, times: int, growth: float, decay: float) -> None:
    a = a.until(10)
    sequence: Schedule = a
    for n in range(1, times):
        sequence = sequence >> (decay**n * a.stretch(growth**n)).until(10 * growth**n)
    # Off the boundaries, whose last bits depend on the way they are summed up.
    t = np.arange(0.5, 12 * times * growth**times)[:2000] + 0.01
    ours = a.repeat(times, growth=growth, decay=decay)
    assert_allclose(ours(t), sequence(t), rtol=1e-9, atol=1e-9)


@given(period=st.integers(1, 40), growth=st.integers(2, 4))
def test_growing_repetitions_begin_at_whole_steps(period: int, growth: int) -> None:
    schedule = Linear(1.0, 0.0, over=period).repeat(growth=growth)
    start = 0
    for n in range(8):
        assert schedule(start) == 1.0
        if start:
            assert schedule(start - 1) == pytest.approx(1 / (period * growth ** (n - 1)))
        start += period * growth**n


@pytest.mark.parametrize("total", [18, 27, 42, 490, 1100])
def test_periods_that_are_no_whole_steps_begin_where_they_are_whole(total: int) -> None:
    for times in range(1, total + 1):
        schedule = Linear(1.0, 0.0, over=total / times).repeat(times)
        whole = [k * total // times for k in range(times) if k * total % times == 0]
        assert_allclose(schedule(whole), 1.0)


def test_what_takes_the_rest_shares_it() -> None:
    assert Cosine().repeat(3).bind(total_steps=90) == Cosine(30).repeat(3)
    assert Cosine().repeat(2, growth=2).bind(total_steps=90) == Cosine(30).repeat(2, growth=2)
    bound = (Warmup(10) >> Cosine().repeat(4)).bind(total_steps=90)
    assert bound == Warmup(10) >> Cosine(20).repeat(4)


def test_no_time_left_is_the_end_of_the_last_repetition() -> None:
    bound = (Warmup(100) >> Cosine(end=0.5).repeat(3, decay=0.1)).bind(total_steps=100)
    assert bound([99, 100, 101]).tolist() == [pytest.approx(100 / 101), 0.5 * 0.1**2, 0.5 * 0.1**2]


def test_the_last_repetition_holds_its_end() -> None:
    assert Linear(1, 0.25, over=5).repeat(2, decay=0.5)([4, 5, 9, 10, 99]).tolist() == [
        pytest.approx(0.4),
        0.5,
        pytest.approx(0.2),
        0.125,
        0.125,
    ]


@pytest.mark.parametrize("endless", [Constant(1.0), Exponential(0.9), Cosine(5) >> Constant(1.0)])
def test_what_cannot_be_repeated(endless: Schedule) -> None:
    with pytest.raises(ScheduleError, match=r"must have an end, got .*\.until\(30\)"):
        endless.repeat()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"times": 0}, "times must be a whole number from 1 to a billion, got 0"),
        ({"times": 2.5}, "times must be a whole number"),
        ({"times": 10**400}, "times must be a whole number from 1 to a billion"),
        ({"times": 10**400, "growth": 2}, "times must be a whole number from 1 to a billion"),
        ({"times": 2000, "growth": 2}, "growth=2.0 over 2000 times is longer than float64"),
        ({"growth": 0.5}, "growth must be a number of 1 or more"),
        ({"decay": 0}, "decay must be a number above 0"),
    ],
)
def test_arguments_out_of_their_domain(words: dict, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        Cosine(5).repeat(**words)


def test_a_reactive_schedule_is_not_repeated() -> None:
    with pytest.raises(ScheduleError, match="must read no metric"):
        Plateau().until(5).repeat()


@given(period=st.floats(1, 100), high=st.floats(0, 2), low=st.floats(0, 2))
def test_a_wave_is_a_cosine(period: float, high: float, low: float) -> None:
    t = np.arange(200)
    expected = [low + (high - low) * (1 + math.cos(2 * math.pi * s / period)) / 2 for s in t]
    assert_allclose(CosineWave(period, high=high, low=low)(t), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("total", [18, 27, 49, 490, 755])
def test_polynomial_cycles_touch_their_end_where_steps_are_whole(total: int) -> None:
    for falls in range(1, total + 1):
        schedule = PolynomialCycle(0.5, period=total / falls)
        assert_allclose(schedule([total, 3 * total]), 0.0, atol=1e-7)  # a root of the last bits


@given(period=st.integers(1, 60), power=st.floats(0.3, 3), end=st.floats(0, 1))
def test_polynomial_cycles_are_tensorflows(period: int, power: float, end: float) -> None:
    def tensorflow(step: int) -> float:
        multiplier = 1.0 if step == 0 else math.ceil(step / period)
        return (1.0 - end) * (1 - step / (period * multiplier)) ** power + end

    ours = PolynomialCycle(power, period=period, end=end)(range(220))
    assert_allclose(ours, [tensorflow(step) for step in range(220)], rtol=1e-12, atol=1e-14)
