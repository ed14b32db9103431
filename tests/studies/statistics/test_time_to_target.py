"""Time to target, counted by hand."""

import numpy as np
import pytest

from lrlab.errors import StudyError
from lrlab.studies import compute_times_to_target
from lrlab.studies.statistics.time_to_target import check_target_score
from tests.raising import raises

DIVERGED = np.empty(0)
CURVES = {
    "constant": [
        np.array([0.1, 0.5, 0.7]),
        np.array([0.2, 0.5, 0.9]),
        np.array([0.3, 0.4, 0.8]),
    ],  # mean of the last: 0.8
    "cosine": [
        np.array([0.9, 0.5, 0.1]),
        np.array([0.1, 0.8, 0.2]),
        np.array([0.7, 0.7, 0.9]),
    ],
    "linear": [DIVERGED, np.array([0.9, 0.9, 0.9]), DIVERGED],
}


def test_a_score_equal_to_the_target_reaches_it() -> None:
    mean = float(np.mean([curve[-1] for curve in CURVES["constant"]]))
    first, second, third = compute_times_to_target(CURVES, mean, greater_is_better=True)
    # Reached after 1, 2 and 3 epochs, although two of the runs become worse again.
    assert (first.label, first.rank, first.epochs, first.fraction) == ("cosine", 1, 2, 1)
    assert (second.label, second.rank) == ("constant", 2)
    assert (second.epochs, second.fraction) == (3, pytest.approx(2 / 3))
    # A diverged run never reaches it.
    assert (third.rank, third.epochs, third.fraction) == (3, None, pytest.approx(1 / 3))


def test_lower_scores_may_be_better_and_equal_schedules_share_a_rank() -> None:
    rows = compute_times_to_target(CURVES, 0.3, greater_is_better=False)
    assert {row.label: (row.rank, row.epochs, round(row.fraction, 2)) for row in rows} == {
        "constant": (1, 1, 1.0),
        "cosine": (2, 3, 0.67),
        "linear": (3, None, 0.0),
    }
    same = {"constant": CURVES["constant"], "cosine": CURVES["constant"]}
    rows = compute_times_to_target(same, 0.3, greater_is_better=False)
    assert [row.rank for row in rows] == [1, 1]


def test_an_epoch_without_a_score_does_not_reach_the_target() -> None:
    curves = {"constant": [np.array([np.nan, 0.9])]}
    assert compute_times_to_target(curves, 0.5, greater_is_better=True)[0].epochs == 2


@pytest.mark.parametrize("target_score", [np.inf, -np.inf, np.nan])
def test_target_scores_must_be_finite(target_score: float) -> None:
    with raises(StudyError, "target_score", target_score):
        compute_times_to_target(CURVES, target_score, greater_is_better=True)


@pytest.mark.parametrize("target_score", [-0.1, 95])
def test_the_target_of_a_percentage_must_be_a_fraction(target_score: float) -> None:
    with raises(StudyError, "target_score", target_score, "0.95"):
        check_target_score(target_score, is_fraction=True)
    check_target_score(target_score)
    check_target_score(0.95, is_fraction=True)
