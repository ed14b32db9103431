"""Types of arguments: accepted values, their canonical form, and refused values."""

import numpy as np
import pytest

from lrlab.errors import ScheduleError
from lrlab.schedules import Absolute, Cosine, Exponential, Linear, Warmup
from tests.raising import raises


def test_equal_numbers_print_alike() -> None:
    assert repr(Linear(1, np.float32(0.5), over=30.0)) == "Linear(1.0, 0.5, over=30)"
    assert repr(Linear(1, 0, over=np.int64(30))) == "Linear(1.0, 0.0, over=30)"
    assert Warmup("5.0 ep") == Warmup("5ep")
    # Equal schedules print alike, so that an id computed from their text is the same.
    assert repr(Linear(-0.0, Absolute(-0.0), over=-0.0)) == "Linear(0.0, Absolute(0.0), over=0)"
    assert repr(Exponential(0.9).affine(np.float64(-0.0), 0.5)).endswith(".affine(0.0, 0.5)")


@pytest.mark.parametrize(
    "over", [-3, float("nan"), float("inf"), "5", "5 weeks", "101%", [3], True]
)
def test_invalid_durations_are_refused(over: object) -> None:
    with raises(ScheduleError, "Cosine: over must be a non-negative duration", f"got {over!r}"):
        Cosine(over)


@pytest.mark.parametrize("level", [-0.1, float("nan"), float("inf"), "1", None, True])
def test_invalid_levels_are_refused(level: object) -> None:
    with raises(ScheduleError, "Linear: end must be a non-negative factor", f"got {level!r}"):
        Linear(1.0, level, over=3)


@pytest.mark.parametrize("rate", [-0.1, float("nan"), "1", None])
def test_invalid_absolute_rates_are_refused(rate: object) -> None:
    with raises(ScheduleError, "Absolute: value", "non-negative", f"got {rate!r}"):
        Absolute(rate)
