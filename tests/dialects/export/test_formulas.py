"""to_formula: a schedule's formula has the schedule's rates."""

import numpy as np
import pytest
from hypothesis import given, reject, settings
from numpy.testing import assert_allclose

from lrlab.dialects.export.formulas import to_formula
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Chebyshev,
    Cosine,
    Custom,
    Exponential,
    Formula,
    Greedy,
    Linear,
    LogWarmup,
    Noise,
    PiecewiseConstant,
    PiecewiseInterpolate,
    Plateau,
    RadamWarmup,
    Schedule,
    Step,
    Warmup,
)
from tests.dialects.export.strategies import BASE, STEPS, schedules
from tests.raising import raises


def write_formula(schedule: Schedule) -> str:
    """Write the formula; skip the few drawn schedules that have none."""
    try:
        return to_formula(schedule, BASE)
    except ScheduleError as error:
        refused = str(error)
    assert any(
        reason in refused for reason in ("cycles grow longer", "is longer than", "from a rate of 0")
    )
    return reject()


@settings(max_examples=300)
@given(schedule=schedules)
def test_a_formula_has_the_rates_of_the_schedule(schedule: Schedule) -> None:
    text = write_formula(schedule)
    steps = np.arange(STEPS)
    expected = schedule(steps, base=BASE)
    # Numbers in the formula have 15 digits, and 1 + cos cancels near 0.
    atol = 1e-12 * max(1.0, expected.max())
    assert_allclose(Formula(text)(steps, base=BASE), expected, rtol=1e-9, atol=atol)


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        (Cosine(45), "(1 + cos(pi * min(t, 45) / 45)) / 2"),
        (Linear(0.2, 1.0, over=5), "0.2 + 0.8 * min(t, 5) / 5"),
        (Warmup(5), "min(t + 1, 6) / 6"),
        (Exponential(0.9), "0.9 ** t"),
        (Step(3, 0.5) * Exponential(0.9, every=2), "(0.5 ** (t // 3)) * (0.9 ** (t / 2))"),
        (
            Warmup(5) >> Cosine(9),
            "(t < 5) * (min(t + 1, 6) / 6) + (t >= 5) * "
            "((1 + cos(pi * min(max(t - 5, 0), 9) / 9)) / 2)",
        ),
        (LogWarmup(0), "1.0"),
        (PiecewiseConstant([2], [1.0, 0.5]), "(t < 2) * 1.0 + (t >= 2) * 0.5"),
    ],
)
def test_formulas_are_short(schedule: Schedule, text: str) -> None:
    assert to_formula(schedule) == text


@pytest.mark.parametrize(
    "schedule",
    [
        Custom(lambda t: 1.0),
        Noise(0.1, seed=1),
        Chebyshev(8, 10),
        RadamWarmup(),
        Plateau(),
        Greedy(),
        Exponential(0.9).cumprod(),
        Cosine(5).repeat(growth=2),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_schedules_without_a_formula_are_refused(schedule: Schedule) -> None:
    with raises(ScheduleError, "formula", schedule):
        to_formula(Warmup(5) >> schedule)


def test_an_absolute_rate_needs_the_base_rate() -> None:
    for schedule in (
        Cosine(5, end=Absolute(0.1)),
        PiecewiseInterpolate([0, 2], [1.0, Absolute(0.1)]),
    ):
        with raises(ScheduleError, "base", "Absolute(0.1)"):
            to_formula(schedule)
