"""The table is laid out for reading and says what the comparison says."""

from lrlab import Constant, Cosine, Exponential
from lrlab.problems import load
from lrlab.problems.tasks import Metric
from lrlab.studies import BASELINE, Tuned, compare, cross, plan
from lrlab.training import Result, Settings
from lrlab.views.table import notes, table, title

ACCURACY = Metric("accuracy", more_is_better=True, percent=True, of=lambda a, b: 0.0)
RMSE = Metric("RMSE", more_is_better=False, percent=False, of=lambda a, b: 0.0)


def results(scores: list[float], diverged: int = 0) -> list[Result]:
    return [Result(score, i < diverged, (), 0.0) for i, score in enumerate(scores)]


def test_shares() -> None:
    comparison = compare(
        {
            BASELINE: results([0.90, 0.92, 0.94]),
            Exponential(0.99): results([0.93, 0.94, 0.97]),
            Constant(5.0): results([0.5, 0.51, 0.53], diverged=1),
        },
        BASELINE,
        ACCURACY,
    )
    assert table(comparison).splitlines() == [
        "  schedule              mean   ± sd   vs constant     95 % interval   verdict",
        "  Exponential(0.99)   94.7 %    2.1         +2.67     +1.23 … +4.10   better",
        "  Constant(1.0)       92.0 %    2.0                                   baseline",
        "  Constant(5.0)       51.3 %    1.5        -40.67   -42.10 … -39.23   worse, 1 diverged",
    ]


def test_what_was_chosen_stands_beside_each_schedule() -> None:
    scores = {BASELINE: results([0.90, 0.92]), Exponential(0.99): results([0.91, 0.94])}
    tuned = {
        BASELINE: Tuned(Settings(lr=0.003, momentum=0.9), (), edge=True),
        Exponential(0.99): Tuned(Settings(lr=0.1), (), edge=False),
    }
    comparison = compare(scores, BASELINE, ACCURACY, tuned)
    assert table(comparison, ("lr", "momentum")).splitlines() == [
        "  schedule             rate   momentum     mean   ± sd   vs constant   95 % interval   "
        "verdict",
        "  Exponential(0.99)     0.1          0   92.5 %    2.1         +1.50   -4.85 … +7.85   "
        "cannot be told apart",
        "  Constant(1.0)       0.003        0.9   91.0 %    1.4                                 "
        "baseline, at the edge",
    ]


def test_the_grid_and_the_held_out_rows_are_told() -> None:
    grid = cross(Settings(validation=0.2, epochs=1), [0.01, 0.1, 1], [0, 0.9])
    study = plan(load("iris"), [Cosine()], grid, seeds=2)
    tuned = {s: Tuned(grid[5], (), edge=True) for s in study.schedules}
    scores = {s: results([0.9, 0.92], diverged=1) for s in study.schedules}
    comparison = compare(scores, BASELINE, ACCURACY, tuned)
    assert title(study) == (
        "iris · 2 schedules · 6 settings each · 2 paired seeds · accuracy on the test rows after "
        "1 epoch"
    )
    assert notes(study, comparison).splitlines() == [
        "Differences are paired by seed, in points; positive is better.",
        "sgd; each schedule at its best of 6 settings (3 rates, 2 momenta),",
        "chosen by 21 of the 105 training rows held out, never by test rows.",
        "2 of 4 runs diverged and score as a constant guess.",
        "At the edge of the grid (1) the best rate may lie beyond it: widen --lr.",
    ]


def test_tiny_errors_keep_their_digits() -> None:
    scores = {BASELINE: results([1.25e-9, 1.5e-9]), Cosine(): results([1e-9, 1.4e-9])}
    lines = table(compare(scores, BASELINE, RMSE)).splitlines()
    assert lines[1].split()[:4] == ["Cosine()", "1.200e-09", "2.828e-10", "+1.750e-10"]


def test_errors_in_the_targets_units_and_one_seed() -> None:
    comparison = compare({BASELINE: results([123.456]), Cosine(): results([99.5])}, BASELINE, RMSE)
    assert table(comparison).splitlines() == [
        "  schedule          mean   ± sd   vs constant   95 % interval   verdict",
        "  Cosine()         99.50      -        +23.96               -   cannot be told apart",
        "  Constant(1.0)   123.46      -                                 baseline",
    ]
