"""The settings chosen are the best by the held-out rows, counted by hand."""

from dataclasses import replace

import numpy as np
import pytest

from lrlab import Cosine
from lrlab.problems import load, split_of
from lrlab.studies import BASELINE, Plan, cross, plan, tune
from lrlab.training import Curve, Epoch, Result, Settings

RATES = [0.01, 0.1, 1.0]


def study(data: str, momenta: list[float] | None = None) -> Plan:
    grid = cross(Settings(epochs=1, validation=0.2), RATES, momenta or [0])
    return plan(load(data), [Cosine()], grid, seeds=2)


def result(validation: float, test: float = 0.5) -> Result:
    return Result(test, False, Curve.of([Epoch(0, 0.1, 0.1, 1.0, test, 0.7, validation)]), 0.0)


DIVERGED = Result(0.99, True, Curve.of([]), 0.0, left_at=3)


def chosen(which: Plan, scores: list[list[Result]]) -> float:
    """The rate chosen for the cosine when its runs at each settings come to these results."""
    constant = [result(0.5)] * 2 * len(which.settings)
    runs = [*constant, *(one for of_settings in scores for one in of_settings)]
    return tune(which, dict(zip(which.runs, runs, strict=True)))[Cosine()].settings.lr


def test_the_best_mean_over_the_seeds_wins_whatever_the_test_rows_say() -> None:
    iris = study("iris")
    best_test = [result(0.7, test=1.0), result(0.7, test=1.0)]
    assert chosen(iris, [best_test, [result(0.6), result(0.9)], [result(0.74)] * 2]) == 0.1
    assert chosen(iris, [best_test, [result(0.6), result(0.81)], [result(0.74)] * 2]) == 1.0


def test_less_is_better_where_the_metric_says_so() -> None:
    assert chosen(study("diabetes"), [[result(60)] * 2, [result(55)] * 2, [result(70)] * 2]) == 0.1


def test_ties_go_to_the_lower_rate_also_up_to_rounding() -> None:
    low, high = [result(0.15), result(0.15)], [result(0.1), result(0.2)]
    assert 0.15 + 0.15 < 0.1 + 0.2
    assert chosen(study("iris"), [[result(0.0)] * 2, low, high]) == 0.1


@pytest.mark.parametrize(("beside", "rate"), [(-0.01, 0.1), (0.01, 1.0)])
def test_a_diverged_run_counts_as_a_guess_on_the_held_out_rows(beside: float, rate: float) -> None:
    which = study("wine")
    rows = which.settings[0].held_out(which.problem.train_rows)
    guesses = []
    for seed in which.seeds:
        split = split_of(which.problem, seed, rows)
        most = np.bincount(split.y_train.numpy()).argmax()
        guesses.append(float((split.y_validation == most).double().mean()))
    other = [result(float(np.mean([0.9, guesses[1]])) + beside)] * 2
    # Its score on the test rows, 0.99 here, plays no part.
    assert chosen(which, [[result(0.0)] * 2, [result(0.9), DIVERGED], other]) == rate


def test_what_is_chosen_comes_with_its_own_runs_and_edge() -> None:
    which = study("iris", momenta=[0, 0.9])
    results = {
        id: result(0.9 if (run.settings.lr, run.settings.momentum) == (0.1, 0.9) else 0.5, i / 100)
        for i, (id, run) in enumerate(which.runs.items())
    }
    best = tune(which, results)
    assert list(best) == [BASELINE, Cosine()]
    for schedule, tuned in best.items():
        assert (tuned.settings.lr, tuned.settings.momentum, tuned.edge) == (0.1, 0.9, False)
        own = [r for id, r in results.items() if which.runs[id].schedule == schedule
               and which.runs[id].settings == tuned.settings]  # fmt: skip
        assert list(tuned.results) == own
        assert len(own) == 2
    outer = {id: result(which.runs[id].settings.lr) for id in which.runs}
    assert all(tuned.edge for tuned in tune(which, outer).values())


def test_one_setting_needs_no_validation() -> None:
    single = plan(load("iris"), [Cosine()], Settings(epochs=1), seeds=2)
    without = replace(result(0.0), epochs=Curve.of([Epoch(0, 0.1, 0.1, 1.0, 0.5)]))
    tuned = tune(single, dict.fromkeys(single.runs, without))
    assert tuned[Cosine()].settings == Settings(epochs=1)
    assert not tuned[Cosine()].edge
