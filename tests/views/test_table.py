"""The table is laid out for reading and says what the comparison says."""

from lrlab import Constant, Cosine, Exponential
from lrlab.problems.tasks import Metric
from lrlab.studies import BASELINE, compare
from lrlab.training import Result
from lrlab.views.table import table

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
