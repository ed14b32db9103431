"""Verdicts and intervals are right as often as they say, in studies whose truth is known.

The same as ``benchmarks/calibration.py``, with fewer studies; margins are four standard errors.
"""

import json
import math
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

STUDIES = 150
MEASURED = json.loads((REPOSITORY / "benchmarks" / "results" / "calibration.json").read_text())


def compute_standard_error(share: float, studies: int = STUDIES) -> float:
    return math.sqrt(share * (1 - share) / studies)


def test_without_a_difference_few_studies_name_a_winner(calibration: ModuleType) -> None:
    for world in calibration.NULLS.values():
        found = calibration.count_false_winners(world, STUDIES)
        for shares in found.values():
            assert shares["told"]["share"] <= 0.05 + 4 * compute_standard_error(0.05)
            assert shares["named"]["share"] <= shares["told"]["share"]


def test_a_difference_of_this_data_is_none_of_new_data(calibration: ModuleType) -> None:
    for world in calibration.NULLS_OF_NEW_DATA.values():
        found = calibration.count_false_winners(world, STUDIES)
        assert found["new"]["told"]["share"] <= 0.05 + 4 * compute_standard_error(0.05)
        assert found["here"]["named"]["share"] > 0.3  # rightly


@pytest.mark.parametrize(
    "name",
    [
        "fixed test rows, 30 seeds",
        "overlapping splits, rows that suit schedules",
        "overlapping splits, classifiers",
    ],
)
def test_intervals_cover_the_truth_as_often_as_they_say(calibration: ModuleType, name: str) -> None:
    found = calibration.measure_coverage(calibration.COVERED[name], STUDIES)
    assert found
    for shares in found.values():
        # Each study is one number here, the share of its intervals: no more than one draw.
        assert 0.95 - 4 * compute_standard_error(0.95) <= shares["share"] <= 0.99


def test_on_this_data_intervals_of_classifiers_cover_too(calibration: ModuleType) -> None:
    found = calibration.measure_coverage_on_this_data(calibration.Learners(calibration.UNLIKE), 60)
    assert 0.95 - 4 * compute_standard_error(0.95, 60) <= found["share"] <= 0.99


def test_what_is_called_visible_is_seen(calibration: ModuleType) -> None:
    for reading, world in calibration.POWERS.items():
        assert (world(0.0).test_train_ratio is None) == (reading == "on this data")
        (visible,) = calibration.measure_power(reading, STUDIES, steps=[1.0])
        assert visible["share"] == pytest.approx(0.8, abs=4 * compute_standard_error(0.8))


def test_the_classifiers_truth_is_that_of_new_rows(calibration: ModuleType) -> None:
    """The closed form of their accuracy, against rows that were never trained on."""
    world = calibration.Learners((0.2, 0.6), tested=199)  # one row to train on, many to test
    random = np.random.default_rng(0)
    scores = np.array([world.draw(random).scores.mean(axis=1) for _ in range(STUDIES)])
    truth, deviation = world.truth(random, 20 * STUDIES)
    errors = np.hypot(scores.std(axis=0) / math.sqrt(STUDIES), deviation)
    assert (np.abs(scores.mean(axis=0) - truth) < 4 * errors).all()


def test_what_was_measured_keeps_the_promise() -> None:
    """In the published figures: at most 5 % false winners, and 95 to 99 % covered."""
    studies = MEASURED["studies"]
    assert studies == 2000
    for readings in MEASURED["none"].values():
        for shares in readings.values():
            assert shares["named"]["share"] <= 0.05
            assert shares["told"]["share"] <= 0.05 + 3 * compute_standard_error(0.05, studies)
    for columns in MEASURED["tuned"].values():
        assert columns["here"]["share"] <= 0.05
        assert "new" not in columns or columns["new"]["share"] <= 0.05
    for readings in MEASURED["none of new data"].values():
        assert readings["new"]["named"]["share"] <= 0.05
    for shares in (shares for name in MEASURED["coverage"].values() for shares in name.values()):
        assert shares["share"] >= 0.95 - 3 * shares["error"]
    for name in ("rows that suit schedules", "classifiers"):
        assert MEASURED["coverage"][f"overlapping splits, {name}"]["new"]["share"] <= 0.99


def test_the_document_has_what_was_measured(calibration: ModuleType) -> None:
    assert (
        calibration.format_tables(MEASURED) in (REPOSITORY / "docs" / "statistics.md").read_text()
    )
