"""One schedule after another, against the parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Continued,
    Cosine,
    Exponential,
    Linear,
    Product,
    Schedule,
    Sequential,
    Warmup,
)
from lrlab.schedules.durations import Horizon
from tests.schedules.strategies import finite, relative, steps


@given(first=finite, second=relative, t=steps)
def test_each_part_runs_on_its_own_clock(first: Schedule, second: Schedule, t: list) -> None:
    end = first.compute_length(Horizon())
    expected = [first(step) if step < end else second(step - end) for step in t]
    assert_array_equal((first >> second)(t), expected)


@given(a=finite, b=finite, c=relative)
def test_grouping_of_a_sequence_does_not_matter(a: Schedule, b: Schedule, c: Schedule) -> None:
    assert (a >> b) >> c == a >> (b >> c) == Sequential((a, b, c))


@pytest.mark.parametrize(
    "endless", [Constant(1.0), Exponential(0.9), Cosine(), Warmup(5) >> Cosine()]
)
def test_nothing_follows_what_never_ends(endless: Schedule) -> None:
    with pytest.raises(ScheduleError, match=r"has no end of its own.*\.until\(30\)"):
        endless >> Cosine(5)


def test_an_absolute_part_rules_only_where_it_stands() -> None:
    schedule = Linear(1.0, 0.5, over=2) >> Constant(Absolute(0.2))
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


@pytest.mark.parametrize("kind", [Sequential, Product])
def test_a_whole_has_two_parts_or_more_and_no_grouping(kind: type) -> None:
    a, b, c = Cosine(1), Cosine(2), Cosine(3)
    assert kind((a, kind((b, c)))) == kind((a, b, c))
    for parts in ((), (a,), (a, 2)):
        with pytest.raises(ScheduleError, match="needs two schedules or more"):
            kind(parts)


@given(a=finite, b=relative, t=steps)
def test_continued_goes_on_from_where_the_first_ended(a: Schedule, b: Schedule, t: list) -> None:
    end = a.compute_length(Horizon())
    expected = [a(step) if step < end else a(end) * b(step - end) for step in t]
    assert_allclose(a.then(b, join="continue")(t), expected, rtol=1e-13, atol=1e-300)


@given(a=finite, over=st.integers(1, 50), base=st.floats(1e-3, 10))
def test_continued_does_not_jump(a: Schedule, over: int, base: float) -> None:
    end = a.compute_length(Horizon())
    joined = a.then(Linear(1.0, Absolute(1e-5), over=over), join="continue")
    assert joined(end, base=base) == pytest.approx(a(end, base=base), rel=1e-12)
    assert joined(end + over, base=base) == pytest.approx(1e-5)


def test_joins_are_named() -> None:
    with pytest.raises(ScheduleError, match=r'"restart" or "continue".*did you mean continue'):
        Linear(1, 0, over=3).then(Cosine(3), join="continued")
    with pytest.raises(ScheduleError, match="has no end of its own"):
        Exponential(0.9).then(Cosine(3), join="continue")
    with pytest.raises(ScheduleError, match="needs two schedules"):
        Continued(Cosine(3), 0.5)
    assert Linear(1, 0, over=3).then(Cosine(3), join="restart") == Linear(1, 0, over=3) >> Cosine(3)


def test_continued_binds_what_follows_to_the_rest() -> None:
    schedule = Warmup("10%").then(Cosine(), join="continue").bind(total_steps=50)
    assert schedule == Warmup(5).then(Cosine(45), join="continue")
