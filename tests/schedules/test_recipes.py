"""Recipes against the formulas of their papers and libraries."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Schedule,
    flat_cosine,
    infinite,
    one_cycle,
    parse,
    range_test,
    restarts,
    rsqrt,
    slanted_triangular,
    tri_stage,
    triangular,
    triangular2,
    wsd,
)
from tests.raising import raises


@pytest.mark.parametrize(
    "recipe",
    [
        one_cycle(),
        one_cycle("45%", "45%"),
        wsd(),
        wsd("2ep", "70%", curve="linear", end=0.1),
        infinite("10%", "30%", "30%"),
        flat_cosine(),
        tri_stage("10%", "40%"),
        slanted_triangular(),
        rsqrt("5%", "10%", stable="80%"),
        triangular("10%"),
        triangular2("10%"),
        restarts(["30%", "70%"], [1.0, 0.5]),
    ],
    ids=repr,
)
def test_recipes_are_compositions_that_peak_at_the_base_rate(recipe: Schedule) -> None:
    assert parse(repr(recipe)) == recipe
    rates = recipe.bind(total_steps=1000, steps_per_epoch=20)(range(1000))
    assert rates.max() == pytest.approx(1.0, abs=0.02)
    assert rates.min() >= 0


@given(total=st.integers(20, 500), cut=st.floats(0.05, 0.9), ratio=st.floats(2, 64))
def test_slanted_triangular_equals_the_papers_formula(total: int, cut: float, ratio: float) -> None:
    rise = max(1, round(total * cut))

    def paper(t: int) -> float:
        p = t / rise if t < rise else 1 - (t - rise) / (total - rise)
        return (1 + p * (ratio - 1)) / ratio

    ours = slanted_triangular(rise, ratio=ratio).bind(total_steps=total)
    assert_allclose(ours(range(total)), [paper(t) for t in range(total)], rtol=1e-12)


@given(half=st.integers(1, 60), low=st.floats(0, 0.9), decay=st.sampled_from([1.0, 0.5, 0.9]))
def test_triangular_equals_the_papers_formula(half: int, low: float, decay: float) -> None:
    def paper(t: int) -> float:
        cycle = math.floor(1 + t / (2 * half))
        x = abs(t / half - 2 * cycle + 1)
        return low + (1 - low) * max(0.0, 1 - x) * decay ** (cycle - 1)

    ours = triangular(half, low=low, decay=decay)(range(300))
    assert_allclose(ours, [paper(t) for t in range(300)], rtol=1e-9, atol=1e-12)


@given(warmup=st.integers(1, 50), tau=st.integers(1, 100), cool=st.integers(1, 50))
def test_rsqrt_equals_big_vision(warmup: int, tau: int, cool: int) -> None:
    total = warmup + cool + 100

    def big_vision(t: int) -> float:
        rate = 1 / math.sqrt(1 + max(0, t - warmup) / tau)
        return rate * min(1.0, t / warmup) * min(1.0, (total - t) / cool)

    ours = rsqrt(warmup, tau, stable=total - cool).bind(total_steps=total)
    assert_allclose(ours(range(total)), [big_vision(t) for t in range(total)], rtol=1e-12)


@given(warmup=st.integers(1, 50), hold=st.integers(1, 50), decay=st.integers(1, 100))
def test_tri_stage_equals_fairseq(warmup: int, hold: int, decay: int) -> None:
    def fairseq(t: int) -> float:
        if t < warmup:
            return 0.01 + (1 - 0.01) / warmup * t
        if t < warmup + hold:
            return 1.0
        return math.exp(-(-math.log(0.01) / decay) * (t - warmup - hold))

    total = warmup + hold + decay
    ours = tri_stage(warmup, hold).bind(total_steps=total)
    assert_allclose(ours(range(total)), [fairseq(t) for t in range(total)], rtol=1e-12)


@given(low=st.floats(1e-8, 1e-3), high=st.floats(1e-2, 10), total=st.integers(10, 300))
def test_a_range_test_multiplies_by_equal_factors(low: float, high: float, total: int) -> None:
    rates = range_test(low, high).bind(total_steps=total)(range(total + 1), base=0.1)
    assert_allclose(rates, np.geomspace(low, high, total + 1), rtol=1e-12)


def test_restarts() -> None:
    assert restarts([10]) == parse("Cosine(10)")
    rates = restarts([10, 20, 30], [1.0, 0.5, 0.25])(np.array([0, 10, 30, 60]))
    assert rates.tolist() == [1.0, 0.5, 0.25, 0.0]


@pytest.mark.parametrize(
    ("build", "mentions"),
    [
        (lambda: restarts([]), ("restarts: periods", "got none")),
        (lambda: restarts([5, 5], [1.0]), ("restarts: weights", "got 1 for 2")),
        (lambda: restarts(5), ("restarts: periods", "a list", "got 5")),
        (lambda: restarts([5], 1.0), ("restarts: weights", "a list", "got 1.0")),
        (lambda: slanted_triangular(ratio=0), ("slanted_triangular: ratio", "got 0")),
        (lambda: triangular2(4, low=2), ("triangular: low", "from 0 to 1", "got 2")),
        (lambda: triangular(-4), ("over", "got -4")),
        (lambda: wsd(curve="qubic"), ("curve", "got 'qubic'")),
    ],
)
def test_arguments_out_of_their_domain_are_refused(
    build: Callable[[], Schedule], mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        build()
