"""Verdicts say what the numbers say, whatever the numbers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Verdict, find_winners
from lrlab.views.answer import write_answer
from tests.studies.statistics.factories import (
    ACCURACY,
    BASE,
    NOISE,
    RMSE,
    draw_scores,
    get_row,
    make_comparison,
)

ON_NEW_DATA = {Verdict.BETTER_ON_NEW_DATA, Verdict.WORSE_ON_NEW_DATA}


@given(draw_scores(), st.sampled_from([None, 0.4]), st.booleans())
def test_verdicts_say_what_the_numbers_say(
    scores: NDArray[np.float64], test_train_ratio: float | None, greater: bool
) -> None:
    comparison = make_comparison(scores, ACCURACY if greater else RMSE, test_train_ratio)
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
    turned = make_comparison(scores, RMSE if greater else ACCURACY, test_train_ratio)
    opposites = {
        Verdict.BETTER: Verdict.WORSE,
        Verdict.BETTER_ON_NEW_DATA: Verdict.WORSE_ON_NEW_DATA,
    }
    opposites |= {worse: better for better, worse in opposites.items()}
    for row in comparison.rows:
        (other,) = [r.verdict for r in turned.rows if r.schedule == row.schedule]
        assert other is opposites.get(row.verdict, row.verdict)


@given(
    draw_scores(5),
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
    comparison = make_comparison(
        scores, RMSE if less else ACCURACY, overlap, other_baseline_scores=rivals
    )
    before = make_comparison(scores, RMSE if less else ACCURACY, overlap)
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


def test_beaten_on_this_data_is_not_beaten_on_new_data() -> None:
    for gap, verdict in ((0.02, Verdict.BETTER_ON_NEW_DATA), (0.09, Verdict.BETTER)):
        comparison = make_comparison(
            [BASE, BASE + 0.1 + NOISE], test_train_ratio=0.4, other_baseline_scores=[BASE + gap]
        )
        assert get_row(comparison, 1).verdict is verdict
