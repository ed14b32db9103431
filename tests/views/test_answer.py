"""Answers say what the numbers say, and every number of a comparison has the same format."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Comparison, Verdict, find_winners
from lrlab.views.answer import VERDICT_LABELS, NumberFormat, assess_claim, write_answer
from tests.studies.statistics.factories import (
    ACCURACY,
    BASE,
    NOISE,
    RMSE,
    draw_scores,
    get_row,
    make_candidate,
    make_comparison,
)


def test_every_verdict_has_words_of_its_own() -> None:
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
    scores: NDArray[np.float64], overlap: float | None, more: bool, edges: list[int]
) -> None:
    comparison = make_comparison(scores, ACCURACY if more else RMSE, overlap, edges=edges)
    text, won = write_answer(comparison), find_winners(comparison)
    first, *rest = lines = text.splitlines()
    assert len(lines) <= 4
    assert max(map(len, lines)) <= 130
    assert "nan" not in text
    if scores.shape[1] == 1:
        assert text.startswith("One seed cannot separate")
        assert not won
        return
    better = [row for row in comparison.other_rows if row.verdict.is_better]
    # A winner is named if there is one that may be, and never another.
    assert won == tuple(
        row for row in better if not row.at_grid_edge and not comparison.baseline_row.at_grid_edge
    )
    named = re.findall(r"(Constant\(\S+\)) is better than", text)
    assert named == [row.schedule for row in won[:1]]
    if won:
        against, style = won[0].vs_baseline, NumberFormat.from_comparison(comparison)
        assert style.format_difference(against.difference) in first
        assert f"{len(won) - 1} more" in first or len(won) == 1
        new = against.for_new_data
        if new is None:
            assert "For new data nothing can be said" in rest[0]
        else:
            assert ("is better too" in rest[0]) == new.significant
            assert ("is not settled" in rest[0]) == (not new.significant)
            assert ("more seeds cannot" in rest[0]) == (
                not new.significant and new.seeds_needed is None
            )
            assert style.format_interval(new.ci_low, new.ci_high) in rest[0]
    elif better:
        assert "none is named" in first
        assert "lowest or highest" in text
    else:
        worse = sum(row.verdict.is_worse for row in comparison.other_rows)
        assert ("worse" in first) == bool(worse)
        assert worse == 0 or f"{worse} " in first or len(comparison.other_rows) == 1


def make_shifted(
    *gains: float, test_train_ratio: float | None = None, edges: list[int] | None = None
):
    """A comparison of candidates that are better than the baseline by about so much."""
    own = [BASE + gain + np.roll(NOISE, i) for i, gain in enumerate(gains)]
    return make_comparison([BASE, *own], test_train_ratio=test_train_ratio, edges=edges)


@pytest.mark.parametrize(
    ("comparison", "text"),
    [
        (
            make_shifted(0.1, -0.1, test_train_ratio=0.4),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points (+9.20 … +10.80).\n"
            "For new data like it, it is better too (+8.52 … +11.48).",
        ),
        (
            make_shifted(0.015, 0.016),
            "On this data (6 seeds) Constant(3.0) is better than the constant rate: "
            "+1.60 points (+0.80 … +2.40), as is 1 more.\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "Constant(2.0) vs the best: -0.10, no clear difference. "
            "Smallest detectable difference with 6 seeds: 2.81 points.",
        ),
        (
            make_shifted(0.012, test_train_ratio=0.4),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+1.20 points (+0.40 … +2.00).\n"
            "For new data like it, this is not settled (-0.28 … +2.68): "
            "more rows may settle it, more seeds cannot.",
        ),
        (
            make_shifted(0.0, 0.001),
            "On this data (6 seeds) there is no clear difference between any schedule and the "
            "constant rate.\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "Constant(3.0) vs the constant rate: +0.10, no clear difference. "
            "Smallest detectable difference with 6 seeds: 1.31 points.",
        ),
        (
            make_shifted(0.0, -0.1, -0.012, test_train_ratio=0.4),
            "On this data (6 seeds) no schedule is better than the constant rate: 2 are worse, "
            "1 without a clear difference.\n"
            "For new data like it, 1 of those is known to be worse.\n"
            "Constant(2.0) vs the constant rate: +0.00, no clear difference. "
            "Smallest detectable difference with 6 seeds: 1.44 points.",
        ),
        (
            make_shifted(-0.012, test_train_ratio=0.4),
            "On this data (6 seeds) Constant(2.0) is worse than the constant rate: "
            "-1.20 points (-2.00 … -0.40).\n"
            "For new data like it, this is not settled (-2.68 … +0.28): "
            "more rows may settle it, more seeds cannot.",
        ),
        (
            make_shifted(0.1, edges=[1]),
            "On this data (6 seeds) 1 schedule is better than the constant rate, but none is "
            "named:\nits best learning rate is the lowest or highest tried, a better one may lie "
            "beyond: extend --lr.",
        ),
        (
            make_shifted(0.1, 0.2, edges=[0]),
            "On this data (6 seeds) 2 schedules are better than the constant rate, but none is "
            "named:\nthe best learning rate of the constant rate is the lowest or highest tried, a "
            "better one may lie beyond: extend --lr.",
        ),
        (
            make_shifted(0.1, 0.2, edges=[2]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points (+9.20 … +10.80).\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "1 more is better, but at the lowest or highest learning rate tried, so not named: "
            "extend --lr.",
        ),
        (
            make_comparison(
                [BASE, BASE + 0.1 + NOISE],
                test_train_ratio=0.4,
                other_baseline_scores=[BASE + 0.02],
            ),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points as tuned (+9.20 … +10.80).\n"
            "For new data like it, it is better too (+8.52 … +11.48).",
        ),
        (
            make_comparison(
                [BASE, BASE + 0.1 + NOISE],
                test_train_ratio=0.4,
                other_baseline_scores=[BASE + 0.09],
            ),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points as tuned (+9.20 … +10.80).\n"
            "For new data like it, this is not settled at all settings of the constant rate.",
        ),
        (
            make_comparison(
                [BASE, BASE + 0.1 + NOISE], other_baseline_scores=[BASE + 0.02, BASE + 0.098]
            ),
            "On this data (6 seeds) no schedule is known to be better than the constant rate:\n"
            "1 is better as tuned, but at learning rate 0.3 the constant rate scores 76.5 %.\n"
            "More --tuning-seeds select better, and so do learning rates closer together (--lr).",
        ),
        (
            make_comparison([BASE, BASE - 0.1 + NOISE], other_baseline_scores=[BASE - 0.2]),
            "On this data (6 seeds) Constant(2.0) is worse than the constant rate: "
            "-10.00 points as tuned (-10.80 … -9.20).\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.",
        ),
        (
            make_comparison([[0.5] * 3] * 2, diverged_count={0: 3, 1: 3}),
            "Every run diverged, so nothing can be said: use a lower learning rate (--lr).",
        ),
        (
            make_comparison([[0.5], [0.9]]),
            "One seed cannot separate a gain from luck: use more (--seeds 30).",
        ),
        (
            make_comparison([[0.5, 0.6]]),
            "There is nothing to compare: name another schedule (--schedule).",
        ),
        (
            make_comparison([[0.5] * 6, [0.7] * 6]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: +20.00 points."
            "\nFor new data nothing can be said: the test rows are not known to vary with the seeds.",
        ),
    ],
)
def test_answers(comparison: Comparison, text: str) -> None:
    assert write_answer(comparison) == text


def test_an_interval_that_excludes_zero_and_does_not_tell_says_why() -> None:
    comparison = make_shifted(0.02, *[0.0] * 11, test_train_ratio=0.4)
    new = get_row(comparison, 1).vs_baseline.for_new_data
    assert new.ci_low > 0
    assert not new.significant
    assert (
        "is not settled (+0.52 … +3.48, but 12 were compared): about 33 seeds would settle it."
        in write_answer(comparison)
    )


@given(draw_scores(2), st.floats(-0.2, 0.2))
def test_a_claimed_gain_lies_within_an_interval_or_outside(
    scores: NDArray[np.float64], gain: float
) -> None:
    comparison = make_comparison(scores, test_train_ratio=0.4)
    row = get_row(comparison, 1)
    text = assess_claim(comparison, row, gain)
    readings = row.vs_baseline.estimates
    if readings[0].ci_low is None:
        assert text.endswith("can be neither confirmed nor refuted.")
        return
    said = re.findall("within|outside", text)
    inside = [reading.ci_low <= gain <= reading.ci_high for reading in readings]
    assert said == ["within" if one else "outside" for one in inside]


def test_a_claim_in_words() -> None:
    comparison = make_shifted(0.012, test_train_ratio=0.4)
    assert assess_claim(comparison, get_row(comparison, 1), 0.025) == (
        "A gain of 2.50 points lies outside +0.40 … +2.00 on this data and within "
        "-0.28 … +2.68 for new data like it."
    )
    assert "neither" in assess_claim(comparison, comparison.baseline_row, 0.025)
    assert make_candidate(0) != make_candidate(1)


@pytest.mark.parametrize(
    ("scores", "metric", "written"),
    [
        ([0.9731, 0.88], ACCURACY, ("97.3 %", "+2.50", "2.50 points", "-1.00 … +2.00")),
        ([54.321, 123.4], RMSE, ("0.97", "+0.03", "0.03", "-0.01 … +0.02")),
        ([1.25e-10], RMSE, ("9.731e-01", "+2.500e-02", "2.500e-02", "-1.000e-02 … +2.000e-02")),
        ([0.0], RMSE, ("0.9731", "+0.0250", "0.0250", "-0.0100 … +0.0200")),
    ],
)
def test_all_in_the_style_of_the_smallest_score(
    scores: list[float], metric: object, written: tuple[str, ...]
) -> None:
    style = NumberFormat.from_scores(scores, metric)
    found = (
        style.format_score(0.9731),
        style.format_difference(0.025),
        style.format_amount(0.025),
        style.format_interval(-0.01, 0.02),
    )
    assert found == written
    assert style.format_interval(None, None) == style.format_sd(None) == "-"
