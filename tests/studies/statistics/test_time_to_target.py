"""Time to target, counted by hand."""

import numpy as np
import pytest

from lrlab import Cosine, Linear
from lrlab.errors import StudyError
from lrlab.studies import BASELINE, compute_times_to_target
from lrlab.training import Curve, Epoch, Result
from tests.raising import raises
from tests.studies.statistics.factories import ACCURACY, RMSE


def make_result(*scores: float, diverged: bool = False) -> Result:
    curve = Curve.from_epochs(Epoch(i, 0.1, 0.1, 1.0, score) for i, score in enumerate(scores))
    return Result(scores[-1] if scores else 0.0, diverged, curve, 0.0)


RESULTS = {
    BASELINE: [
        make_result(0.1, 0.5, 0.7),
        make_result(0.2, 0.5, 0.9),
        make_result(0.3, 0.4, 0.8),
    ],  # mean of the last: 0.8
    Cosine(): [make_result(0.9, 0.5, 0.1), make_result(0.1, 0.8, 0.2), make_result(0.7, 0.7, 0.9)],
    Linear(1, 0): [
        make_result(0.9, 0.9, diverged=True),
        make_result(0.9, 0.9, 0.9),
        make_result(diverged=True),
    ],
}


def test_a_score_equal_to_the_target_reaches_it() -> None:
    mean = float(np.mean([result.test_score for result in RESULTS[BASELINE]]))
    first, second, third = compute_times_to_target(RESULTS, ACCURACY, mean)
    # Reached after 1, 2 and 3 epochs, although two of the runs become worse again.
    assert (first.schedule, first.rank, first.epochs, first.fraction) == ("Cosine()", 1, 2, 1)
    assert (second.schedule, second.rank) == ("Constant(1.0)", 2)
    assert (second.epochs, second.fraction) == (3, pytest.approx(2 / 3))
    # A diverged run never reaches it, whatever its scores before.
    assert (third.rank, third.epochs, third.fraction) == (3, None, pytest.approx(1 / 3))


def test_lower_scores_may_be_better_and_equal_schedules_share_a_rank() -> None:
    rows = compute_times_to_target(RESULTS, RMSE, target_score=0.3)
    assert {row.schedule: (row.rank, row.epochs, round(row.fraction, 2)) for row in rows} == {
        "Constant(1.0)": (1, 1, 1.0),
        "Cosine()": (2, 3, 0.67),
        "Linear(1.0, 0.0)": (3, None, 0.0),
    }
    rows = compute_times_to_target(
        {BASELINE: RESULTS[BASELINE], Cosine(): RESULTS[BASELINE]}, RMSE, target_score=0.3
    )
    assert [row.rank for row in rows] == [1, 1]


def test_an_epoch_without_a_score_does_not_reach_the_target() -> None:
    results = {BASELINE: [make_result(np.nan, 0.9)]}
    assert compute_times_to_target(results, ACCURACY, target_score=0.5)[0].epochs == 2


@pytest.mark.parametrize("target_score", [np.inf, -np.inf, np.nan])
def test_target_scores_must_be_finite(target_score: float) -> None:
    with raises(StudyError, "target_score", target_score):
        compute_times_to_target(RESULTS, ACCURACY, target_score)
