"""Verdicts and answers say what the numbers say, whatever the numbers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Comparison, Verdict, find_winners
from lrlab.views.answer import VERDICT_LABELS, NumberFormat, assess_claim, write_answer
from tests.studies.statistics.making import ACCURACY, RMSE, candidate, compared, row_of

NOISE = np.array([0.01, -0.01, 0.005, -0.002, 0.004, -0.007])
BASE = np.array([0.5, 0.6, 0.7, 0.8, 0.65, 0.75])


def worlds(most: int = 4) -> st.SearchStrategy[NDArray[np.float64]]:
    """Scores of some schedules over some seeds, with effects from none to overwhelming."""

    def drawn(shape: tuple[int, int], size: float, unit: float, seed: int) -> NDArray[np.float64]:
        numbers = np.random.default_rng(seed)
        effects = size * numbers.normal(0, 1, (shape[0], 1))
        scores = 0.7 + unit * (effects + numbers.normal(0, 1, shape)) + numbers.normal(0, 0.02)
        return scores.round(4)  # ties are usual

    shapes = st.tuples(st.integers(2, most), st.sampled_from([1, 2, 5, 30]))
    sizes, units = st.sampled_from([0.0, 0.3, 1.0, 5.0]), st.sampled_from([0.02, 0.001])
    return st.builds(drawn, shapes, sizes, units, st.integers(0, 2**32))


ON_NEW_DATA = {Verdict.BETTER_ON_NEW_DATA, Verdict.WORSE_ON_NEW_DATA}


@given(worlds(), st.sampled_from([None, 0.4]), st.booleans())
def test_verdicts_say_what_the_numbers_say(
    scores: NDArray[np.float64], test_train_ratio: float | None, greater: bool
) -> None:
    comparison = compared(scores, ACCURACY if greater else RMSE, test_train_ratio)
    for row in comparison.rows:
        verdict, paired = row.verdict, row.vs_baseline
        if paired is None:
            assert verdict is Verdict.BASELINE
            continue
        here, new = paired.on_this_data, paired.for_new_data
        assert verdict.is_better == (here.p_holm < 0.05 and paired.difference > 0)
        assert verdict.is_worse == (here.p_holm < 0.05 and paired.difference < 0)
        assert (verdict in ON_NEW_DATA) == (new is not None and new.p_holm < 0.05)
        if verdict is Verdict.IDENTICAL:
            assert paired.difference == 0
        if verdict.is_better and here.ci_low is not None:
            assert here.ci_low > 0
    # Turning the direction round turns better into worse, and changes nothing else.
    turned = compared(scores, RMSE if greater else ACCURACY, test_train_ratio)
    opposites = {
        Verdict.BETTER: Verdict.WORSE,
        Verdict.BETTER_ON_NEW_DATA: Verdict.WORSE_ON_NEW_DATA,
    }
    opposites |= {worse: better for better, worse in opposites.items()}
    for row in comparison.rows:
        (other,) = [r.verdict for r in turned.rows if r.schedule == row.schedule]
        assert other is opposites.get(row.verdict, row.verdict)


def test_every_verdict_has_words_of_its_own() -> None:
    assert list(VERDICT_LABELS) == list(Verdict)
    assert len(set(VERDICT_LABELS.values())) == len(Verdict)
    assert VERDICT_LABELS[Verdict.NO_CLEAR_DIFFERENCE] == "no clear difference"
    assert VERDICT_LABELS[Verdict.BETTER_AS_TUNED] == "better as tuned"


@given(
    worlds(5),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.005, 0.02, 0.05]),
    st.sampled_from([None, 0.4]),
    st.booleans(),
)
def test_better_is_said_only_of_those_that_beat_the_baseline_at_all_settings(
    scores: NDArray[np.float64], more: int, gap: float, overlap: float | None, less: bool
) -> None:
    rivals = [scores[0] + (row - row.mean()) for row in scores[1 : 1 + more]]
    rivals[-1] += -gap if less else gap
    comparison = compared(scores, RMSE if less else ACCURACY, overlap, rivals=rivals)
    before = compared(scores, RMSE if less else ACCURACY, overlap)
    for row in comparison.other_rows:
        (alone,) = [r.verdict for r in before.rows if r.schedule == row.schedule]
        verdict, hardest = row.verdict, row.hardest_baseline
        assert verdict.is_better == (alone.is_better and hardest.is_beaten)
        assert (verdict is Verdict.BETTER_AS_TUNED) == (alone.is_better and not hardest.is_beaten)
        assert (verdict is Verdict.BETTER_ON_NEW_DATA) == (
            alone is Verdict.BETTER_ON_NEW_DATA
            and hardest.is_beaten
            and hardest.is_beaten_for_new_data
        )
        if not alone.is_better:
            assert verdict is (Verdict.WORSE_AS_TUNED if alone is Verdict.WORSE else alone)
        if verdict.is_better:  # as the means have to say too
            sign = -1 if less else 1
            assert sign * row.mean > max(sign * np.mean(own) for own in (scores[0], *rivals))
    won, text = find_winners(comparison), write_answer(comparison)
    assert {row.schedule for row in won} <= {row.schedule for row in find_winners(before)}
    assert all(row.verdict.is_better for row in won)
    as_tuned = sum(row.verdict is Verdict.BETTER_AS_TUNED for row in comparison.other_rows)
    assert ("better as tuned, but at" in text) == (bool(as_tuned) and not won)
    assert (") is better than" in text) == bool(won)
    if as_tuned and not won:
        assert f"{as_tuned} " in text.splitlines()[1]
    if won and overlap is not None:
        too = won[0].verdict is Verdict.BETTER_ON_NEW_DATA
        assert ("is better too" in text) == too
        assert ("is not settled" in text.splitlines()[1]) == (not too)
    assert len(text.splitlines()) <= 4
    assert max(map(len, text.splitlines())) <= 130


@given(
    worlds(5),
    st.sampled_from([None, 0.4]),
    st.booleans(),
    st.lists(st.integers(0, 4), max_size=3),
)
def test_answers_say_what_the_numbers_say(
    scores: NDArray[np.float64], overlap: float | None, more: bool, edges: list[int]
) -> None:
    comparison = compared(scores, ACCURACY if more else RMSE, overlap, edges=edges)
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


def test_beaten_on_this_data_is_not_beaten_on_new_data() -> None:
    for gap, verdict in ((0.02, Verdict.BETTER_ON_NEW_DATA), (0.09, Verdict.BETTER)):
        comparison = compared([BASE, BASE + 0.1 + NOISE], overlap=0.4, rivals=[BASE + gap])
        assert row_of(comparison, 1).verdict is verdict


def shifted(*gains: float, overlap: float | None = None, edges: list[int] | None = None):
    """A comparison of candidates that are better than the baseline by about so much."""
    own = [BASE + gain + np.roll(NOISE, i) for i, gain in enumerate(gains)]
    return compared([BASE, *own], overlap=overlap, edges=edges)


@pytest.mark.parametrize(
    ("comparison", "text"),
    [
        (
            shifted(0.1, -0.1, overlap=0.4),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points (+9.20 … +10.80).\n"
            "For new data like it, it is better too (+8.52 … +11.48).",
        ),
        (
            shifted(0.015, 0.016),
            "On this data (6 seeds) Constant(3.0) is better than the constant rate: "
            "+1.60 points (+0.80 … +2.40), as is 1 more.\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "Constant(2.0) vs the best: -0.10, no clear difference. "
            "Smallest detectable difference with 6 seeds: 2.81 points.",
        ),
        (
            shifted(0.012, overlap=0.4),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+1.20 points (+0.40 … +2.00).\n"
            "For new data like it, this is not settled (-0.28 … +2.68): "
            "more rows may settle it, more seeds cannot.",
        ),
        (
            shifted(0.0, 0.001),
            "On this data (6 seeds) there is no clear difference between any schedule and the "
            "constant rate.\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "Constant(3.0) vs the constant rate: +0.10, no clear difference. "
            "Smallest detectable difference with 6 seeds: 1.31 points.",
        ),
        (
            shifted(0.0, -0.1, -0.012, overlap=0.4),
            "On this data (6 seeds) no schedule is better than the constant rate: 2 are worse, "
            "1 without a clear difference.\n"
            "For new data like it, 1 of those is known to be worse.\n"
            "Constant(2.0) vs the constant rate: +0.00, no clear difference. "
            "Smallest detectable difference with 6 seeds: 1.44 points.",
        ),
        (
            shifted(-0.012, overlap=0.4),
            "On this data (6 seeds) Constant(2.0) is worse than the constant rate: "
            "-1.20 points (-2.00 … -0.40).\n"
            "For new data like it, this is not settled (-2.68 … +0.28): "
            "more rows may settle it, more seeds cannot.",
        ),
        (
            shifted(0.1, edges=[1]),
            "On this data (6 seeds) 1 schedule is better than the constant rate, but none is "
            "named:\nits best learning rate is the lowest or highest tried, a better one may lie "
            "beyond: extend --lr.",
        ),
        (
            shifted(0.1, 0.2, edges=[0]),
            "On this data (6 seeds) 2 schedules are better than the constant rate, but none is "
            "named:\nthe best learning rate of the constant rate is the lowest or highest tried, a "
            "better one may lie beyond: extend --lr.",
        ),
        (
            shifted(0.1, 0.2, edges=[2]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points (+9.20 … +10.80).\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.\n"
            "1 more is better, but at the lowest or highest learning rate tried, so not named: "
            "extend --lr.",
        ),
        (
            compared([BASE, BASE + 0.1 + NOISE], overlap=0.4, rivals=[BASE + 0.02]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points as tuned (+9.20 … +10.80).\n"
            "For new data like it, it is better too (+8.52 … +11.48).",
        ),
        (
            compared([BASE, BASE + 0.1 + NOISE], overlap=0.4, rivals=[BASE + 0.09]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: "
            "+10.00 points as tuned (+9.20 … +10.80).\n"
            "For new data like it, this is not settled at all settings of the constant rate.",
        ),
        (
            compared([BASE, BASE + 0.1 + NOISE], rivals=[BASE + 0.02, BASE + 0.098]),
            "On this data (6 seeds) no schedule is known to be better than the constant rate:\n"
            "1 is better as tuned, but at learning rate 0.3 the constant rate scores 76.5 %.\n"
            "More --tuning-seeds select better, and so do learning rates closer together (--lr).",
        ),
        (
            compared([BASE, BASE - 0.1 + NOISE], rivals=[BASE - 0.2]),
            "On this data (6 seeds) Constant(2.0) is worse than the constant rate: "
            "-10.00 points as tuned (-10.80 … -9.20).\n"
            "For new data nothing can be said: the test rows are not known to vary with the seeds.",
        ),
        (
            compared([[0.5] * 3] * 2, diverged={0: 3, 1: 3}),
            "Every run diverged, so nothing can be said: use a lower learning rate (--lr).",
        ),
        (
            compared([[0.5], [0.9]]),
            "One seed cannot separate a gain from luck: use more (--seeds 30).",
        ),
        (
            compared([[0.5, 0.6]]),
            "There is nothing to compare: name another schedule (--schedule).",
        ),
        (
            compared([[0.5] * 6, [0.7] * 6]),
            "On this data (6 seeds) Constant(2.0) is better than the constant rate: +20.00 points."
            "\nFor new data nothing can be said: the test rows are not known to vary with the seeds.",
        ),
    ],
)
def test_answers(comparison: Comparison, text: str) -> None:
    assert write_answer(comparison) == text


def test_an_interval_that_excludes_zero_and_does_not_tell_says_why() -> None:
    comparison = shifted(0.02, *[0.0] * 11, overlap=0.4)
    new = row_of(comparison, 1).vs_baseline.for_new_data
    assert new.ci_low > 0
    assert not new.significant
    assert (
        "is not settled (+0.52 … +3.48, but 12 were compared): about 33 seeds would settle it."
        in write_answer(comparison)
    )


@given(worlds(2), st.floats(-0.2, 0.2))
def test_a_claimed_gain_lies_within_an_interval_or_outside(
    scores: NDArray[np.float64], gain: float
) -> None:
    comparison = compared(scores, overlap=0.4)
    row = row_of(comparison, 1)
    text = assess_claim(comparison, row, gain)
    readings = row.vs_baseline.estimates
    if readings[0].ci_low is None:
        assert text.endswith("can be neither confirmed nor refuted.")
        return
    said = re.findall("within|outside", text)
    inside = [reading.ci_low <= gain <= reading.ci_high for reading in readings]
    assert said == ["within" if one else "outside" for one in inside]


def test_a_claim_in_words() -> None:
    comparison = shifted(0.012, overlap=0.4)
    assert assess_claim(comparison, row_of(comparison, 1), 0.025) == (
        "A gain of 2.50 points lies outside +0.40 … +2.00 on this data and within "
        "-0.28 … +2.68 for new data like it."
    )
    assert "neither" in assess_claim(comparison, comparison.baseline_row, 0.025)
    assert candidate(0) != candidate(1)
