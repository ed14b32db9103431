"""Combinators and replanning, against the schedules inside them."""

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
    Continued,
    Cosine,
    Custom,
    Exponential,
    Linear,
    Plateau,
    Product,
    Schedule,
    Sequential,
    Step,
    Sum,
    Warmup,
    parse,
    wsd,
)
from lrlab.schedules.durations import Horizon
from tests.raising import raises
from tests.schedules.strategies import finite, ramps, relative, steps

# Sequences.


@given(first=finite, second=relative, t=steps)
def test_each_part_starts_at_its_step_0(first: Schedule, second: Schedule, t: list) -> None:
    end = first.compute_length(Horizon())
    expected = [first(step) if step < end else second(step - end) for step in t]
    assert_array_equal((first >> second)(t), expected)


@given(a=finite, b=finite, c=relative)
def test_grouping_of_a_sequence_does_not_matter(a: Schedule, b: Schedule, c: Schedule) -> None:
    assert (a >> b) >> c == a >> (b >> c) == Sequential((a, b, c))


@pytest.mark.parametrize(
    "endless", [Constant(1.0), Exponential(0.9), Cosine(), Warmup(5) >> Cosine()]
)
def test_nothing_follows_an_endless_part(endless: Schedule) -> None:
    with raises(ScheduleError, "has no end", ".until(30)"):
        endless >> Cosine(5)


def test_an_absolute_part_is_active_only_at_its_place() -> None:
    schedule = Linear(1.0, 0.5, over=2) >> Constant(Absolute(0.2))
    assert schedule([0, 1, 2, 3], base=0.1).tolist() == [0.1, 0.07500000000000001, 0.2, 0.2]


@pytest.mark.parametrize("other", [None, "Cosine(3)", [1]])
def test_only_schedules_can_be_combined(other: object) -> None:
    with pytest.raises(TypeError):
        Cosine(3) >> other
    with pytest.raises(TypeError):
        Cosine(3) * other
    with pytest.raises(TypeError):
        other * Cosine(3)
    with raises(ScheduleError, "then: other", repr(other)):
        Cosine(3).then(other)


@pytest.mark.parametrize("composition", [Sequential, Product])
def test_a_composition_is_flat_and_has_two_or_more_parts(composition: type) -> None:
    a, b, c = Cosine(1), Cosine(2), Cosine(3)
    assert composition((a, composition((b, c)))) == composition((a, b, c))
    for parts in ((), (a,), (a, 2)):
        with raises(ScheduleError, composition.__name__, "two schedules", repr(parts)):
            composition(parts)


@given(a=finite, b=relative, t=steps)
def test_continued_multiplies_by_the_last_factor_of_the_first(
    a: Schedule, b: Schedule, t: list
) -> None:
    end = a.compute_length(Horizon())
    expected = [a(step) if step < end else a(end) * b(step - end) for step in t]
    assert_allclose(a.then(b, join="continue")(t), expected, rtol=1e-13, atol=1e-300)


@given(a=finite, over=st.integers(1, 50), base=st.floats(1e-3, 10))
def test_continued_does_not_jump(a: Schedule, over: int, base: float) -> None:
    end = a.compute_length(Horizon())
    joined = a.then(Linear(1.0, Absolute(1e-5), over=over), join="continue")
    assert joined(end, base=base) == pytest.approx(a(end, base=base), rel=1e-12)
    assert joined(end + over, base=base) == pytest.approx(1e-5)


def test_then_refuses_what_it_cannot_join() -> None:
    with raises(ScheduleError, "join", '"restart"', "'continued'; did you mean continue?"):
        Linear(1, 0, over=3).then(Cosine(3), join="continued")
    with raises(ScheduleError, "Exponential(0.9)", ".until(30)"):
        Exponential(0.9).then(Cosine(3), join="continue")
    with raises(ScheduleError, "Continued", "two schedules", "0.5"):
        Continued(Cosine(3), 0.5)
    assert Linear(1, 0, over=3).then(Cosine(3), join="restart") == Linear(1, 0, over=3) >> Cosine(3)


def test_continued_binds_its_second_part_to_the_rest() -> None:
    schedule = Warmup("10%").then(Cosine(), join="continue").bind(total_steps=50)
    assert schedule == Warmup(5).then(Cosine(45), join="continue")


# Products, sums, bounds, maps.


