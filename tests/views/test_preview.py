"""Previews: numbers count every step, and the steps to draw keep every extreme."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab import Absolute, Constant, Cosine, Custom, Exponential, Formula, Linear, Step, Warmup
from lrlab.errors import ScheduleError, ViewError
from lrlab.schedules import Schedule
from lrlab.views.preview import Line, compute_preview, label_schedules, select_steps_to_draw
from tests.raising import raises
from tests.schedules.strategies import relative

quick = settings(max_examples=30)


def compute_line(schedule: Schedule, total_steps: float | None = None, **options: float) -> Line:
    return compute_preview({"it": schedule}, total_steps, **options).lines[0]


@quick
@given(relative, st.integers(1, 400), st.floats(1e-6, 10))
def test_numbers_equal_those_of_each_rate(schedule: Schedule, steps: int, base: float) -> None:
    bound = schedule.bind(total_steps=steps)
    rates = [bound(t, base=base) for t in range(steps)]
    summary = compute_line(schedule, steps, base=base).summary
    assert (summary.first, summary.last) == (rates[0], rates[-1])
    assert math.isclose(summary.peak, max(rates), rel_tol=1e-15)
    assert math.isclose(rates[summary.peak_step], max(rates), rel_tol=1e-14)
    assert_allclose(summary.area, math.fsum(rates), rtol=1e-12)
    assert_allclose(summary.mean, math.fsum(rates) / steps, rtol=1e-12)
    changes = [after - before for before, after in pairwise(rates)]
    if any(changes):
        assert summary.jump is not None
        assert summary.jump_step is not None
        assert summary.jump == changes[summary.jump_step - 1]
        assert_allclose(abs(summary.jump), max(map(abs, changes)), rtol=0, atol=1e-14 * max(rates))
    else:
        assert summary.jump is summary.jump_step is None


def test_areas_in_closed_form() -> None:
    assert compute_line(Linear(1, 0), 1000).summary.area == pytest.approx(1001 / 2, rel=1e-13)
    assert compute_line(Cosine(), 1000, base=0.2).summary.mean == pytest.approx(0.2 * 1001 / 2000)
    geometric = (1 - 0.999**5000) / (1 - 0.999)
    assert compute_line(Exponential(0.999), 5000).summary.area == pytest.approx(
        geometric, rel=1e-12
    )


def test_the_first_of_equal_steps_counts() -> None:
    warm = compute_line(Warmup(10) >> Constant(1.0), 50).summary
    assert (warm.peak_step, warm.jump_step) == (10, 1)
    assert warm.jump == pytest.approx(1 / 11)
    stairs = compute_line(Step(30), 100).summary
    assert (stairs.jump_step, stairs.jump) == (30, pytest.approx(-0.9))


def test_parts_start_at_the_first_step_they_give() -> None:
    schedule = 0.5 * (Warmup("10%") >> Constant(1.0, over="2ep") >> Cosine())
    line = compute_line(schedule, 100, steps_per_epoch=7)
    assert [(part.start_step, part.schedule) for part in line.parts] == [
        (0, Warmup(10)),
        (10, Constant(1.0, over=14)),
        (24, Cosine(76)),
    ]
    # A part that begins between two steps gives the rate from the next step.
    halves = compute_line(Constant(1.0, over=2.5) >> Constant(0.5), 6)
    assert halves.rates.tolist() == [1, 1, 1, 0.5, 0.5, 0.5]
    assert [part.start_step for part in halves.parts] == [0, 3]
    assert (
        compute_line(Warmup(10) >> Cosine(), 10).parts[-1].start_step == 0
    )  # the cosine is never reached
    assert [
        part.start_step
        for part in compute_line((Warmup(5) >> Cosine(5)).until(3) >> Step(2), 9).parts
    ] == [
        0,
        3,
    ]
    assert compute_line(Cosine(), 10).parts == ()
    continued = Warmup(4) >> Exponential(0.9).then(Cosine(6), at=5, join="continue").clip(0.1)
    assert [part.start_step for part in compute_line(continued, 20).parts] == [0, 4]
    nested = (Warmup(4) >> Cosine(6)).then(Step(3), at=8, join="continue")
    assert [(part.start_step, part.schedule) for part in compute_line(nested, 20).parts] == [
        (0, Warmup(4)),
        (4, Cosine(6)),
        (8, Step(3)),
    ]


def test_the_base_rate() -> None:
    assert compute_preview({"a": Cosine(5)}).is_relative
    assert compute_preview({"a": Cosine(5)}).unit == "rate, as a factor of the base rate"
    given_one = compute_preview({"a": Cosine(5)}, base=1.0)
    assert (given_one.is_relative, given_one.unit) == (False, "rate")
    absolute = compute_preview({"a": Cosine(5), "b": Linear(1, Absolute(0.01), over=5)})
    assert (absolute.is_relative, absolute.base) == (False, 0.1)
    assert [line.summary.first for line in absolute.lines] == [0.1, 0.1]


def test_titles() -> None:
    one_step = compute_preview(label_schedules(Cosine()), 1)
    assert one_step.title == "1 schedule · 1 step · factors of the base rate"
    preview = compute_preview(label_schedules([Cosine(), Linear(1, Absolute(0.01))]), 50)
    assert preview.title == "2 schedules · 50 steps · base rate 0.1"


def test_the_longest_end_is_the_length() -> None:
    assert compute_preview({"a": Cosine(5), "b": Warmup(3) >> Cosine(4.5)}).total_steps == 8
    assert compute_preview({"a": Cosine("2ep")}, steps_per_epoch=11).total_steps == 22
    assert compute_preview({"a": Constant(1, over=0)}).total_steps == 1


@pytest.mark.parametrize(
    ("schedule", "options", "mentions"),
    [
        (Cosine(), {}, ["Cosine()", "length of the training", "`total_steps`"]),
        (Exponential(0.9), {}, ["Exponential(0.9)", "no end", "total_steps"]),
        (Warmup("10%"), {}, ['Warmup("10%")', "length of the training", "total_steps"]),
        (Warmup("2ep"), {}, ['Warmup("2ep")', "`steps_per_epoch`"]),
        (Warmup("2ep") >> Cosine(), {"total_steps": 9}, ["`steps_per_epoch`"]),
        (Cosine(), {"total_steps": 0}, ["total_steps", "from 1 to 10000000", "got 0"]),
        (Cosine(), {"total_steps": 2.5}, ["total_steps", "got 2.5"]),
        (Cosine(), {"total_steps": math.nan}, ["total_steps", "got nan"]),
        (Cosine(1e11), {}, ["total_steps", "got 100000000000"]),
        (Constant(2), {"total_steps": 5, "base": 3e38}, ["6e+38 at step 0", "lower base rate"]),
    ],
)
def test_mistakes_are_refused(schedule: Schedule, options: dict, mentions: list[str]) -> None:
    with raises(ViewError, *mentions):
        compute_preview({"it": schedule}, **options)


def test_1_to_35_schedules_can_be_shown() -> None:
    many = label_schedules([Constant(i) for i in range(36)])
    assert len(compute_preview(dict(list(many.items())[:35]), 5).lines) == 35
    with raises(ViewError, "between 1 and 35", "got 36"):
        compute_preview(many, 5)
    with raises(ViewError, "got 0"):
        compute_preview({}, 5)


def test_errors_of_schedules_are_passed_on() -> None:
    with raises(ScheduleError, "t = 2", "-1"):
        compute_preview({"it": Formula("1 - t")}, 5)
    with raises(ScheduleError, "base", "-1"):
        compute_preview({"it": Cosine()}, 5, base=-1)


def test_labels() -> None:
    assert label_schedules(Cosine()) == {"Cosine()": Cosine()}
    assert label_schedules([Cosine(), Cosine(), Step(3)]) == {
        "Cosine()": Cosine(),
        "Step(3)": Step(3),
    }
    assert label_schedules({"mine": Cosine()}) == {"mine": Cosine()}
    functions = [Custom(lambda t: 1.0), Custom(lambda t: 2.0), Custom(lambda t: 3.0)]
    assert list(label_schedules(functions).values()) == functions
    for wrong in (3, [3], {"a": "Cosine()"}, None):
        with raises(ViewError, "schedules", "lrlab.parse"):
            label_schedules(wrong)


@quick
@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=3000),
    st.integers(1, 40),
)
def test_selected_steps_have_every_extreme(values: list[float], buckets: int) -> None:
    rates = np.array(values)
    selected = select_steps_to_draw(rates, buckets)
    assert np.all(np.diff(selected) > 0)
    assert (selected[0], selected[-1]) == (0, len(rates) - 1)
    assert {rates.min(), rates.max()} <= set(rates[selected])
    assert len(selected) <= max(4 * buckets, 1)


def test_a_short_schedule_is_drawn_whole_and_a_spike_survives() -> None:
    assert select_steps_to_draw(np.ones(5000)).tolist() == list(range(5000))
    spike = np.zeros(1_000_000)
    spike[123_457] = 1
    assert 123_457 in select_steps_to_draw(spike)
