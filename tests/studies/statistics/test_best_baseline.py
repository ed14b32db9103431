"""The hardest baseline: beaten if SciPy's one-sided test says so at each of its settings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from lrlab.studies.statistics.best_baseline import BaselineConfig, find_hardest_configs
from lrlab.studies.statistics.paired import adjust_by_holm

Scores = NDArray[np.float64]
RATIO = 0.4


def make_labels(count: int) -> list[str]:
    return [f"lr={i + 1}" for i in range(count)]


def find_configs(
    scores: Scores, baseline_scores: Scores, test_train_ratio: float | None = RATIO, sign: int = 1
) -> list[BaselineConfig]:
    by_label = dict(zip(make_labels(len(baseline_scores)), baseline_scores, strict=True))
    return find_hardest_configs(scores, by_label, test_train_ratio, sign)


@st.composite
def draw_both_scores(draw: st.DrawFn) -> tuple[Scores, Scores]:
    """Draw scores of schedules and of the baseline at several settings."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    schedule_count, config_count = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    gains = draw(st.sampled_from([0.0, 1.0, 3.0])) * rng.normal(0.7, 1, (schedule_count, 1))
    seeds = draw(st.sampled_from([4, 30]))
    level = rng.normal(0, 5, seeds)
    scores = level + gains + rng.normal(0, 1, (schedule_count, seeds))
    config_means = level + rng.normal(0, 0.5, (config_count, 1))
    return scores, config_means + rng.normal(0, 1, (config_count, seeds))


@given(draw_both_scores())
def test_a_config_is_beaten_if_all_one_sided_tests_of_scipy_say_so(
    pair: tuple[Scores, Scores],
) -> None:
    scores, baseline_scores = pair
    seeds = scores.shape[1]
    new_data_factor = 1 / np.sqrt(1 + RATIO * seeds)  # of t, by Nadeau and Bengio
    t = np.array(
        [[stats.ttest_rel(row, other).statistic for other in baseline_scores] for row in scores]
    )
    configs = find_configs(scores, baseline_scores)
    for name, factor in (("is_beaten", 1.0), ("is_beaten_for_new_data", new_data_factor)):
        p = stats.t.sf(factor * t, seeds - 1).max(axis=1)
        expected = adjust_by_holm(2 * p) < 0.05  # one-sided at the level of the two-sided test
        assert [getattr(config, name) for config in configs] == list(expected)
    for config, row in zip(configs, t, strict=True):
        index = make_labels(len(baseline_scores)).index(config.label)
        assert config.mean == pytest.approx(baseline_scores[index].mean())
        if row.min() > -6:  # below that, all p-values are equal
            assert index == row.argmin()


def test_of_several_far_better_configs_the_one_with_the_best_mean_is_named() -> None:
    rng = np.random.default_rng(0)
    baseline_scores = rng.normal([[50], [90], [70]], 0.1, (3, 30))
    (config,) = find_configs(rng.normal(0, 0.1, (1, 30)), baseline_scores)
    assert config.label == make_labels(3)[1]


@given(draw_both_scores())
def test_another_config_makes_no_schedule_a_winner(pair: tuple[Scores, Scores]) -> None:
    scores, baseline_scores = pair
    fewer = find_configs(scores, baseline_scores)
    more = find_configs(scores, np.vstack([baseline_scores, baseline_scores.max(axis=0)]))
    for before, after in zip(fewer, more, strict=True):
        assert after.is_beaten <= before.is_beaten
        assert after.is_beaten_for_new_data <= before.is_beaten_for_new_data


def test_a_badly_tuned_baseline_is_not_enough() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    scores, tuned, better = np.full((1, 30), 2.0), 1.0 + noise[0], 2.0 + noise[1]
    assert not find_configs(scores, np.array([tuned, better]))[0].is_beaten
    assert find_configs(scores, np.array([tuned, better - 1.0]))[0].is_beaten


def test_means_have_their_sign_if_lower_scores_are_better() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    (config,) = find_configs(-np.full((1, 30), 2.0), -(3.0 + noise), sign=-1)
    assert config.is_beaten
    assert config.mean == pytest.approx(3.0, abs=0.1)


def test_no_config_is_beaten_for_new_data_if_all_seeds_have_the_same_test_rows() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    (config,) = find_configs(np.full((1, 30), 2.0), noise, test_train_ratio=None)
    assert (config.is_beaten, config.is_beaten_for_new_data) == (True, False)


def test_there_is_no_hardest_config_of_a_single_one() -> None:
    assert find_configs(np.ones((2, 3)), np.zeros((1, 3))) == []
    assert find_configs(np.empty((0, 3)), np.zeros((2, 3))) == []


def test_the_same_difference_for_all_seeds() -> None:
    """The sign test decides on this data, and nothing does for new data; a tie is not beaten."""
    (config,) = find_configs(np.full((1, 8), 2.0), np.array([[1.0] * 8, [1.5] * 8]))
    assert (config.is_beaten, config.is_beaten_for_new_data) == (True, False)
    (config,) = find_configs(np.full((1, 8), 2.0), np.array([[1.0] * 8, [2.0] * 8]))
    assert not config.is_beaten
    assert config.label == make_labels(2)[1]