@given(a=relative, b=relative, t=steps)
def test_a_product_multiplies_step_by_step(a: Schedule, b: Schedule, t: list) -> None:
    assert_allclose((a * b)(t), a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((a * b)(t, base=0.3), 0.3 * a(t) * b(t), rtol=1e-13, atol=1e-300)
    assert_allclose((0.5 * a)(t), 0.5 * a(t), rtol=1e-13, atol=1e-300)
    assert 0.5 * a == a.__rmul__(0.5)


def test_a_product_with_a_plain_factor_can_end() -> None:
    assert (0.5 * Cosine(10) >> Constant(1.0))(10) == 1.0
    with raises(ScheduleError, "Warmup(5) * Exponential(0.9)", ".until(30)"):
        Warmup(5) * Exponential(0.9) >> Cosine(5)


def test_a_product_may_have_one_absolute_part() -> None:
    schedule = Warmup(1) * Constant(Absolute(0.2))
    assert schedule([0, 1], base=0.7).tolist() == [0.1, 0.2]
    with raises(
        ScheduleError, "at most one", "Constant(Absolute(0.1)) and Constant(Absolute(0.2))"
    ):
        Constant(Absolute(0.1)) * Constant(Absolute(0.2))


def test_texts_have_only_the_parentheses_they_need() -> None:
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
def test_clip_equals_numpy(a: Schedule, low: float, width: float, t: list) -> None:
    assert_array_equal(a.clip(low, low + width)(t), np.clip(a(t), low, low + width))
    assert_array_equal(a.clip(low)(t), np.maximum(a(t), low))
    assert_array_equal(a.clip(high=low)(t), np.minimum(a(t), low))


def test_bounds_may_be_absolute() -> None:
    schedule = Exponential(0.5).clip(Absolute(0.01))
    assert schedule(100, base=0.1) == 0.01
    assert repr(schedule) == "Exponential(0.5).clip(Absolute(0.01))"
    with raises(ScheduleError, "Clip: low", "high", "0.5 and 0.1"):
        Exponential(0.5).clip(0.5, 0.1)


@given(a=relative, slope=st.floats(0, 3), offset=st.floats(0, 3), t=steps)
def test_affine_is_a_line(a: Schedule, slope: float, offset: float, t: list) -> None:
    assert_allclose(a.affine(slope, offset)(t), offset + slope * a(t), rtol=1e-13)


def test_affine_refuses_values_below_0() -> None:
    momentum = Linear(0, 1, over=10).affine(-1, 0.95)
    assert momentum(0) == 0.95
    with raises(ScheduleError, "t = 10", "-0.05"):
        momentum([0, 10])


@given(a=relative, t=st.lists(st.integers(0, 60), min_size=1))
def test_cumprod_is_a_cumulative_product(a: Schedule, t: list) -> None:
    small = a.clip(0.1, 2.0)
    expected = [np.prod([small(i) for i in range(1, step + 1)]) for step in t]
    assert_allclose(small.cumprod()(t), expected, rtol=1e-12)


def test_the_cache_of_cumprod_is_not_pickled() -> None:
    schedule = Exponential(0.999).cumprod()
    fresh = len(pickle.dumps(schedule))
    rate = schedule(10_000)
    used = pickle.dumps(schedule)
    assert len(used) < fresh + 200
    assert pickle.loads(used)(10_000) == rate


def test_cumprod_evaluates_each_factor_once() -> None:
    evaluated_steps = []

    def factor(t: int) -> float:
        evaluated_steps.append(t)
        return 0.5

    schedule = Custom(factor).cumprod()
    assert [schedule(t) for t in (3, 2, 5, 0)] == [1 / 8, 1 / 4, 1 / 32, 1.0]
    assert evaluated_steps == [1, 2, 3, 4, 5]


def test_overflow_of_float64_raises_without_a_warning() -> None:
    large = Constant(Absolute(1e308))
    for schedule in (large * Linear(3, 3, over=3), large + large, large.affine(1e10, 0)):
        with raises(ScheduleError, schedule, "t = 0", "inf"):
            schedule(0, base=0.1)


def test_schedules_without_a_cumulative_product_are_refused() -> None:
    for schedule in (Constant(Absolute(0.1)), Plateau()):
        with raises(ScheduleError, "CumulativeProduct: schedule", schedule):
            schedule.cumprod()
    with raises(ScheduleError, "CumulativeProduct: t", "ten million", "1e+08"):
        Constant(1.0).cumprod()(1e8)
    with raises(ScheduleError, "Constant(10.0).cumprod()", "finite", "inf"):
        Constant(10.0).cumprod()(400)


# Until, shift, stretch, staircase.


@given(a=relative, at=st.integers(0, 100), t=steps)
def test_until_holds_the_value_at_its_step(a: Schedule, at: int, t: list) -> None:
    assert_array_equal(a.until(at)(t), a(np.minimum(t, at)))
    assert a.then(Constant(1.0), at=at) == a.until(at) >> Constant(1.0)


@given(a=relative, by=st.integers(-100, 100), t=steps)
def test_a_shift_subtracts_from_the_step(a: Schedule, by: int, t: list) -> None:
    assert_array_equal(a.shift(by)(t), a(np.maximum(0, np.array(t) - by)))


@given(a=relative, by=st.floats(0.1, 10), t=steps)
def test_a_stretch_divides_the_step(a: Schedule, by: float, t: list) -> None:
    assert_array_equal(a.stretch(by)(t), a(np.array(t) / by))


@given(a=relative, every=st.integers(1, 50), t=st.lists(st.integers(0, 500), min_size=1))
def test_a_staircase_changes_only_at_multiples(a: Schedule, every: int, t: list) -> None:
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


def test_units_refer_to_the_whole_training() -> None:
    assert Warmup("10%").stretch(2).bind(total_steps=100) == Warmup(10).stretch(2)
    assert Cosine(30).shift("1ep").bind(steps_per_epoch=7) == Cosine(30).shift(7)
    assert Exponential(0.9).staircase("1ep").bind(steps_per_epoch=7) == Exponential(0.9).staircase(
        7
    )


def test_schedules_that_fill_the_rest_end_with_the_training() -> None:
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
    ("method", "value", "argument"),
    [
        ("shift", "x", "Shift: by"),
        ("stretch", 0, "Stretch: by"),
        ("staircase", 0, "Staircase: every"),
        ("until", -1, "Until: at"),
    ],
)
def test_invalid_arguments_of_methods_are_refused(
    method: str, value: object, argument: str
) -> None:
    with raises(ScheduleError, argument, repr(value)):
        getattr(Cosine(5), method)(value)


