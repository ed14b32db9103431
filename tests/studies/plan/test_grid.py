"""Grids: what may vary, which rates lie at the edge, and what lies beyond it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, sampled_from

from lrlab.errors import StudyError
from lrlab.studies.plan.grid import (
    LR_GRIDS,
    build_grid,
    build_midpoints,
    check_grid,
    compute_extension_lr,
    find_edge_side,
    find_varied_hyperparameters,
)
from lrlab.training import OPTIMIZER_HYPERPARAMETERS, Settings
from tests.raising import raises

HELD = Settings(validation_size=0.2)


def test_a_grid_is_every_pair_once() -> None:
    grid = build_grid(HELD, [0.1, 0.01, 0.1], [0.9, 0])
    assert check_grid((*grid, *grid)) == grid
    assert len(grid) == 4
    assert find_varied_hyperparameters(grid) == ("lr", "momentum")
    assert {settings.validation_size for settings in grid} == {0.2}


def test_the_edge_is_one_of_several_rates() -> None:
    assert [find_edge_side(rate, [0.01, 0.1, 1]) for rate in (0.01, 0.1, 1)] == [-1, 0, 1]
    assert find_edge_side(0.1, [0.1]) == 0


@given(
    lowest=floats(1e-8, 10),
    ratio=floats(1.05, 100),
    count=integers(2, 8),
    side=sampled_from([-1, 1]),
)
def test_what_lies_beyond_goes_on_as_the_grid_does(
    lowest: float, ratio: float, count: int, side: int
) -> None:
    rates = [lowest * ratio**i for i in range(count)]
    end = rates[-1] if side > 0 else rates[0]
    further = np.array(
        [end] + [compute_extension_lr(rates, side, number) for number in range(1, 5)]
    )
    steps = side * np.diff(np.log(further)) / math.log(ratio)
    assert ((steps >= 0.5 - 1e-9) & (steps <= 1.5 + 1e-9)).all()


@given(lowest=floats(1e-300, 1e9), ratio=floats(1 + 1e-6, 1e6), count=integers(1, 5))
def test_halfway_lies_well_between_neighbours(lowest: float, ratio: float, count: int) -> None:
    grid = build_grid(HELD, [lowest * ratio**i for i in range(count)], [0, 0.9])
    more = build_midpoints(grid)
    assert len(more) == len(grid) - 2
    logs = np.log(sorted({settings.lr for settings in (*grid, *more)})) / math.log(ratio)
    assert (np.abs(np.diff(logs) - 0.5) < 0.125 + 1e-6).all()


@pytest.mark.parametrize("optimizer", OPTIMIZER_HYPERPARAMETERS)
def test_the_usual_rates_go_on_in_ones_and_threes(optimizer: str) -> None:
    rates = LR_GRIDS[optimizer]
    further = [
        compute_extension_lr(rates, side, number) for side in (-1, 1) for number in (1, 2, 3)
    ]
    assert {f"{rate:e}"[0] for rate in (*rates, *further)} == {"1", "3"}
    assert {float(f"{rate:.0e}") for rate in further} == set(further)


@pytest.mark.parametrize(
    ("grid", "mentions"),
    [
        ((), ["Settings()", "none"]),
        ((HELD, Settings(epochs=9, validation_size=0.2)), ["epochs"]),
    ],
)
def test_no_grid(grid: tuple[Settings, ...], mentions: list[str]) -> None:
    with raises(StudyError, *mentions):
        check_grid(grid)
