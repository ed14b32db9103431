"""The table is laid out for reading and says what the comparison says."""

import numpy as np
import pytest

from lrlab import Constant, Cosine, Exponential, parse
from lrlab.studies import BASELINE, Selection, TimeToTarget, compare_scores
from lrlab.training import Settings
from lrlab.views.study_table import format_table, format_times_to_target
from tests.studies.statistics.making import ACCURACY, RMSE

DEFAULTS = (
    "Constant(1.0)",
    "Linear(1.0, 0.5, over=30)",
    "Exponential(0.99)",
    "InverseTime(0.01)",
    'Step("30%")',
    "Polynomial(2.0)",
    "Cosine()",
    "Linear(1.0, 0.0)",
    'Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)',
    'Warmup("10%") >> Cosine()',
    'Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()',
    "Plateau()",
)


def scores(*of_seeds: float) -> np.ndarray:
    return np.array(of_seeds)


def test_shares() -> None:
    comparison = compare_scores(
        {
            BASELINE: scores(0.90, 0.92, 0.94),
            Exponential(0.99): scores(0.93, 0.94, 0.97),
            Constant(5.0): scores(0.5, 0.51, 0.53),
        },
        BASELINE,
        ACCURACY,
        diverged_count={Constant(5.0): 1},
    )
    assert format_table(comparison).splitlines() == [
        "                                               vs    95 % interval  better",
        "  rank  schedule             mean  ± sd  constant     on this data      in  verdict",
        "     1  Exponential(0.99)  94.7 %   2.1     +2.67    +1.23 … +4.10   100 %  better here",
        "     2  Constant(1.0)      92.0 %   2.0                                     baseline",
        "     3  Constant(5.0)      51.3 %   1.5    -40.67  -42.10 … -39.23     0 %  "
        "worse here, 1 diverged",
    ]


def test_both_readings_and_what_was_chosen() -> None:
    tuned = {
        BASELINE: Selection(Settings(lr=0.003, momentum=0.9), edge_side=-1),
        Exponential(0.99): Selection(Settings(lr=0.1)),
    }
    comparison = compare_scores(
        {BASELINE: scores(0.90, 0.92), Exponential(0.99): scores(0.91, 0.94)},
        BASELINE,
        ACCURACY,
        test_train_ratio=0.5,
        selections=tuned,
    )
    assert format_table(comparison, ("lr", "momentum")).splitlines() == [
        "                                                                "
        "vs  95 % interval   95 % interval  better",
        "  rank  schedule            rate  momentum    mean  ± sd  constant   "
        "on this data    for new data      in  verdict",
        "     1  Exponential(0.99)    0.1         0  92.5 %   2.1     +1.50  "
        "-4.85 … +7.85  -7.48 … +10.48   100 %  cannot be told apart",
        "     1  Constant(1.0)      0.003       0.9  91.0 %   1.4            "
        "                                       baseline, at the edge",
    ]


def test_a_rival_that_is_not_beaten_is_said() -> None:
    comparison = compare_scores(
        {BASELINE: scores(0.90, 0.92, 0.94), Exponential(0.99): scores(0.93, 0.94, 0.97)},
        BASELINE,
        ACCURACY,
        selections={s: Selection(Settings(lr=0.1)) for s in (BASELINE, Exponential(0.99))},
        baseline_scores={
            Settings(lr=0.1): scores(0.90, 0.92, 0.94),
            Settings(lr=0.3): scores(0.94, 0.93, 0.98),
        },
    )
    assert comparison.varied_hyperparameters == ("lr",)
    assert format_table(comparison, comparison.varied_hyperparameters).splitlines() == [
        "                                                     vs  95 % interval  better",
        "  rank  schedule           rate    mean  ± sd  constant   on this data      in  verdict",
        "     1  Exponential(0.99)   0.1  94.7 %   2.1     +2.67  +1.23 … +4.10   100 %  "
        "ahead as tuned",
        "     2  Constant(1.0)       0.1  92.0 %   2.0                                   baseline",
    ]


def test_a_wide_table_keeps_the_schedules_whole() -> None:
    numbers = np.random.default_rng(0)
    chosen = [parse(text) for text in DEFAULTS]
    comparison = compare_scores(
        {s: 0.9 + numbers.normal(0, 0.02, 30) for s in chosen},
        BASELINE,
        ACCURACY,
        test_train_ratio=0.43,
        selections={s: Selection(Settings(lr=0.003, momentum=0.9)) for s in chosen},
    )
    _, head, *lines = text = format_table(comparison, ("lr", "momentum")).splitlines()
    assert max(map(len, text)) <= 135
    assert len(lines) == len(DEFAULTS) + 2  # two of them are long and have a line to themselves
    verdicts = head.index("verdict")
    cells = [line for line in lines if len(line) > verdicts]
    assert len(cells) == len(DEFAULTS)
    for schedule in DEFAULTS:
        assert sum(f"  {schedule}" in line for line in lines) >= 1


@pytest.mark.parametrize(("values", "found"), [((1.25e-9, 1.5e-9), "+1.750e-10")])
def test_tiny_errors_keep_their_digits(values: tuple[float, float], found: str) -> None:
    comparison = compare_scores(
        {BASELINE: scores(*values), Cosine(): scores(1e-9, 1.4e-9)}, BASELINE, RMSE
    )
    cells = format_table(comparison).splitlines()[2].split()
    assert cells[:5] == ["1", "Cosine()", "1.200e-09", "2.828e-10", found]


def test_errors_in_the_targets_units_and_one_seed() -> None:
    comparison = compare_scores({BASELINE: scores(123.456), Cosine(): scores(99.5)}, BASELINE, RMSE)
    assert [line.split(maxsplit=5) for line in format_table(comparison).splitlines()[2:]] == [
        ["1", "Cosine()", "99.50", "-", "+23.96", "-   100 %  cannot be told apart"],
        ["1", "Constant(1.0)", "123.46", "-", "baseline"],
    ]


def test_times_to_target() -> None:
    reached = (
        TimeToTarget("Cosine()", 1, 12.5, 1.0),
        TimeToTarget("Constant(1.0)", 2, 30.0, 0.6),
        TimeToTarget("Linear(1.0, 0.0)", 3, None, 0.25),
    )
    assert format_times_to_target(ACCURACY, 0.9014, reached).splitlines() == [
        "                          epochs to  reached",
        "  rank  schedule             90.1 %       by",
        "     1  Cosine()               12.5    100 %",
        "     2  Constant(1.0)            30     60 %",
        "     3  Linear(1.0, 0.0)          -     25 %",
    ]
    assert "epochs to" in format_times_to_target(RMSE, 54.321, reached)
    assert "54.32" in format_times_to_target(RMSE, 54.321, reached)
