"""Verdicts and intervals are right as often as promised, in simulated studies with known truth.

These are the checks of ``benchmarks/calibration.py`` with fewer studies. Margins are four standard
errors.
"""

import json
import math
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from lrlab.studies import recommend
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.slow

STUDIES = 150
MEASURED = json.loads((REPOSITORY / "benchmarks" / "results" / "calibration.json").read_text())


def compute_standard_error(fraction: float, studies: int = STUDIES) -> float:
    return math.sqrt(fraction * (1 - fraction) / studies)


def test_few_studies_name_a_winner_where_schedules_are_equal(calibration: ModuleType) -> None:
    for world in calibration.NULL_WORLDS.values():
        for counts in calibration.count_false_winners(world, STUDIES).values():
            difference, winner = (
                counts["clear_difference"]["fraction"],
                counts["winner"]["fraction"],
            )
            assert winner <= difference <= 0.05 + 4 * compute_standard_error(0.05)


def test_few_studies_recommend_another_schedule_where_schedules_are_equal(
    calibration: ModuleType,
) -> None:
    for world in calibration.NULL_WORLDS.values():
        fraction = calibration.count_recommendations(world, STUDIES)["fraction"]
        assert fraction <= 0.05 + 4 * compute_standard_error(0.05)


def test_no_study_recommends_a_schedule_that_diverged_more_often(calibration: ModuleType) -> None:
    """Even where diverged runs are the best ones, so that a schedule that diverges is better."""
    better_count = 0
    worlds = (*calibration.RARE_DIVERGENCE_WORLDS.values(), *calibration.NULL_WORLDS.values())
    for world in worlds:
        for study in calibration.draw_studies(world, 50):
            counts = np.random.default_rng(better_count).integers(0, 4, len(study.scores)).tolist()
            lucky = replace(study, diverged_counts=counts)
            comparison = calibration.compare_study(lucky, world.test_train_ratio)
            row, baseline = recommend(comparison).row, comparison.baseline_row
            better_count += row is not baseline
            assert row.diverged_count <= baseline.diverged_count
    assert better_count > 5


def test_few_studies_name_a_winner_for_new_data_that_is_one_on_this_data_only(
    calibration: ModuleType,
) -> None:
    for world in calibration.NEW_DATA_NULL_WORLDS.values():
        senses = calibration.count_false_winners(world, STUDIES)
        difference = senses["new_data"]["clear_difference"]["fraction"]
        assert difference <= 0.05 + 4 * compute_standard_error(0.05)
        assert senses["this_data"]["winner"]["fraction"] > 0.3


@pytest.mark.parametrize(
    "name",
    [
        "fixed test rows, 30 seeds",
        "overlapping splits, rows that favor schedules",
        "overlapping splits, classifiers",
    ],
)
def test_intervals_contain_the_true_difference(calibration: ModuleType, name: str) -> None:
    senses = calibration.measure_coverage(calibration.COVERAGE_WORLDS[name], STUDIES)
    assert senses
    for coverage in senses.values():
        # The intervals of a study depend on each other, so they count as one.
        assert 0.95 - 4 * compute_standard_error(0.95) <= coverage["fraction"] <= 0.99


def test_intervals_of_classifiers_on_this_data_contain_the_true_difference(
    calibration: ModuleType,
) -> None:
    world = calibration.LinearClassifiers(calibration.UNEQUAL_WEIGHTS)
    coverage = calibration.measure_coverage_on_this_data(world, 60)
    assert 0.95 - 4 * compute_standard_error(0.95, 60) <= coverage["fraction"] <= 0.99


def test_four_studies_in_five_find_the_smallest_detectable_difference(
    calibration: ModuleType,
) -> None:
    for sense, make_world in calibration.POWER_WORLDS.items():
        assert (make_world(0.0).test_train_ratio is None) == (sense == "this_data")
        (power,) = calibration.measure_power(sense, STUDIES, multiples=[1.0])
        assert power["fraction"] == pytest.approx(0.8, abs=4 * compute_standard_error(0.8))


def test_true_means_of_classifiers_are_those_of_new_rows(calibration: ModuleType) -> None:
    """The closed form of their accuracy equals that on many rows that were not trained on."""
    world = calibration.LinearClassifiers((0.2, 0.6), test_rows=199)  # one row to train on
    rng = np.random.default_rng(0)
    scores = np.array([world.draw_study(rng).scores.mean(axis=1) for _ in range(STUDIES)])
    means, standard_errors = world.estimate_means_for_new_data(rng, 20 * STUDIES)
    errors = np.hypot(scores.std(axis=0) / math.sqrt(STUDIES), standard_errors)
    assert (np.abs(scores.mean(axis=0) - means) < 4 * errors).all()


def test_published_error_rates_and_coverage() -> None:
    """At most 5 % false winners, and 95 to 99 % of the intervals contain the true difference."""
    studies = MEASURED["studies"]
    assert studies == 2000
    for senses in MEASURED["null"].values():
        for counts in senses.values():
            assert counts["winner"]["fraction"] <= 0.05
            limit = 0.05 + 3 * compute_standard_error(0.05, studies)
            assert counts["clear_difference"]["fraction"] <= limit
    for name, counts in MEASURED["recommendations"].items():
        assert (counts["fraction"] <= 0.05) == (name in MEASURED["null"])  # others are warned of
    for counts in MEASURED["tuned"].values():
        assert counts["this_data"]["fraction"] <= 0.05
        assert "new_data" not in counts or counts["new_data"]["fraction"] <= 0.05
    for senses in MEASURED["new_data_null"].values():
        assert senses["new_data"]["winner"]["fraction"] <= 0.05
    for senses in MEASURED["coverage"].values():
        for coverage in senses.values():
            assert coverage["fraction"] >= 0.95 - 3 * coverage["error"]
    for name in ("rows that favor schedules", "classifiers"):
        coverage = MEASURED["coverage"][f"overlapping splits, {name}"]["new_data"]
        assert coverage["fraction"] <= 0.99


def test_the_document_has_the_measured_tables(calibration: ModuleType) -> None:
    document = (REPOSITORY / "docs" / "statistics.md").read_text()
    assert calibration.format_tables(MEASURED) in document
