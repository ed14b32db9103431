"""Grids: what may vary, and which rates lie at the edge."""

import pytest

from lrlab.errors import StudyError
from lrlab.studies.grid import checked, cross, edge_of, varied
from lrlab.training import Settings

HELD = Settings(validation=0.2)


def test_a_grid_is_every_pair_once() -> None:
    grid = cross(HELD, [0.1, 0.01, 0.1], [0.9, 0])
    assert checked((*grid, *grid)) == grid
    assert len(grid) == 4
    assert varied(grid) == ("lr", "momentum")
    assert {settings.validation for settings in grid} == {0.2}


def test_the_edge_is_of_the_rates_alone() -> None:
    grid = cross(HELD, [0.01, 0.1, 1], [0, 0.9])
    assert [edge_of(settings, grid) for settings in grid] == [True, True, False, False, True, True]
    assert not any(edge_of(settings, grid[:2]) for settings in grid[:2])  # one rate has no edge


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        ((), "a study needs settings"),
        (cross(Settings(), [0.1, 0.2], [0]), "the best of 2 settings is chosen by rows held out"),
        ((HELD, Settings(epochs=9, validation=0.2)), "not in epochs; make one study for each"),
    ],
)
def test_no_grid(grid: tuple[Settings, ...], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        checked(grid)
