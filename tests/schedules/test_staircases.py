"""Staircases and interpolation against closed forms, sequences and numpy.interp."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Chebyshev,
    Constant,
    Cosine,
    Linear,
    MultiStep,
    PiecewiseConstant,
    PiecewiseInterpolate,
    Schedule,
    Sequential,
    Step,
    Warmup,
)
from tests.raising import raises
from tests.schedules.strategies import lengths, levels, milestones


@given(every=st.integers(1, 100), gamma=st.floats(0.5, 1.0))
def test_step(every: int, gamma: float) -> None:
    expected = [gamma ** (t // every) for t in range(300)]
    assert_allclose(Step(every, gamma)(range(300)), expected, rtol=1e-12)


def test_the_first_jump_acts_at_its_step() -> None:
    assert Step(30)(29) == 1.0
    assert Step(30)(30) == 0.1


@pytest.mark.parametrize("total", [9, 17, 49, 490])
def test_stairs_of_fractional_length_jump_exactly_at_whole_steps(total: int) -> None:
    for stairs in range(1, total + 1):
        assert Step(total / stairs, 0.5)(total) == 0.5**stairs
        assert Linear(1, 0, over=total).staircase(total / stairs)(total) < 1e-12


def test_a_period_that_rounds_to_0_is_refused() -> None:
    with raises(ScheduleError, "Step: every", "positive", "1e-320"):
        Step(1e-320)
    with raises(ScheduleError, '"0.1%"', "0 steps"):
        Step("0.1%").bind(total_steps=50)


@given(milestones=milestones, gamma=st.floats(0.2, 1.2))
def test_multi_step_counts_past_milestones(milestones: list[int], gamma: float) -> None:
    expected = [gamma ** sum(m <= t for m in milestones) for t in range(320)]
    assert_allclose(MultiStep(milestones, gamma)(range(320)), expected, rtol=1e-14)


@given(at=milestones, data=st.data())
def test_piecewise_constant_is_a_sequence_of_constants(at: list[int], data: st.DataObject) -> None:
    heights = data.draw(st.lists(levels, min_size=len(at) + 1, max_size=len(at) + 1))
    parts = [Constant(h, over=o) for h, o in zip(heights, np.diff([0, *at]), strict=False)]
    sequence = Sequential((*parts, Constant(heights[-1])))
    assert_array_equal(PiecewiseConstant(at, heights)(range(320)), sequence(range(320)))


@given(at=st.lists(lengths, min_size=1, max_size=6, unique=True).map(sorted), data=st.data())
def test_piecewise_interpolate_equals_numpy(at: list[int], data: st.DataObject) -> None:
    heights = data.draw(st.lists(levels, min_size=len(at), max_size=len(at)))
    t = np.arange(320)
    assert_allclose(
        PiecewiseInterpolate(at, heights)(t), np.interp(t, at, heights), rtol=1e-12, atol=1e-14
    )


@given(at=st.lists(lengths, min_size=2, max_size=6, unique=True).map(sorted), data=st.data())
def test_piecewise_interpolate_with_cosines_is_a_sequence_of_cosines(
    at: list[int], data: st.DataObject
) -> None:
    heights = data.draw(st.lists(levels, min_size=len(at), max_size=len(at)))
    ends = zip(heights, heights[1:], np.diff(at), strict=False)
    cosines = [Cosine(float(over), start=start, end=end) for start, end, over in ends]
    sequence = Sequential((Constant(heights[0], over=at[0]), *cosines))
    ours = PiecewiseInterpolate(at, heights, curve="cosine")
    assert_allclose(ours(range(320)), sequence(range(320)), rtol=1e-12, atol=1e-14)


@given(log=st.integers(0, 7), condition=st.floats(1.1, 1000))
def test_chebyshev_steps_solve_a_quadratic(log: int, condition: float) -> None:
    n = 2**log
    steps = np.array(Chebyshev(n, condition)(range(n)))
    # Their inverses are the zeros of the Chebyshev polynomial on [1, condition], so that the
    # residual of gradient descent is that polynomial, the smallest one, at every curvature.
    curvature = np.linspace(1, condition, 50)
    residual = np.prod(1 - curvature[:, None] * steps, axis=1)
    x = (condition + 1 - 2 * curvature) / (condition - 1)
    zero = (condition + 1) / (condition - 1)
    polynomial = np.polynomial.chebyshev.Chebyshev.basis(n)
    assert_allclose(residual, polynomial(x) / polynomial(zero), atol=1e-9)


def test_chebyshev_has_the_fractal_order_of_the_paper() -> None:
    order = np.argsort(np.argsort(-Chebyshev(8, 10.0)(range(8)))) + 1
    assert order.tolist() == [1, 8, 4, 5, 2, 7, 3, 6]


@pytest.mark.parametrize(
    ("build", "mentions"),
    [
        (lambda: MultiStep([60, 30]), ("milestones", "ascending order", "[60, 30]")),
        (lambda: MultiStep([]), ("milestones", "a list", "[]")),
        (lambda: MultiStep(30), ("milestones", "a list", "30")),
        (lambda: MultiStep("30"), ("milestones", "a list", "'30'")),
        (lambda: MultiStep(np.array(30)), ("milestones", "a list", "array(30)")),
        (lambda: PiecewiseConstant([3], [1.0]), ("levels", "at", "1 and 1")),
        (lambda: PiecewiseConstant([3], [1.0, -1.0]), ("levels", "a list of levels", "-1.0")),
        (lambda: PiecewiseInterpolate([3], [1.0, 2.0]), ("levels", "at", "2 and 1")),
        (lambda: Chebyshev(6, 10), ("steps", "a power of two", "got 6")),
        (lambda: Chebyshev(8, 0.5), ("condition", "at least 1", "0.5")),
    ],
)
def test_arguments_out_of_their_domain_are_refused(
    build: Callable[[], Schedule], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        build()


def test_milestones_have_units() -> None:
    assert MultiStep([30, "50%", "80%"]).bind(total_steps=101) == MultiStep([30, 51, 81])
    assert (Warmup(10) >> MultiStep(["50%"])).bind(total_steps=100) == Warmup(10) >> MultiStep([50])
    with raises(ScheduleError, "MultiStep: milestones", "ascending order", "(60, 50)"):
        MultiStep([60, "50%"]).bind(total_steps=100)
