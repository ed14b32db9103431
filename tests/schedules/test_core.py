"""Properties of every schedule: evaluation, binding, equality; user-defined primitives."""

import dataclasses
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Cosine,
    Exponential,
    Linear,
    Primitive,
    Schedule,
    Warmup,
    parse,
)
from lrlab.schedules.fields import Positive
from tests.raising import raises
from tests.schedules.builders import BUILTIN_BUILDERS
from tests.schedules.reference_evaluation import compute_rate
from tests.schedules.strategies import make_trees, relative, schedules, steps, unbound_schedules


@given(schedule=schedules, t=steps)
def test_scalars_and_arrays_of_any_shape_give_the_same_bits(schedule: Schedule, t: list) -> None:
    rates = schedule(t, base=0.1)
    assert_array_equal(rates, [schedule(step, base=0.1) for step in t])
    assert_array_equal(schedule(np.array([t, t]).T, base=0.1), np.array([rates, rates]).T)
    assert_array_equal(schedule(np.array(t * 5)[::5], base=0.1), schedule((t * 5)[::5], base=0.1))


@given(
    schedule=unbound_schedules,
    total=st.integers(30, 400),
    epoch=st.integers(2, 20),
    base=st.floats(0.01, 2),
    t=st.lists(st.integers(0, 500), min_size=1, max_size=20),
)
def test_combinators_equal_their_reference(
    schedule: Schedule, total: int, epoch: int, base: float, t: list[int]
) -> None:
    bound = schedule.bind(total_steps=total, steps_per_epoch=epoch)
    assert bound.bind(total_steps=7, steps_per_epoch=3) == bound
    # Off the boundaries, which may be summed up to other last bits.
    between = [step + 0.387 for step in t]
    expected = [compute_rate(bound, step, base) for step in between]
    assert_allclose(bound(between, base=base), expected, rtol=1e-9, atol=1e-12)


@given(schedule=make_trees(4), base=st.floats(0.01, 2), t=steps)
def test_relative_combinators_equal_their_reference(
    schedule: Schedule, base: float, t: list[float]
) -> None:
    between = [int(step) + 0.387 for step in t]
    expected = [compute_rate(schedule, step, base) for step in between]
    assert_allclose(schedule(between, base=base), expected, rtol=1e-9, atol=1e-12)


@given(schedule=relative, t=steps)
def test_a_relative_schedule_is_the_base_rate_times_a_factor(schedule: Schedule, t: list) -> None:
    assert schedule.is_relative
    assert_array_equal(schedule(t, base=0.3), 0.3 * schedule(t))


@given(schedule=schedules, t=steps)
def test_evaluation_has_no_memory(schedule: Schedule, t: list) -> None:
    before = schedule(t, base=0.1)
    schedule(list(reversed(t)), base=0.7)
    assert_array_equal(schedule(t, base=0.1), before)


@given(schedule=schedules)
def test_schedules_are_values(schedule: Schedule) -> None:
    schedule(0, base=0.1)  # evaluation must leave no trace in what is compared or copied
    copy = pickle.loads(pickle.dumps(schedule))
    assert copy == schedule
    assert hash(copy) == hash(schedule)
    assert repr(copy) == repr(schedule)
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.over = 3


