"""What is true of every schedule."""

import dataclasses
import importlib
import inspect
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import lrlab
import lrlab.schedules
from lrlab.errors import ScheduleError
from lrlab.schedules import EXPORTS, Absolute, Cosine, Exponential, Linear, Schedule, Warmup, parse
from lrlab.schedules.parser import BUILTIN_BUILDERS
from tests.schedules.slow import slow
from tests.schedules.strategies import planned, relative, schedules, steps, trees


@given(schedule=schedules, t=steps)
def test_scalars_and_arrays_of_any_shape_give_the_same_bits(schedule: Schedule, t: list) -> None:
    rates = schedule(t, base=0.1)
    assert_array_equal(rates, [schedule(step, base=0.1) for step in t])
    assert_array_equal(schedule(np.array([t, t]).T, base=0.1), np.array([rates, rates]).T)
    assert_array_equal(schedule(np.array(t * 5)[::5], base=0.1), schedule((t * 5)[::5], base=0.1))


@given(
    schedule=planned,
    total=st.integers(30, 400),
    epoch=st.integers(2, 20),
    base=st.floats(0.01, 2),
    t=st.lists(st.integers(0, 500), min_size=1, max_size=20),
)
def test_combinators_are_what_their_slow_twin_says(
    schedule: Schedule, total: int, epoch: int, base: float, t: list[int]
) -> None:
    bound = schedule.bind(total_steps=total, steps_per_epoch=epoch)
    assert bound.bind(total_steps=7, steps_per_epoch=3) == bound
    # Off the boundaries, which may be summed up to other last bits.
    between = [step + 0.387 for step in t]
    expected = [slow(bound, step, base) for step in between]
    assert_allclose(bound(between, base=base), expected, rtol=1e-9, atol=1e-12)


@given(schedule=trees(4), base=st.floats(0.01, 2), t=steps)
def test_relative_combinators_are_too(schedule: Schedule, base: float, t: list[float]) -> None:
    between = [int(step) + 0.387 for step in t]
    expected = [slow(schedule, step, base) for step in between]
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


def test_kinds_of_result() -> None:
    schedule = Linear(1.0, 0.5, over=30)
    assert type(schedule(3)) is float
    assert type(schedule(np.int64(3))) is float
    assert schedule([]).shape == (0,)
    assert schedule(np.arange(6).reshape(2, 3)).shape == (2, 3)
    assert schedule(range(3)).dtype == np.float64