# Repetition.


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
def test_growing_repetitions_start_at_whole_steps(period: int, growth: int) -> None:
    schedule = Linear(1.0, 0.0, over=period).repeat(growth=growth)
    start = 0
    for n in range(8):
        assert schedule(start) == 1.0
        if start:
            assert schedule(start - 1) == pytest.approx(1 / (period * growth ** (n - 1)))
        start += period * growth**n


@pytest.mark.parametrize("total", [18, 27, 42, 490, 1100])
def test_repetitions_of_fractional_length_start_exactly_at_whole_steps(total: int) -> None:
    for times in range(1, total + 1):
        schedule = Linear(1.0, 0.0, over=total / times).repeat(times)
        whole = [k * total // times for k in range(times) if k * total % times == 0]
        assert_allclose(schedule(whole), 1.0)


def test_repetitions_together_fill_the_rest() -> None:
    assert Cosine().repeat(3).bind(total_steps=90) == Cosine(30).repeat(3)
    assert Cosine().repeat(2, growth=2).bind(total_steps=90) == Cosine(30).repeat(2, growth=2)
    bound = (Warmup(10) >> Cosine().repeat(4)).bind(total_steps=90)
    assert bound == Warmup(10) >> Cosine(20).repeat(4)


def test_without_remaining_steps_repetitions_are_at_their_end() -> None:
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
def test_endless_schedules_are_not_repeated(endless: Schedule) -> None:
    with raises(ScheduleError, "Repeat: schedule", endless, ".until(30)"):
        endless.repeat()


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"times": 0}, ("times", "a billion", "got 0")),
        ({"times": 2.5}, ("times", "2.5")),
        ({"times": 10**400}, ("times", "a billion")),
        ({"times": 10**400, "growth": 2}, ("times", "a billion")),
        ({"times": 2000, "growth": 2}, ("growth=2.0", "2000", "float64")),
        ({"growth": 0.5}, ("growth", "at least 1", "0.5")),
        ({"decay": 0}, ("decay", "positive")),
    ],
)
def test_repetitions_out_of_their_domain_are_refused(arguments: dict, mentions: tuple) -> None:
    with raises(ScheduleError, *mentions):
        Cosine(5).repeat(**arguments)


def test_a_metric_driven_schedule_is_not_repeated() -> None:
    with raises(ScheduleError, "Repeat: schedule", "metric-driven", "Plateau()"):
        Plateau().until(5).repeat()


# Replanning.


