"""Answers say what the numbers say, and every number of a comparison has the same format."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.problems.metrics import Metric
from lrlab.studies import (
    Comparison,
    NewDataFinding,
    RecommendationReason,
    StudyResult,
    Verdict,
    recommend,
)
from lrlab.training import Settings
from lrlab.views.answer import VERDICT_LABELS, write_answer
from lrlab.views.hints import translate_hints
from lrlab.views.number_format import NumberFormat
from tests.studies.statistics.factories import (
    BASE,
    NOISE,
    draw_scores,
    make_comparison,
)
from tests.views.factories import make_compared_study

ACCURACY = Metric("accuracy", greater_is_better=True, percent=True, fn=lambda a, b: a)
RMSE = Metric("RMSE", greater_is_better=False, percent=False, fn=lambda a, b: a)


def make_answered_study(comparison: Comparison, greater_is_better: bool = True) -> StudyResult:
    """Make a study with accuracies or errors; labels of the baseline's settings are its rates."""
    labels = {r.hardest_baseline.label for r in comparison.rows if r.hardest_baseline}
    rates = {"lr=0.1": 0.1, "lr=0.2": 0.2, "lr=0.3": 0.3} if labels else {}
    return make_compared_study(
        comparison,
        "iris" if greater_is_better else "diabetes",
        baseline_settings={label: Settings(lr=rate) for label, rate in rates.items()},
    )


def test_verdicts_have_distinct_labels() -> None:
    assert list(VERDICT_LABELS) == list(Verdict)
    assert len(set(VERDICT_LABELS.values())) == len(Verdict)


def make_shifted(
    *gains: float,
    test_train_ratio: float | None = None,
    edges: Sequence[int] = (),
    diverged_counts: Mapping[int, int] | None = None,
) -> Comparison:
    """Make a comparison of candidates that are better than the baseline by about these gains."""
    scores = [BASE + gain + np.roll(NOISE, i) for i, gain in enumerate(gains)]
    return make_comparison(
        [BASE, *scores],
        test_train_ratio=test_train_ratio,
        edges=edges,
        diverged_counts=diverged_counts,
    )


ANSWERS = {
    "one schedule is better": make_shifted(0.1, -0.1, test_train_ratio=0.4),
    "two schedules are better": make_shifted(0.015, 0.016),
    "better, on new data more rows may show it": make_shifted(0.012, test_train_ratio=0.4),
    "better, on new data more seeds may show it": make_shifted(
        0.02, *[0.0] * 11, test_train_ratio=0.4
    ),
    "no clear difference": make_shifted(0.0, 0.001),
    "no clear difference of the only other schedule": make_shifted(0.0, test_train_ratio=0.4),
    "some are worse": make_shifted(0.0, -0.1, -0.012, test_train_ratio=0.4),
    "all are worse": make_shifted(-0.1, -0.1),
    "the only other schedule is worse": make_shifted(-0.012, test_train_ratio=0.4),
    "a better schedule at the edge": make_shifted(0.1, edges=[1]),
    "two better schedules at the edge": make_shifted(0.1, 0.1, edges=[1, 2]),
    "the baseline at the edge": make_shifted(0.1, 0.2, edges=[0]),
    "one of two better schedules at the edge": make_shifted(0.1, 0.2, edges=[2]),
    "the better schedule diverged": make_shifted(0.1, diverged_counts={1: 1}),
    "the better schedules diverged more often": make_shifted(
        0.1, 0.1, diverged_counts={0: 1, 1: 2, 2: 3}
    ),
    "one at the edge, one diverged": make_shifted(0.1, 0.2, 0.3, edges=[2], diverged_counts={3: 1}),
    "better than the baseline at all settings": make_comparison(
        [BASE, BASE + 0.1 + NOISE],
        test_train_ratio=0.4,
        other_baseline_scores=[BASE + 0.02],
    ),
    "not better at all settings for new data": make_comparison(
        [BASE, BASE + 0.1 + NOISE],
        test_train_ratio=0.4,
        other_baseline_scores=[BASE + 0.09],
    ),
    "better as tuned only": make_comparison(
        [BASE, BASE + 0.1 + NOISE], other_baseline_scores=[BASE + 0.02, BASE + 0.098]
    ),
    "worse as tuned": make_comparison(
        [BASE, BASE - 0.1 + NOISE], test_train_ratio=0.4, other_baseline_scores=[BASE - 0.2]
    ),
    "all runs of the baseline diverged": make_shifted(0.0, diverged_counts={0: 6}),
    "all runs diverged": make_comparison([[0.5] * 3] * 2, diverged_counts={0: 3, 1: 3}),
    "one seed": make_comparison([[0.5], [0.9]]),
    "nothing to compare": make_comparison([[0.5, 0.6]]),
    "no spread": make_comparison([[0.5] * 6, [0.7] * 6]),
}


