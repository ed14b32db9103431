"""lrlab.dialects.fastai against fastai's formulas, as functions of the fraction of the training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import fastai as ours
from lrlab.dialects import parse
from lrlab.errors import ScheduleError
from lrlab.schedules import Exponential, Schedule
from tests.dialects import foreign_fastai as theirs
from tests.dialects.function_checks import check_invalid_arguments, check_same_parameters
from tests.raising import raises

STEPS = 240  # all fractions below of it are whole
quick = settings(max_examples=25)
rates = st.floats(1e-3, 10)
maybe_rates = st.just(0.0) | rates
fractions = st.sampled_from([1 / 3, 0.25, 0.3, 0.5, 0.75, 0.85])


def check_rates(
    schedule: Schedule, curve: Callable[[float], float], total: int = STEPS, base: float = 0.3
) -> None:
    expected = np.array([curve(t / total) for t in range(total)])
    # fastai subtracts from its start, so values near 0 are as exact as the peak.
    atol = 1e-12 * expected.max()
    assert_allclose(schedule.bind(total)(range(total), base), expected, rtol=1e-12, atol=atol)


@quick
@given(maybe_rates, maybe_rates, st.floats(0.3, 4))
def test_curves(start: float, end: float, power: float) -> None:
    check_rates(ours.SchedLin(start, end), theirs.SchedLin(start, end))
    check_rates(ours.SchedCos(start, end), theirs.SchedCos(start, end))
    check_rates(ours.SchedNo(start, end), theirs.SchedNo(start, end))
    check_rates(ours.SchedPoly(start, end, power), theirs.SchedPoly(start, end, power))
    if start and end:
        check_rates(ours.SchedExp(start, end), theirs.SchedExp(start, end))


@quick
@given(fractions, maybe_rates, maybe_rates, maybe_rates)
def test_combinations(fraction: float, start: float, middle: float, end: float) -> None:
    cosines = (fraction, start, middle, end)
    check_rates(ours.combined_cos(*cosines), theirs.combined_cos(*cosines))

    def nest_curves(library: Any, turn: int) -> Any:
        lines = [library.combined_cos(*cosines), library.SchedLin(end, start)]
        return library.combine_scheds([0.5, 0.5], lines[::turn])

    check_rates(nest_curves(ours, 1), nest_curves(theirs, 1), total=10 * STEPS)
    check_rates(nest_curves(ours, -1), nest_curves(theirs, -1), total=10 * STEPS)


@quick
@given(rates, st.floats(1, 50), st.floats(1, 1e6), fractions, st.floats(0.5, 0.99))
def test_one_cycle(peak: float, div: float, final: float, rise: float, momentum: float) -> None:
    arguments = (5, peak, div, final, rise, (0.9, momentum, 0.95))
    for mine, curve in zip(
        ours.fit_one_cycle(*arguments), theirs.fit_one_cycle(*arguments), strict=True
    ):
        check_rates(mine, curve)
    for mine, curve in zip(ours.fit_one_cycle(5), theirs.fit_one_cycle(5, peak), strict=True):
        check_rates(mine, curve, base=peak)  # without lr_max, factors of the base rate


@quick
@given(rates, st.floats(1, 1e6), fractions)
def test_flat_cos(rate: float, final: float, flat: float) -> None:
    check_rates(ours.fit_flat_cos(5, rate, final, flat), theirs.fit_flat_cos(5, rate, final, flat))
    check_rates(ours.fit_flat_cos(5), theirs.fit_flat_cos(5, rate), base=rate)


@quick
@given(rates, st.integers(1, 4), st.integers(1, 3), st.integers(2, 3))
def test_sgdr(rate: float, cycles: int, length: int, growth: int) -> None:
    total = 16 * length * (growth**cycles - 1) // (growth - 1)  # 16 batches an epoch
    mine = ours.fit_sgdr(cycles, length, rate, growth).bind(total)(range(total), base=0.3)
    curve = theirs.fit_sgdr(cycles, length, rate, growth)
    # A little late, in case the sum of the fractions is just above the step where a cycle begins.
    expected = [curve(t / total + 1e-14) for t in range(total)]
    assert_allclose(mine, expected, rtol=1e-9, atol=1e-11 * rate)


@quick
@given(rates, rates, st.integers(1, 300))
def test_lr_find(start: float, end: float, count: int) -> None:
    mine = ours.lr_find(start, end, count)
    curve = theirs.lr_find(start, end, count)
    batches = max(6, count)
    expected = [curve(t / batches) for t in range(batches)]
    assert_allclose(mine(range(batches), base=0.3), expected, rtol=1e-12)


def test_parts_meet_at_whole_steps() -> None:
    mine = ours.combined_cos(0.25, 0.0, 1.0, 0.0).bind(10)(range(10), base=0.3)
    curve = theirs.combined_cos(0.25, 0.0, 1.0, 0.0)
    assert mine.max() == 1.0  # at step 3, the nearest to 2.5
    assert max(curve(t / 10) for t in range(10)) < 0.99


def test_a_text_takes_the_learning_rate_of_one_cycle() -> None:
    assert (
        parse("fastai.fit_one_cycle(5, 0.5, pct_start=0.5)")
        == ours.fit_one_cycle(5, 0.5, pct_start=0.5).lr
    )


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("SchedExp", (0.1, 0.0), ("end", "got 0.0")),
        ("SchedLin", ([0.1, 0.2], 0.0), ("start", "got [0.1, 0.2]")),
        (
            "combine_scheds",
            ([0.5, 0.4], [Exponential(0.9)] * 2),
            ("pcts", "got [0.5, 0.4] for 2 schedules"),
        ),
        (
            "combine_scheds",
            ([0.5, 0.5], [Exponential(0.9)] * 2),
            ("scheds", "got Exponential(0.9)"),
        ),
        ("fit_one_cycle", (5, slice(0.1, 0.2)), ("lr_max", "got slice(0.1, 0.2, None)")),
        ("fit_one_cycle", (5, 0.1, 25, 1e5, 0.25, (0.9, 0.8)), ("moms", "got (0.9, 0.8)")),
        ("fit_sgdr", (0, 1), ("n_cycles", "got 0")),
    ],
)
def test_errors_name_argument_and_value(
    name: str, arguments: Any, mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(*arguments)


@pytest.mark.parametrize("name", ours.__all__)
def test_invalid_arguments_raise_a_schedule_error(name: str) -> None:
    check_invalid_arguments(getattr(ours, name))


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_equal_fastais(name: str) -> None:
    check_same_parameters(getattr(ours, name), getattr(theirs, name))