@given(a=finite, b=finite, fraction=st.floats(0, 0.99), factor=st.floats(0.1, 5))
def test_replanning_changes_nothing_before_and_stretches_the_rest(
    a: Schedule, b: Schedule, fraction: float, factor: float
) -> None:
    schedule = a >> b
    total = schedule.compute_length(Horizon())
    if total < 2:
        return
    at = int(fraction * total)
    new_total = at + factor * (total - at)
    changed = schedule.replan(new_total, at=at)
    t = np.arange(at)
    assert_allclose(changed(t), schedule(t), rtol=1e-12, atol=1e-12)
    later = np.linspace(at, new_total, 50)[:-1] + 1e-6
    expected = schedule(at + (later - at) / factor)
    assert_allclose(changed(later), expected, rtol=1e-6, atol=1e-4 * max(1e-9, expected.max()))
    assert changed.compute_length(Horizon()) == pytest.approx(new_total)
    assert parse(repr(changed)) == changed


@given(at=st.integers(1, 99), new_total=st.integers(100, 1000))
def test_replanning_does_not_jump(at: int, new_total: int) -> None:
    for schedule in (wsd(10, 60).bind(total_steps=100), Warmup(10) >> Cosine(90), Cosine(100)):
        changed = schedule.replan(new_total, at=at)
        assert changed(at) == pytest.approx(schedule(at), rel=1e-12)
        assert_array_equal(changed(range(at)), schedule(range(at)))
        assert changed(new_total) == pytest.approx(0.0, abs=1e-12)


def test_replanning_can_be_repeated_and_printed() -> None:
    once = (Warmup(5) >> Cosine(45)).replan(95, at=20)
    assert repr(once) == "Warmup(5) >> Cosine(45).until(15) >> Cosine(45).shift(-15).stretch(2.5)"
    twice = once.replan(60, at=45)
    assert twice(45) == once(45)
    assert twice(60) == pytest.approx(0.0, abs=1e-15)
    assert (Warmup(5) >> Cosine(45)).replan(95, at=5) == Warmup(5) >> Cosine(45).stretch(2.0)


def test_a_schedule_that_is_replanned_often_stays_short() -> None:
    schedule = Warmup(10) >> Cosine(90)
    changed: Schedule = schedule
    for i in range(60):
        changed = changed.replan(100 + i + 1, at=20 + i)
        assert changed(20 + i) <= changed(19 + i)
    assert changed(160) == pytest.approx(0.0, abs=1e-12)
    assert len(repr(changed)) < 60 * 80
    assert parse(repr(changed)) == changed


def test_replanning_an_endless_schedule_needs_the_planned_total() -> None:
    schedule = Cosine(50) >> Constant(0.1)
    with raises(ScheduleError, "replan:", schedule, "replan(200, at=10, total_steps=...)"):
        schedule.replan(200, at=10)
    assert schedule.replan(190, at=10, total_steps=100)(100) == pytest.approx(schedule(55))
    with raises(ScheduleError, "replan:", "Exponential(0.9)", "total_steps=..."):
        Exponential(0.9).replan(200, at=10)


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"new_total_steps": 100, "at": 50}, ("replan: at", "planned end, 50", "got 50")),
        ({"new_total_steps": 100, "at": -1}, ("replan: at", "-1")),
        ({"new_total_steps": 20, "at": 20}, ("replan: new_total_steps", "at, 20", "got 20")),
        ({"new_total_steps": "100", "at": 20}, ("replan: new_total_steps", "'100'")),
        ({"new_total_steps": 100, "at": 20, "total_steps": np.nan}, ("total_steps", "nan")),
    ],
)
def test_replanning_out_of_its_domain_is_refused(arguments: dict, mentions: tuple) -> None:
    with raises(ScheduleError, *mentions):
        (Warmup(5) >> Cosine(45)).replan(**arguments)


def test_replanning_does_not_split_a_metric_driven_part() -> None:
    schedule = Warmup(10) >> Plateau().until(40) >> Cosine(50)
    with raises(ScheduleError, "replan: at", "metric-driven", "30", "Plateau().until(40)"):
        schedule.replan(200, at=30)
    assert schedule.replan(150, at=50) == Warmup(10) >> Plateau().until(40) >> Cosine(50).stretch(2)
    assert schedule.replan(190, at=10) == (
        Warmup(10) >> (Plateau().until(40) >> Cosine(50)).stretch(2)
    )


def test_replanning_binds_to_the_planned_total() -> None:
    schedule = Warmup("10%") >> Cosine()
    planned = (Warmup(10) >> Cosine(90)).replan(200, at=20)
    assert schedule.replan(200, at=20, total_steps=100) == planned
    with raises(ScheduleError, '"10%"', "`total_steps`"):
        (Warmup("10%") >> Cosine()).replan(100, at=20)
