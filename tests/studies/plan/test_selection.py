"""The settings chosen are the best by the held-out rows, counted by hand."""

import numpy as np
import pytest

from lrlab import Cosine
from lrlab.problems import load_problem
from lrlab.studies import build_grid, select_settings
from lrlab.studies.plan.selection import compute_test_score
from lrlab.training import Curve, Epoch, Result, Settings

GRID = build_grid(Settings(epochs=1, validation_size=0.2), [0.01, 0.03, 0.1, 0.3, 1.0], [0])
SEEDS = (3, 8)


def make_result(*validation: float, test: float = 0.5) -> Result:
    """Of a run whose held-out rows scored so, epoch after epoch, and its test rows a bit more."""
    epochs = [Epoch(i, 0.1, 0.1, 1.0, test + i / 10, 0.7, v) for i, v in enumerate(validation)]
    return Result(epochs[-1].test_score, False, Curve.from_epochs(epochs), 0.0)


BAD = [make_result(0.0)] * 2
DIVERGED = Result(0.99, True, Curve.from_epochs([]), 0.0, diverged_at_step=3)


def select_lr(data: str, *inner: list[Result], score: str = "final") -> float:
    """The rate chosen when the three inside the grid come to these results."""
    worst = [make_result(1e9)] * 2 if data == "diabetes" else BAD
    runs = [worst, *inner, worst]
    trials = {(Cosine(), s): own for s, own in zip(GRID, runs, strict=True)}
    return select_settings(load_problem(data), trials, SEEDS, score)[Cosine()].settings.lr


def test_the_best_mean_over_the_seeds_wins_whatever_the_test_rows_say() -> None:
    best_test = [make_result(0.7, test=1.0), make_result(0.7, test=1.0)]
    assert (
        select_lr("iris", best_test, [make_result(0.6), make_result(0.9)], [make_result(0.74)] * 2)
        == 0.1
    )
    assert (
        select_lr("iris", best_test, [make_result(0.6), make_result(0.81)], [make_result(0.74)] * 2)
        == 0.3
    )


def test_less_is_better_where_the_metric_says_so() -> None:
    assert (
        select_lr("diabetes", [make_result(60)] * 2, [make_result(55)] * 2, [make_result(70)] * 2)
        == 0.1
    )


def test_ties_go_to_the_lower_rate_also_up_to_rounding() -> None:
    low, high = [make_result(0.15), make_result(0.15)], [make_result(0.1), make_result(0.2)]
    assert 0.15 + 0.15 < 0.1 + 0.2
    assert select_lr("iris", BAD, low, high) == 0.1


def test_ties_do_not_go_to_the_edge() -> None:
    same = [make_result(1.0)] * 2
    trials = {(Cosine(), s): same for s in GRID}
    tuned = select_settings(load_problem("iris"), trials, SEEDS)[Cosine()]
    assert (tuned.settings.lr, tuned.at_grid_edge, tuned.validation_score) == (0.03, False, 1.0)


@pytest.mark.parametrize(("beside", "rate"), [(-0.01, 0.1), (0.01, 0.3)])
def test_a_diverged_run_counts_as_a_guess_on_the_held_out_rows(beside: float, rate: float) -> None:
    problem = load_problem("wine")
    guesses = []
    for seed in SEEDS:
        split = problem.split_rows(seed, GRID[0].count_validation_rows(problem.train_rows))
        most = np.bincount(split.y_train.numpy()).argmax()
        guesses.append(float((split.y_validation == most).double().mean()))
    other = [make_result(float(np.mean([0.9, guesses[1]])) + beside)] * 2
    # Its score on the test rows, 0.99 here, plays no part.
    assert select_lr("wine", BAD, [make_result(0.9), DIVERGED], other) == rate


def test_the_best_epoch_is_that_of_the_held_out_rows() -> None:
    peaks, ends = [make_result(0.1, 0.9, 0.2)] * 2, [make_result(0.1, 0.3, 0.8)] * 2
    assert select_lr("iris", BAD, peaks, ends) == 0.3
    assert select_lr("iris", BAD, peaks, ends, score="best") == 0.1


def test_scores_are_read_where_the_protocol_says() -> None:
    iris, diabetes = load_problem("iris"), load_problem("diabetes")
    run = make_result(0.1, 0.9, 0.9, test=0.5)
    assert compute_test_score(run, iris, "final") == pytest.approx(0.7)
    assert compute_test_score(run, iris, "best") == pytest.approx(0.6)  # the first of the best
    assert compute_test_score(run, diabetes, "best") == pytest.approx(0.5)  # less is better there
    assert compute_test_score(DIVERGED, iris, "best") == 0.99
