"""Products, sums, bounds and maps, against the values they are made of."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cosine,
    Custom,
    Exponential,
    Linear,
    Plateau,
    Product,
    Schedule,
    Sum,
    Warmup,
)
from tests.schedules.strategies import relative, steps


@given(a=relative, b=relative, t=steps)
def test_a_product_multiplies_step_by_step(a: Schedule, b: Schedule, t: list) -> None:
    assert_allclose((a * b)(t), a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((a * b)(t, base=0.3), 0.3 * a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((0.5 * a)(t), 0.5 * a(t), rtol=1e-13, atol=1e-300)
    assert 0.5 * a == a.__rmul__(0.5)


def test_a_plain_factor_does_not_keep_a_product_from_ending() -> None:
    assert (0.5 * Cosine(10) >> Constant(1.0))(10) == 1.0
    with pytest.raises(ScheduleError, match="no end of its own"):
        Warmup(5) * Exponential(0.9) >> Cosine(5)


def test_a_product_may_have_one_absolute_part() -> None:
    schedule = Warmup(1) * Constant(Absolute(0.2))
    assert schedule([0, 1], base=0.7).tolist() == [0.1, 0.2]
    with pytest.raises(ScheduleError, match="at most one schedule with absolute rates"):
        Constant(Absolute(0.1)) * Constant(Absolute(0.2))


def test_texts_have_the_parentheses_they_need_and_no_others() -> None:
    assert repr((Warmup(5) >> Cosine(5)) * Exponential(0.9)) == (
        "(Warmup(5) >> Cosine(5)) * Exponential(0.9)"
    )
    assert repr(Warmup(5) * Exponential(0.9).until(3) >> Cosine(5)) == (
        "Warmup(5) * Exponential(0.9).until(3) >> Cosine(5)"
    )
    assert repr(0.5 * Cosine(5)) == "0.5 * Cosine(5)"
    assert repr(Cosine(5) * 2) == "Cosine(5) * 2.0"
    assert repr(Constant(0.5) * Constant(2.0)) == "Constant(0.5) * 2.0"
    assert Product((Cosine(1), Cosine(2))) == Cosine(1) * Cosine(2)


@given(a=relative, b=relative, t=steps)
def test_a_sum_adds_step_by_step(a: Schedule, b: Schedule, t: list) -> None:
    assert_allclose((a + b)(t), a(t) + b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((0.5 + a)(t, base=0.3), 0.3 * (0.5 + a(t)), rtol=1e-13, atol=1e-300)
    assert (a + b) + a == a + (b + a) == Sum((a, b, a))
    assert np.float64(0.5) + a == 0.5 + a


def test_a_sum_may_have_any_number_of_absolute_parts() -> None:
    schedule = Constant(Absolute(0.1)) + Constant(Absolute(0.2)) + 0.5
    assert not schedule.is_relative
    assert schedule(3, base=2.0) == pytest.approx(1.3)


@given(a=relative, low=st.floats(0, 1), width=st.floats(0, 1), t=steps)
def test_a_clip_is_numpys(a: Schedule, low: float, width: float, t: list) -> None:
    assert_array_equal(a.clip(low, low + width)(t), np.clip(a(t), low, low + width))
    assert_array_equal(a.clip(low)(t), np.maximum(a(t), low))
    assert_array_equal(a.clip(high=low)(t), np.minimum(a(t), low))


def test_bounds_may_be_absolute() -> None:
    schedule = Exponential(0.5).clip(Absolute(0.01))
    assert schedule(100, base=0.1) == 0.01
    assert repr(schedule) == "Exponential(0.5).clip(Absolute(0.01))"
    with pytest.raises(ScheduleError, match=r"Clip: low must be at most high, got 0.5 and 0.1"):
        Exponential(0.5).clip(0.5, 0.1)


@given(a=relative, slope=st.floats(0, 3), offset=st.floats(0, 3), t=steps)
def test_affine_is_a_line(a: Schedule, slope: float, offset: float, t: list) -> None:
    assert_allclose(a.affine(slope, offset)(t), offset + slope * a(t), rtol=1e-13)


def test_affine_never_gives_less_than_nothing() -> None:
    momentum = Linear(0, 1, over=10).affine(-1, 0.95)
    assert momentum(0) == 0.95
    with pytest.raises(ScheduleError, match=r"at t = 10 it gives -0.05"):
        momentum([0, 10])


@given(a=relative, t=st.lists(st.integers(0, 60), min_size=1))
def test_a_running_product_is_one(a: Schedule, t: list) -> None:
    small = a.clip(0.1, 2.0)
    expected = [np.prod([small(i) for i in range(1, step + 1)]) for step in t]
    assert_allclose(small.cumprod()(t), expected, rtol=1e-12)


def test_what_a_running_product_remembers_is_not_copied() -> None:
    schedule = Exponential(0.999).cumprod()
    fresh = len(pickle.dumps(schedule))
    rate = schedule(10_000)
    used = pickle.dumps(schedule)
    assert len(used) < fresh + 200
    assert pickle.loads(used)(10_000) == rate


def test_a_running_product_asks_for_each_factor_once() -> None:
    asked = []

    def factor(t: int) -> float:
        asked.append(t)
        return 0.5

    schedule = Custom(factor).cumprod()
    assert [schedule(t) for t in (3, 2, 5, 0)] == [1 / 8, 1 / 4, 1 / 32, 1.0]
    assert asked == [1, 2, 3, 4, 5]


def test_what_outgrows_float64_is_an_error_and_no_warning() -> None:
    large = Constant(Absolute(1e308))
    for schedule in (large * Linear(3, 3, over=3), large + large, large.affine(1e10, 0)):
        with pytest.raises(
            ScheduleError, match=r"must give a finite rate .* at t = 0 it gives inf"
        ):
            schedule(0, base=0.1)


def test_what_has_no_running_product() -> None:
    for schedule in (Constant(Absolute(0.1)), Plateau()):
        with pytest.raises(ScheduleError, match="factors of the base rate only"):
            schedule.cumprod()
    with pytest.raises(ScheduleError, match="at most ten million"):
        Constant(1.0).cumprod()(1e8)
    with pytest.raises(ScheduleError, match="must give a finite rate"):
        Constant(10.0).cumprod()(400)
