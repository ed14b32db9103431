"""Verdicts agree with the p-values and differences, whatever the scores."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lrlab.studies import Verdict, find_winners
from tests.studies.statistics.factories import (
    BASE,
    NOISE,
    draw_scores,
    get_row,
    make_comparison,
)

ON_NEW_DATA = {Verdict.BETTER_ON_NEW_DATA, Verdict.WORSE_ON_NEW_DATA}


@given(draw_scores(), st.sampled_from([None, 0.4]), st.booleans())
def test_verdicts_agree_with_p_values_and_differences(
    scores: NDArray[np.float64], test_train_ratio: float | None, greater_is_better: bool
) -> None:
    comparison = make_comparison(scores, greater_is_better, test_train_ratio)
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
    # With the opposite direction, better and worse change places, and nothing else changes.
    reversed_comparison = make_comparison(scores, not greater_is_better, test_train_ratio)
    opposites = {
        Verdict.BETTER: Verdict.WORSE,
        Verdict.BETTER_ON_NEW_DATA: Verdict.WORSE_ON_NEW_DATA,
    }
    opposites |= {worse: better for better, worse in opposites.items()}
    for row in comparison.rows:
        (other,) = [r.verdict for r in reversed_comparison.rows if r.label == row.label]
        assert other is opposites.get(row.verdict, row.verdict)


@given(
    draw_scores(5),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.005, 0.02, 0.05]),
    st.sampled_from([None, 0.4]),
    st.booleans(),
)
def test_better_schedules_beat_the_baseline_at_all_settings(
    scores: NDArray[np.float64],
    config_count: int,
    gap: float,
    test_train_ratio: float | None,
    greater_is_better: bool,
) -> None:
    sign = 1 if greater_is_better else -1
    baseline_scores = [scores[0] + (row - row.mean()) for row in scores[1 : 1 + config_count]]
    baseline_scores[-1] += sign * gap
    comparison = make_comparison(
        scores, greater_is_better, test_train_ratio, other_baseline_scores=baseline_scores
    )
    before = make_comparison(scores, greater_is_better, test_train_ratio)
    for row in comparison.other_rows:
        (alone,) = [r.verdict for r in before.rows if r.label == row.label]
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
        if verdict.is_better:
            assert sign * row.mean > max(sign * np.mean(s) for s in (scores[0], *baseline_scores))
    winners = find_winners(comparison)
    assert {row.label for row in winners} <= {row.label for row in find_winners(before)}
    assert all(row.verdict.is_better for row in winners)


def test_a_baseline_beaten_on_this_data_may_not_be_beaten_on_new_data() -> None:
    for gap, verdict in ((0.02, Verdict.BETTER_ON_NEW_DATA), (0.09, Verdict.BETTER)):
        comparison = make_comparison(
            [BASE, BASE + 0.1 + NOISE], test_train_ratio=0.4, other_baseline_scores=[BASE + gap]
        )
        assert get_row(comparison, 1).verdict is verdict
