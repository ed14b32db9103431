"""Selection of settings by validation scores, and the scores of runs."""

from dataclasses import replace

import pytest

from lrlab import Cosine
from lrlab.errors import StudyError
from lrlab.problems import load_problem
from lrlab.studies import build_grid, select_settings
from lrlab.studies.plan.selection import compute_test_score
from lrlab.training import Curve, Epoch, Result, Settings
from tests.raising import raises

GRID = build_grid(Settings(epochs=1, validation_size=0.2), [0.01, 0.03, 0.1, 0.3, 1.0], [0])


def make_result(*validation_scores: float, test_score: float = 0.5) -> Result:
    """Make a result with these validation scores; test scores rise by 0.1 per epoch."""
    epochs = [
        Epoch(i, 0.1, 0.1, 1.0, test_score + i / 10, 0.7, score)
        for i, score in enumerate(validation_scores)
    ]
    return Result(epochs[-1].test_score, False, Curve.from_epochs(epochs), 0.0)


BAD = [make_result(0.0)] * 2
DIVERGED = Result(0.99, True, Curve.from_epochs([]), 0.0, diverged_at_step=3)


def select_lr(name: str, *inner_results: list[Result], score: str = "final") -> float:
    """Return the selected learning rate; the edges of the grid have the worst results."""
    worst = [make_result(1e9)] * 2 if name == "diabetes" else BAD
    results = {
        (Cosine(), settings): setting_results
        for settings, setting_results in zip(GRID, [worst, *inner_results, worst], strict=True)
    }
    return select_settings(load_problem(name).metric, results, score)[Cosine()].settings.lr


def test_the_best_mean_over_the_seeds_is_selected_whatever_the_test_scores() -> None:
    best_test = [make_result(0.7, test_score=1.0), make_result(0.7, test_score=1.0)]
    assert (
        select_lr("iris", best_test, [make_result(0.6), make_result(0.9)], [make_result(0.74)] * 2)
        == 0.1
    )
    assert (
        select_lr("iris", best_test, [make_result(0.6), make_result(0.81)], [make_result(0.74)] * 2)
        == 0.3
    )


def test_the_lowest_mean_is_selected_if_lower_scores_are_better() -> None:
    assert (
        select_lr("diabetes", [make_result(60)] * 2, [make_result(55)] * 2, [make_result(70)] * 2)
        == 0.1
    )


def test_of_means_that_differ_by_rounding_the_lower_learning_rate_is_selected() -> None:
    low, high = [make_result(0.15), make_result(0.15)], [make_result(0.1), make_result(0.2)]
    assert 0.15 + 0.15 < 0.1 + 0.2
    assert select_lr("iris", BAD, low, high) == 0.1


def test_of_equal_means_one_inside_the_grid_is_selected() -> None:
    results = {(Cosine(), settings): [make_result(1.0)] * 2 for settings in GRID}
    selection = select_settings(load_problem("iris").metric, results)[Cosine()]
    assert (selection.settings.lr, selection.at_grid_edge) == (0.03, False)
    assert selection.validation_score == 1.0


@pytest.mark.parametrize(("offset", "lr"), [(-0.01, 0.1), (0.01, 0.3)])
def test_a_diverged_run_has_the_dummy_score_of_the_validation_rows(
    offset: float, lr: float
) -> None:
    diverged = replace(DIVERGED, validation_dummy_score=0.4)
    other = [make_result((0.9 + 0.4) / 2 + offset)] * 2
    # The test score of the diverged run, 0.99, has no effect.
    assert select_lr("wine", BAD, [make_result(0.9), diverged], other) == lr
    with raises(StudyError, "dummy score", "damaged"):
        select_lr("wine", BAD, [make_result(0.9), DIVERGED], other)


def test_the_best_epoch_is_that_of_the_validation_score() -> None:
    best_early, best_late = [make_result(0.1, 0.9, 0.2)] * 2, [make_result(0.1, 0.3, 0.8)] * 2
    assert select_lr("iris", BAD, best_early, best_late) == 0.3
    assert select_lr("iris", BAD, best_early, best_late, score="best") == 0.1


def test_runs_are_scored_at_the_epoch_of_the_protocol() -> None:
    iris, diabetes = load_problem("iris"), load_problem("diabetes")
    run = make_result(0.1, 0.9, 0.9, test_score=0.5)
    assert compute_test_score(run, iris.metric, "final") == pytest.approx(0.7)
    assert compute_test_score(run, iris.metric, "best") == pytest.approx(
        0.6
    )  # the first of two best
    assert compute_test_score(run, diabetes.metric, "best") == pytest.approx(0.5)  # lower is better
    assert compute_test_score(DIVERGED, iris.metric, "best") == 0.99
