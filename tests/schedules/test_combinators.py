"""Sequences, products and cuts against the parts they are made of."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    Linear,
    Product,
    Rate,
    Schedule,
    Sequence,
    Warmup,
)
from lrlab.schedules.durations import Horizon
from tests.schedules.strategies import finite, relative, steps


@given(first=finite, second=relative, t=steps)
def test_each_part_runs_on_its_own_clock(first: Schedule, second: Schedule, t: list) -> None:
    end = first.length(Horizon())
    expected = [first(step) if step < end else second(step - end) for step in t]
    assert_array_equal((first >> second)(t), expected)


@given(a=finite, b=finite, c=relative)
def test_grouping_of_a_sequence_does_not_matter(a: Schedule, b: Schedule, c: Schedule) -> None:
    assert (a >> b) >> c == a >> (b >> c) == Sequence((a, b, c))


@given(a=relative, b=relative, t=steps)
def test_a_product_multiplies_step_by_step(a: Schedule, b: Schedule, t: list) -> None:
    assert_allclose((a * b)(t), a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((a * b)(t, base=0.3), 0.3 * a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((0.5 * a)(t), 0.5 * a(t), rtol=1e-13, atol=1e-300)
    assert 0.5 * a == a.__rmul__(0.5)


@given(a=relative, at=st.integers(0, 100), t=steps)
def test_a_cut_holds_the_value_it_has_there(a: Schedule, at: int, t: list) -> None:
    assert_array_equal(a.until(at)(t), a(np.minimum(t, at)))
    assert a.then(Constant(1.0), at=at) == a.until(at) >> Constant(1.0)


@pytest.mark.parametrize(
    "endless", [Constant(1.0), Exponential(0.9), Cosine(), Warmup(5) >> Cosine()]
)
def test_nothing_follows_what_never_ends(endless: Schedule) -> None:
    with pytest.raises(ScheduleError, match=r"has no end of its own.*\.until\(30\)"):
        endless >> Cosine(5)


def test_a_plain_factor_does_not_keep_a_product_from_ending() -> None:
    assert (0.5 * Cosine(10) >> Constant(1.0))(10) == 1.0
    with pytest.raises(ScheduleError, match="no end of its own"):
        Warmup(5) * Exponential(0.9) >> Cosine(5)


def test_a_product_may_have_one_absolute_part() -> None:
    schedule = Warmup(1) * Constant(Rate(0.2))
    assert schedule([0, 1], base=0.7).tolist() == [0.1, 0.2]
    with pytest.raises(ScheduleError, match="at most one schedule with absolute rates"):
        Constant(Rate(0.1)) * Constant(Rate(0.2))


def test_an_absolute_part_rules_only_where_it_stands() -> None:
    schedule = Linear(1.0, 0.5, over=2) >> Constant(Rate(0.2))
    assert schedule([0, 1, 2, 3], base=0.1).tolist() == [0.1, 0.07500000000000001, 0.2, 0.2]


@pytest.mark.parametrize("other", [None, "Cosine(3)", [1]])
def test_only_schedules_go_together(other: object) -> None:
    with pytest.raises(TypeError):
        Cosine(3) >> other
    with pytest.raises(TypeError):
        Cosine(3) * other
    with pytest.raises(TypeError):
        other * Cosine(3)
    with pytest.raises(ScheduleError, match="what follows must be a schedule"):
        Cosine(3).then(other)


@pytest.mark.parametrize("kind", [Sequence, Product])
def test_a_whole_has_two_parts_or_more_and_no_grouping(kind: type) -> None:
    a, b, c = Cosine(1), Cosine(2), Cosine(3)
    assert kind((a, kind((b, c)))) == kind((a, b, c))
    for parts in ((), (a,), (a, 2)):
        with pytest.raises(ScheduleError, match="needs two schedules or more"):
            kind(parts)


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