def test_every_decision_has_an_answer() -> None:
    assert {recommend(comparison).reason for comparison in ANSWERS.values()} == set(
        RecommendationReason
    )
    winners = [recommend(comparison).row for comparison in ANSWERS.values()]
    assert {row.new_data_finding for row in winners if row} == set(NewDataFinding)


def test_answers(file_regression: FileRegressionFixture) -> None:
    answers = (
        f"[{name}]\n{write_answer(make_answered_study(comparison))}\n"
        for name, comparison in ANSWERS.items()
    )
    file_regression.check("\n".join(answers), extension=".txt")


def test_hints_on_the_command_line(file_regression: FileRegressionFixture) -> None:
    options = {"lr": ["--lr"], "schedules": ["--schedule"], "seeds": ["--seeds"]}
    options["tuning_seeds"] = ["--tuning-seeds"]
    answers = [write_answer(make_answered_study(comparison)) for comparison in ANSWERS.values()]
    lines = dict.fromkeys(line for answer in answers for line in answer.splitlines())
    translated = [translate_hints(line, options) for line in lines if "`" in line]
    assert not any("`" in line for line in translated)
    file_regression.check("\n".join(translated), extension=".txt")


@given(
    draw_scores(5),
    st.sampled_from([None, 0.4]),
    st.booleans(),
    st.lists(st.integers(0, 4), max_size=3),
    st.dictionaries(st.integers(0, 4), st.integers(0, 5)),
)
def test_answers_are_short_and_have_the_numbers_of_the_recommended_schedule(
    scores: NDArray[np.float64],
    test_train_ratio: float | None,
    greater_is_better: bool,
    edges: list[int],
    diverged_counts: dict[int, int],
) -> None:
    comparison = make_comparison(
        scores,
        greater_is_better,
        test_train_ratio,
        edges=edges,
        diverged_counts={i: min(count, scores.shape[1]) for i, count in diverged_counts.items()},
    )
    study = make_answered_study(comparison, greater_is_better)
    first, *rest = lines = write_answer(study).splitlines()
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 140
    assert not any("nan" in line or "None" in line for line in lines)
    recommendation = study.recommendation
    if recommendation.reason is RecommendationReason.BETTER:
        assert recommendation.label in first
        pair, number_format = recommendation.row.vs_baseline, NumberFormat.from_study(study)
        assert number_format.format_difference(pair.difference) in first
        for line, estimate in zip(lines, pair.estimates, strict=False):
            if estimate.ci_low is not None:
                interval = number_format.format_interval(estimate.ci_low, estimate.ci_high)
                assert interval in line
    if recommendation.undecided and len(lines) > 1 and "Smallest" in lines[-1]:
        assert recommendation.undecided.label in rest[-1]


@pytest.mark.parametrize(
    ("scores", "metric", "texts"),
    [
        ([0.9731, 0.88], ACCURACY, ("97.3 %", "+2.50", "2.50 points", "-1.00 … +2.00")),
        ([54.321, 123.4], RMSE, ("0.97", "+0.03", "0.03", "-0.01 … +0.02")),
        ([1.25e-10], RMSE, ("9.731e-01", "+2.500e-02", "2.500e-02", "-1.000e-02 … +2.000e-02")),
        ([0.0], RMSE, ("0.9731", "+0.0250", "0.0250", "-0.0100 … +0.0200")),
    ],
)
def test_the_smallest_score_gives_the_format(
    scores: list[float], metric: object, texts: tuple[str, ...]
) -> None:
    number_format = NumberFormat.from_scores(scores, metric)
    assert (
        number_format.format_score(0.9731),
        number_format.format_difference(0.025),
        number_format.format_amount(0.025),
        number_format.format_interval(-0.01, 0.02),
    ) == texts
    assert number_format.format_interval(None, None) == number_format.format_sd(None) == "-"


def test_zero_has_no_minus() -> None:
    percent, plain = NumberFormat(True, 0), NumberFormat(False, 2)
    for number_format in (percent, plain):
        assert number_format.format_difference(-1e-9) == "+0.00"
        assert number_format.format_amount(-1e-9).startswith("0.00")
        assert number_format.format_interval(-1e-9, 1e-9) == "+0.00 … +0.00"
        assert number_format.format_difference(-1).startswith("-1")