def test_types_of_results() -> None:
    schedule = Linear(1.0, 0.5, over=30)
    assert type(schedule(3)) is float
    assert type(schedule(np.int64(3))) is float
    assert schedule([]).shape == (0,)
    assert schedule(np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert schedule(range(3)).dtype == np.float64


@pytest.mark.parametrize(
    ("t", "mentions"),
    [
        (-1, ("0 or more", "-1")),
        ([0, -0.5], ("0 or more", "-0.5")),
        (float("nan"), ("0 or more", "nan")),
        ([0, float("inf")], ("at most 2**53", "inf")),
        (2**53 + 2, ("at most 2**53", "9007199254740994")),
        ("soon", ("a step", "'soon'")),
        ("3", ("a step", "'3'")),
        ([[1], [2, 3]], ("a step", "[[1], [2, 3]]")),
        (None, ("None",)),
    ],
)
def test_invalid_steps_are_refused(t: object, mentions: tuple[str, ...]) -> None:
    with raises(ScheduleError, "t must be", *mentions):
        Cosine(4)(t)


@pytest.mark.parametrize("base", [-0.1, float("nan"), float("inf"), "0.1", True])
def test_invalid_base_rates_are_refused(base: object) -> None:
    with raises(ScheduleError, "base must be", "non-negative", repr(base)):
        Cosine(4)(1, base=base)


def test_a_rate_beyond_float64_raises_without_a_warning() -> None:
    with raises(ScheduleError, "base rate 1e+300", "float64"):
        Linear(1e10, 1e10, over=3)(0, base=1e300)


def test_an_absolute_rate_needs_the_base_rate() -> None:
    schedule = Cosine(4, end=Absolute(0.01))
    assert not schedule.is_relative
    assert schedule(4, base=0.1) == 0.01
    assert schedule(0, base=0.1) == 0.1
    with raises(ScheduleError, schedule, "schedule(t, base=0.1)"):
        schedule(4)


def test_an_unbound_schedule_names_what_is_missing() -> None:
    with raises(ScheduleError, "Cosine()", "`total_steps`"):
        Cosine()(3)
    with raises(ScheduleError, '"10%"', "`total_steps`"):
        Warmup("10%")(3)
    with raises(ScheduleError, '"5ep"', "`steps_per_epoch`"):
        Warmup("5ep")(3)
    with raises(ScheduleError, "Cosine()", "`total_steps`"):
        (Warmup(5) >> Cosine())(2)  # also before the unbound part starts


@given(schedule=schedules)
def test_binding_again_changes_nothing(schedule: Schedule) -> None:
    assert schedule.bind(total_steps=1000, steps_per_epoch=10) == schedule.bind(
        total_steps=1000
    ).bind(total_steps=50)


@pytest.mark.parametrize("total", [0, -5, float("nan"), "50"])
def test_invalid_lengths_are_refused(total: object) -> None:
    with raises(ScheduleError, "bind: total_steps", "positive", repr(total)):
        Cosine().bind(total_steps=total)
    with raises(ScheduleError, "bind: steps_per_epoch", "positive", repr(total)):
        Cosine().bind(steps_per_epoch=total)


def test_numpy_numbers_multiply_schedules_too() -> None:
    assert np.float64(0.5) * Exponential(0.9) == 0.5 * Exponential(0.9)


def test_a_user_defined_primitive_needs_only_its_formula() -> None:
    @dataclasses.dataclass(frozen=True, repr=False)
    class Sqrt(Primitive):
        scale: Positive

        def evaluate(self, t, base):
            return base / np.sqrt(1 + t / self.scale)

    assert repr(Warmup(3) * Sqrt(2)) == "Warmup(3) * Sqrt(2.0)"
    assert Sqrt(4)(12) == 0.5
    assert parse("Warmup(3) * Sqrt(2)") == Warmup(3) * Sqrt(2)
    with raises(ScheduleError, "Sqrt: scale", "positive", "-1"):
        Sqrt(-1)


def test_every_primitive_and_recipe_is_documented() -> None:
    for name, builder in BUILTIN_BUILDERS.items():
        is_primitive = inspect.isclass(builder) and issubclass(builder, Schedule)
        sections = ("rate(t) =", "Args:", "Raises:", "Source:", ">>>") if is_primitive else (">>>",)
        for section in sections:
            assert section in (builder.__doc__ or ""), f"{name} lacks {section}"


@given(schedule=schedules)
def test_long_arrays_give_the_same_rates_as_short_ones(schedule: Schedule) -> None:
    t = np.arange(70_000) % 997
    rates = schedule(t, base=0.1)
    assert_array_equal(rates[:997], schedule(t[:997], base=0.1))
    assert_array_equal(rates[-997:], schedule(t[-997:], base=0.1))
