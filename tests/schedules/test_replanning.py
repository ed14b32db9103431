"""A change of the horizon in the middle of training never jumps, and ends with the training."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cosine, Exponential, Plateau, Schedule, Warmup, parse, wsd
from lrlab.schedules.durations import Horizon
from tests.schedules.strategies import finite


@given(a=finite, b=finite, share=st.floats(0, 0.99), new=st.floats(0.1, 5))
def test_nothing_changes_before_and_the_rest_is_stretched(
    a: Schedule, b: Schedule, share: float, new: float
) -> None:
    schedule = a >> b
    total = schedule.compute_length(Horizon())
    if total < 2:
        return
    at = int(share * total)
    new_total = at + new * (total - at)
    changed = schedule.replan(new_total, at=at)
    t = np.arange(at)
    assert_allclose(changed(t), schedule(t), rtol=1e-12, atol=1e-12)
    later = np.linspace(at, new_total, 50)[:-1] + 1e-6
    expected = schedule(at + (later - at) / new)
    assert_allclose(changed(later), expected, rtol=1e-6, atol=1e-4 * max(1e-9, expected.max()))
    assert changed.compute_length(Horizon()) == pytest.approx(new_total)
    assert parse(repr(changed)) == changed


@given(at=st.integers(1, 99), new_total=st.integers(100, 1000))
def test_there_is_no_jump(at: int, new_total: int) -> None:
    for schedule in (wsd(10, 60).bind(total_steps=100), Warmup(10) >> Cosine(90), Cosine(100)):
        changed = schedule.replan(new_total, at=at)
        assert changed(at) == pytest.approx(schedule(at), rel=1e-12)
        assert_array_equal(changed(range(at)), schedule(range(at)))
        assert changed(new_total) == pytest.approx(0.0, abs=1e-12)


def test_it_may_happen_again_and_prints() -> None:
    once = (Warmup(5) >> Cosine(45)).replan(95, at=20)
    assert repr(once) == "Warmup(5) >> Cosine(45).until(15) >> Cosine(45).shift(-15).stretch(2.5)"
    twice = once.replan(60, at=45)
    assert twice(45) == once(45)
    assert twice(60) == pytest.approx(0.0, abs=1e-15)
    assert (Warmup(5) >> Cosine(45)).replan(95, at=5) == Warmup(5) >> Cosine(45).stretch(2.0)


def test_a_plan_that_changes_often_stays_short() -> None:
    schedule = Warmup(10) >> Cosine(90)
    changed: Schedule = schedule
    for i in range(60):
        changed = changed.replan(100 + i + 1, at=20 + i)
        assert changed(20 + i) <= changed(19 + i)
    assert changed(160) == pytest.approx(0.0, abs=1e-12)
    assert len(repr(changed)) < 60 * 80
    assert parse(repr(changed)) == changed


def test_what_never_ends_needs_the_planned_total() -> None:
    schedule = Cosine(50) >> Constant(0.1)
    with pytest.raises(ScheduleError, match="has no end of its own, so say how many steps"):
        schedule.replan(200, at=10)
    assert schedule.replan(190, at=10, total_steps=100)(100) == pytest.approx(schedule(55))
    with pytest.raises(ScheduleError, match="has no end of its own"):
        Exponential(0.9).replan(200, at=10)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"new_total": 100, "at": 50}, "at must be a step before the planned end, 50, got 50"),
        ({"new_total": 100, "at": -1}, "at must be a step before the planned end"),
        ({"new_total": 20, "at": 20}, "new_total must be a number of steps above at, 20, got 20"),
        ({"new_total": "100", "at": 20}, "new_total must be a number of steps"),
        ({"new_total": 100, "at": 20, "total": float("nan")}, "total must be a number"),
    ],
)
def test_arguments_out_of_their_domain(words: dict, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        (Warmup(5) >> Cosine(45)).replan(**words)


def test_a_part_that_reads_a_metric_is_not_split() -> None:
    schedule = Warmup(10) >> Plateau().until(40) >> Cosine(50)
    with pytest.raises(ScheduleError, match="at must not lie within a part that reads a metric"):
        schedule.replan(200, at=30)
    assert schedule.replan(150, at=50) == Warmup(10) >> Plateau().until(40) >> Cosine(50).stretch(2)
    assert schedule.replan(190, at=10) == (
        Warmup(10) >> (Plateau().until(40) >> Cosine(50)).stretch(2)
    )


def test_an_unbound_schedule_is_bound_to_the_planned_total() -> None:
    schedule = Warmup("10%") >> Cosine()
    planned = (Warmup(10) >> Cosine(90)).replan(200, at=20)
    assert schedule.replan(200, at=20, total_steps=100) == planned
    with pytest.raises(ScheduleError, match=r"\.bind\(total="):
        (Warmup("10%") >> Cosine()).replan(100, at=20)
