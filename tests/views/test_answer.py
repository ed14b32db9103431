"""Answers say what the numbers say, and every number of a comparison has the same format."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab.problems.metrics import Metric
from lrlab.studies import Comparison, StudyResult, Verdict, find_winners
from lrlab.training import Settings
from lrlab.views.answer import VERDICT_LABELS, NumberFormat, assess_claim, write_answer
from tests.studies.statistics.factories import (
    BASE,
    NOISE,
    draw_scores,
    get_row,
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
    assert VERDICT_LABELS[Verdict.NO_CLEAR_DIFFERENCE] == "no clear difference"
    assert VERDICT_LABELS[Verdict.BETTER_AS_TUNED] == "better as tuned"


@given(
    draw_scores(5),
    st.sampled_from([None, 0.4]),
    st.booleans(),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_answers_say_what_the_numbers_say(
    scores: NDArray[np.float64],
    test_train_ratio: float | None,
    greater_is_better: bool,
    edges: list[int],
) -> None:
    comparison = make_comparison(scores, greater_is_better, test_train_ratio, edges=edges)
    study = make_answered_study(comparison, greater_is_better)
    text, winners = write_answer(study), find_winners(comparison)
    first, *rest = lines = text.splitlines()
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 130
    assert "nan" not in text
    if scores.shape[1] == 1:
        assert text.startswith("One seed cannot separate")
        assert not winners
        return
    better = [row for row in comparison.other_rows if row.verdict.is_better]
    assert winners == tuple(
        row for row in better if not row.at_grid_edge and not comparison.baseline_row.at_grid_edge
    )
    named = re.findall(r"(Constant\(\S+\)) is better than", text)
    assert named == [row.label for row in winners[:1]]
    if winners:
        paired, number_format = winners[0].vs_baseline, NumberFormat.from_study(study)
        assert number_format.format_difference(paired.difference) in first
        assert re.findall(r"(\d+) others? (?:is|are) better", first) == (
            [f"{len(winners) - 1}"] if len(winners) > 1 else []
        )
        for_new_data = paired.for_new_data
        if for_new_data is None:
            assert "For new data nothing can be said" in rest[0]
        else:
            assert ("is better too" in rest[0]) == for_new_data.significant
            assert ("is not settled" in rest[0]) == (not for_new_data.significant)
            assert ("more seeds cannot" in rest[0]) == (
                not for_new_data.significant and for_new_data.seeds_needed is None
            )
            assert (
                number_format.format_interval(for_new_data.ci_low, for_new_data.ci_high) in rest[0]
            )
    elif better:
        assert "cannot win" in first
        assert "lowest or highest" in text
    else:
        worse = sum(row.verdict.is_worse for row in comparison.other_rows)
        assert ("worse" in first) == bool(worse)
        assert worse == 0 or f"{worse} " in first or len(comparison.other_rows) == 1


def make_shifted(
    *gains: float, test_train_ratio: float | None = None, edges: Sequence[int] = ()
) -> Comparison:
    """Make a comparison of candidates that are better than the baseline by about these gains."""
    scores = [BASE + gain + np.roll(NOISE, i) for i, gain in enumerate(gains)]
    return make_comparison([BASE, *scores], test_train_ratio=test_train_ratio, edges=edges)


ANSWERS = {
    "one schedule is better": make_shifted(0.1, -0.1, test_train_ratio=0.4),
    "two schedules are better": make_shifted(0.015, 0.016),
    "better here, not settled for new data": make_shifted(0.012, test_train_ratio=0.4),
    "no clear difference": make_shifted(0.0, 0.001),
    "some are worse": make_shifted(0.0, -0.1, -0.012, test_train_ratio=0.4),
    "the only other schedule is worse": make_shifted(-0.012, test_train_ratio=0.4),
    "a better schedule at the edge": make_shifted(0.1, edges=[1]),
    "the baseline at the edge": make_shifted(0.1, 0.2, edges=[0]),
    "one of two better schedules at the edge": make_shifted(0.1, 0.2, edges=[2]),
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
        [BASE, BASE - 0.1 + NOISE], other_baseline_scores=[BASE - 0.2]
    ),
    "all runs diverged": make_comparison([[0.5] * 3] * 2, diverged_counts={0: 3, 1: 3}),
    "one seed": make_comparison([[0.5], [0.9]]),
    "nothing to compare": make_comparison([[0.5, 0.6]]),
    "no spread": make_comparison([[0.5] * 6, [0.7] * 6]),
}


def test_answers(file_regression: FileRegressionFixture) -> None:
    answers = (
        f"[{name}]\n{write_answer(make_answered_study(comparison))}\n"
        for name, comparison in ANSWERS.items()
    )
    file_regression.check("\n".join(answers), extension=".txt")


def test_an_interval_that_excludes_zero_but_is_not_significant_says_why() -> None:
    comparison = make_shifted(0.02, *[0.0] * 11, test_train_ratio=0.4)
    for_new_data = get_row(comparison, 1).vs_baseline.for_new_data
    assert for_new_data.ci_low > 0
    assert not for_new_data.significant
    assert (
        "is not settled (+0.52 … +3.48, but 12 schedules were compared): "
        "about 33 seeds would settle it." in write_answer(make_answered_study(comparison))
    )


@given(draw_scores(2), st.floats(-0.2, 0.2))
def test_a_claimed_gain_lies_within_an_interval_or_outside(
    scores: NDArray[np.float64], gain: float
) -> None:
    comparison = make_comparison(scores, test_train_ratio=0.4)
    row = get_row(comparison, 1)
    text = assess_claim(make_answered_study(comparison), row, gain)
    estimates = row.vs_baseline.estimates
    if estimates[0].ci_low is None:
        assert text.endswith("can be neither confirmed nor refuted.")
        return
    assert re.findall("within|outside", text) == [
        "within" if estimate.ci_low <= gain <= estimate.ci_high else "outside"
        for estimate in estimates
    ]


def test_a_claim_in_words() -> None:
    comparison = make_shifted(0.012, test_train_ratio=0.4)
    study = make_answered_study(comparison)
    assert assess_claim(study, get_row(comparison, 1), 0.025) == (
        "A gain of 2.50 points lies outside +0.40 … +2.00 on this data and within "
        "-0.28 … +2.68 for new data like it."
    )
    assert "neither" in assess_claim(study, comparison.baseline_row, 0.025)


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


def test_pairs_that_differ_by_rounding_errors_only_are_not_mentioned() -> None:
    comparison = make_comparison([BASE, BASE + 1e-8 * NOISE, BASE + NOISE])
    last_line = write_answer(make_answered_study(comparison)).splitlines()[-1]
    assert last_line.startswith("Constant(3.0) vs the constant rate: +0.00 points")
    assert "0.00 points." not in last_line


def test_zero_has_no_minus() -> None:
    percent, plain = NumberFormat(True, 0), NumberFormat(False, 2)
    for number_format in (percent, plain):
        assert number_format.format_difference(-1e-9) == "+0.00"
        assert number_format.format_amount(-1e-9).startswith("0.00")
        assert number_format.format_interval(-1e-9, 1e-9) == "+0.00 … +0.00"
        assert number_format.format_difference(-1).startswith("-1")
