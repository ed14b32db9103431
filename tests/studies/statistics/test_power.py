"""Power against simulated studies and against statistics that SciPy has."""

import math

import numpy as np
import pytest
from scipy import stats

from lrlab.studies.statistics.paired import (
    MAX_SEEDS,
    POWER,
    compute_min_detectable,
    count_seeds_needed,
)

MANY = 20_000


@pytest.mark.parametrize("level", [0.05, 0.05 / 11])
@pytest.mark.parametrize("seeds", [2, 3, 5, 30])
def test_the_smallest_visible_difference_is_seen_as_often_as_it_says(
    seeds: int, level: float
) -> None:
    difference = compute_min_detectable(seeds, level) / math.sqrt(seeds)
    samples = np.random.default_rng(0).normal(difference, 1.0, (MANY, seeds))
    seen = stats.ttest_1samp(samples, 0, axis=1).pvalue < level
    assert seen.mean() == pytest.approx(POWER, abs=4 * math.sqrt(0.8 * 0.2 / MANY))


@pytest.mark.parametrize("overlap", [0.0, 0.1])
def test_so_many_seeds_see_a_difference_and_one_less_does_not(overlap: float) -> None:
    def power(effect: float, seeds: int) -> float:
        limit = stats.t.isf(0.025, seeds - 1)
        return float(stats.nct.sf(limit, seeds - 1, effect / math.sqrt(1 / seeds + overlap)))

    for effect in (1.0, 1.5, 3.0):
        seeds = count_seeds_needed(effect, 0.05, overlap)
        assert seeds is not None
        assert power(effect, seeds) >= POWER - 1e-6
        assert power(effect, seeds - 1) < POWER


def test_no_number_of_seeds_does_where_the_floor_is_too_high() -> None:
    # Infinitely many seeds see (1.960 + 0.842) standard errors, of which each is sqrt(0.4).
    floor = (stats.norm.isf(0.025) + stats.norm.isf(0.2)) * math.sqrt(0.4)
    assert count_seeds_needed(floor * 0.999, 0.05, 0.4) is None
    assert count_seeds_needed(floor * 1.001, 0.05, 0.4) is not None
    assert count_seeds_needed(0.0, 0.05) is None
    least = 2.801612 / math.sqrt(MAX_SEEDS)
    assert count_seeds_needed(least * 0.999, 0.05) is None
    assert count_seeds_needed(least * 1.001, 0.05) is not None
