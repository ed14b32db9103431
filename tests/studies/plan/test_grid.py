"""Grids: what may vary in them, their edges, extensions and midpoints."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, sampled_from

from lrlab.errors import StudyError
from lrlab.studies.plan.grid import (
    build_grid,
    build_midpoints,
    check_grid,
    compute_extension_lr,
    find_edge_side,
    find_varied_hyperparameters,
)
from lrlab.training import OPTIMIZERS, Settings
from tests.raising import raises

VALIDATED = Settings(validation_size=0.2)


def test_a_grid_has_every_pair_once() -> None:
    grid = build_grid(VALIDATED, [0.1, 0.01, 0.1], [0.9, 0])
    assert check_grid((*grid, *grid)) == grid
    assert len(grid) == 4
    assert find_varied_hyperparameters(grid) == ("lr", "momentum")
    assert {settings.validation_size for settings in grid} == {0.2}


def test_only_several_learning_rates_have_an_edge() -> None:
    assert [find_edge_side(lr, [0.01, 0.1, 1]) for lr in (0.01, 0.1, 1)] == [-1, 0, 1]
    assert find_edge_side(0.1, [0.1]) == 0


@given(
    lowest=floats(1e-8, 10),
    ratio=floats(1.05, 100),
    count=integers(2, 8),
    side=sampled_from([-1, 1]),
)
def test_extensions_continue_the_steps_of_the_grid(
    lowest: float, ratio: float, count: int, side: int
) -> None:
    lrs = [lowest * ratio**i for i in range(count)]
    edge = lrs[-1] if side > 0 else lrs[0]
    extended = np.array([edge] + [compute_extension_lr(lrs, side, i) for i in range(1, 5)])
    steps = side * np.diff(np.log(extended)) / math.log(ratio)
    assert ((steps >= 0.5 - 1e-9) & (steps <= 1.5 + 1e-9)).all()


@given(lowest=floats(1e-300, 1e9), ratio=floats(1 + 1e-6, 1e6), count=integers(1, 5))
def test_midpoints_are_about_halfway_between_neighbors(
    lowest: float, ratio: float, count: int
) -> None:
    grid = build_grid(VALIDATED, [lowest * ratio**i for i in range(count)], [0, 0.9])
    midpoints = build_midpoints(grid)
    assert len(midpoints) == len(grid) - 2
    logs = np.log(sorted({settings.lr for settings in (*grid, *midpoints)})) / math.log(ratio)
    assert (np.abs(np.diff(logs) - 0.5) < 0.125 + 1e-6).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_extensions_of_default_grids_begin_with_1_or_3(optimizer: str) -> None:
    lrs = OPTIMIZERS[optimizer].lr_grid
    added = [compute_extension_lr(lrs, side, i) for side in (-1, 1) for i in (1, 2, 3)]
    assert {f"{lr:e}"[0] for lr in (*lrs, *added)} == {"1", "3"}
    assert {float(f"{lr:.0e}") for lr in added} == set(added)


@pytest.mark.parametrize(
    ("grid", "mentions"),
    [
        ((), ["Settings()", "none"]),
        ((VALIDATED, Settings(epochs=9, validation_size=0.2)), ["epochs"]),
    ],
)
def test_invalid_grids_are_rejected(grid: tuple[Settings, ...], mentions: list[str]) -> None:
    with raises(StudyError, *mentions):
        check_grid(grid)