@pytest.mark.parametrize(
    ("t", "said"),
    [
        (-1, "t must be 0 or more"),
        ([0, -0.5], "t must be 0 or more"),
        (float("nan"), "t must be 0 or more"),
        ([0, float("inf")], r"t must be at most 2\*\*53"),
        (2**53 + 2, r"t must be at most 2\*\*53"),
        ("soon", "t must be a step"),
        ("3", "t must be a step"),
        ([[1], [2, 3]], "t must be a step"),
        (None, "t must be"),
    ],
)
def test_steps_that_are_none(t: object, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        Cosine(4)(t)


@pytest.mark.parametrize("base", [-0.1, float("nan"), float("inf"), "0.1", True])
def test_base_rates_that_are_none(base: object) -> None:
    with pytest.raises(ScheduleError, match="base must be a rate of 0 or more"):
        Cosine(4)(1, base=base)


def test_a_rate_beyond_float64_is_an_error_and_no_warning() -> None:
    with pytest.raises(ScheduleError, match="at base rate 1e\\+300 it is beyond float64"):
        Linear(1e10, 1e10, over=3)(0, base=1e300)


def test_an_absolute_rate_needs_the_base_rate() -> None:
    schedule = Cosine(4, end=Absolute(0.01))
    assert not schedule.is_relative
    assert schedule(4, base=0.1) == 0.01
    assert schedule(0, base=0.1) == 0.1
    with pytest.raises(ScheduleError, match=r"schedule\(t, base=0.1\)"):
        schedule(4)


def test_an_unbound_schedule_says_what_is_missing() -> None:
    with pytest.raises(ScheduleError, match=r"Cosine\(\) takes the rest.*bind\(total="):
        Cosine()(3)
    with pytest.raises(ScheduleError, match=r'"10%" is a share.*bind\(total='):
        Warmup("10%")(3)
    with pytest.raises(ScheduleError, match=r'"5ep" counts epochs.*bind\(epoch='):
        Warmup("5ep")(3)
    with pytest.raises(ScheduleError, match=r"bind\(total="):
        (Warmup(5) >> Cosine())(2)  # also where the missing part does not rule yet


@given(schedule=schedules)
def test_bound_schedules_stay_as_they_are(schedule: Schedule) -> None:
    assert schedule.bind(total_steps=1000, steps_per_epoch=10) == schedule.bind(
        total_steps=1000
    ).bind(total_steps=50)


@pytest.mark.parametrize("total", [0, -5, float("nan"), "50"])
def test_totals_that_are_none(total: object) -> None:
    with pytest.raises(ScheduleError, match="total must be a number of steps above 0"):
        Cosine().bind(total_steps=total)


def test_numbers_are_kept_in_one_spelling() -> None:
    assert repr(Linear(1, np.float32(0.5), over=30.0)) == "Linear(1.0, 0.5, over=30)"
    assert repr(Linear(1, 0, over=np.int64(30))) == "Linear(1.0, 0.0, over=30)"
    assert Warmup("5.0 ep") == Warmup("5ep")
    # Equal schedules print alike, so that an id computed from the text is that of the schedule.
    assert repr(Linear(-0.0, Absolute(-0.0), over=-0.0)) == "Linear(0.0, Absolute(0.0), over=0)"
    assert repr(Exponential(0.9).affine(np.float64(-0.0), 0.5)).endswith(".affine(0.0, 0.5)")


def test_numpy_numbers_multiply_schedules_too() -> None:
    assert np.float64(0.5) * Exponential(0.9) == 0.5 * Exponential(0.9)


def test_a_shape_of_ones_own_needs_its_formula_alone() -> None:
    from lrlab.schedules import Primitive
    from lrlab.schedules.fields import Positive

    @dataclasses.dataclass(frozen=True, repr=False)
    class Sqrt(Primitive):
        scale: Positive

        def evaluate(self, t, base):
            return base / np.sqrt(1 + t / self.scale)

    assert repr(Warmup(3) * Sqrt(2)) == "Warmup(3) * Sqrt(2.0)"
    assert Sqrt(4)(12) == 0.5
    assert parse("Warmup(3) * Sqrt(2)", {"Warmup": Warmup, "Sqrt": Sqrt}) == Warmup(3) * Sqrt(2)
    with pytest.raises(ScheduleError, match="Sqrt: scale must be a number above 0, got -1"):
        Sqrt(-1)


def test_every_shape_is_documented_in_full() -> None:
    for name, shape in BUILTIN_BUILDERS.items():
        whole = ("rate(t) =", "Args:", "Raises:", "Source:", ">>>")
        is_shape = inspect.isclass(shape) and issubclass(shape, Schedule)
        for word in whole if is_shape else (">>>",):
            assert word in (shape.__doc__ or ""), f"{name} lacks {word}"


@pytest.mark.parametrize("room", EXPORTS)
def test_every_public_name_of_a_room_is_exported(room: str) -> None:
    module = importlib.import_module(f"lrlab.schedules.{room}")
    assert sorted(module.__all__) == sorted(EXPORTS[room])
    for name in EXPORTS[room]:
        assert getattr(lrlab.schedules, name) is getattr(module, name)
        # lrlab.parse knows the other libraries' names too.
        assert name == "parse" or getattr(lrlab, name) is getattr(module, name)
        assert name in lrlab.__all__
        assert name in dir(lrlab.schedules)


def test_a_name_that_is_none() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Cosin'"):
        lrlab.schedules.Cosin  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Cosin'"):
        lrlab.Cosin  # noqa: B018


@given(schedule=schedules)
def test_long_arrays_are_evaluated_in_pieces_that_do_not_show(schedule: Schedule) -> None:
    t = np.arange(70_000) % 997
    rates = schedule(t, base=0.1)
    assert_array_equal(rates[:997], schedule(t[:997], base=0.1))
    assert_array_equal(rates[-997:], schedule(t[-997:], base=0.1))
