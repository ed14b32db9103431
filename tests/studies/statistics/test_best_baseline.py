"""A schedule beats its rivals where SciPy's tests of each say so; and by luck hardly ever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from lrlab.studies.statistics.best_baseline import BaselineConfig, find_hardest_configs
from lrlab.studies.statistics.paired import adjust_by_holm
from lrlab.training import Settings

Scores = NDArray[np.float64]
OVERLAP = 0.4


def make_settings(count: int) -> list[Settings]:
    return [Settings(lr=0.01 * (i + 1)) for i in range(count)]


def find_configs(
    own: Scores, rivals: Scores, test_train_ratio: float | None = OVERLAP, sign: int = 1
) -> list[BaselineConfig]:
    named = dict(zip(make_settings(len(rivals)), rivals, strict=True))
    return find_hardest_configs(own, named, test_train_ratio, sign)


@st.composite
def draw_both_scores(draw: st.DrawFn) -> tuple[Scores, Scores]:
    """Of some schedules and of some rivals, from hopeless to overwhelming."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    few, many = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    gains = draw(st.sampled_from([0.0, 1.0, 3.0])) * numbers.normal(0.7, 1, (few, 1))
    seeds = draw(st.sampled_from([4, 30]))
    level = numbers.normal(0, 5, seeds)
    own = level + gains + numbers.normal(0, 1, (few, seeds))
    return own, level + numbers.normal(0, 0.5, (many, 1)) + numbers.normal(0, 1, (many, seeds))


@given(draw_both_scores())
def test_beaten_are_those_that_one_sided_tests_of_scipy_all_say(
    pair: tuple[Scores, Scores],
) -> None:
    own, rivals = pair
    seeds = own.shape[1]
    wider = 1 / np.sqrt(1 + OVERLAP * seeds)  # what Nadeau and Bengio's correction makes of t
    t = np.array([[stats.ttest_rel(one, rival).statistic for rival in rivals] for one in own])
    found = find_configs(own, rivals)
    for reading, shrunk in (("is_beaten", 1.0), ("is_beaten_for_new_data", wider)):
        p = stats.t.sf(shrunk * t, seeds - 1).max(axis=1)  # the hardest rival's
        expected = (
            adjust_by_holm(2 * p) < 0.05
        )  # the same level as that of the test that has two sides
        assert [getattr(one, reading) for one in found] == list(expected)
    for one, row in zip(found, t, strict=True):
        at = make_settings(len(rivals)).index(one.settings)
        assert one.mean == pytest.approx(rivals[at].mean())
        if row.min() > -6:  # further behind, p-values are all the same
            assert at == row.argmin()


def test_far_behind_many_the_best_of_them_is_named() -> None:
    numbers = np.random.default_rng(0)
    rivals = numbers.normal([[50], [90], [70]], 0.1, (3, 30))
    (found,) = find_configs(numbers.normal(0, 0.1, (1, 30)), rivals)
    assert found.settings == make_settings(3)[1]


@given(draw_both_scores())
def test_one_more_rival_makes_nobody_a_winner(pair: tuple[Scores, Scores]) -> None:
    own, rivals = pair
    fewer, more = (
        find_configs(own, rivals),
        find_configs(own, np.vstack([rivals, rivals.max(axis=0)])),
    )
    for before, after in zip(fewer, more, strict=True):
        assert after.is_beaten <= before.is_beaten
        assert after.is_beaten_for_new_data <= before.is_beaten_for_new_data


def test_of_the_baseline_badly_tuned_and_well_tuned_the_second_counts() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    own, tuned, better = np.full((1, 30), 2.0), 1.0 + noise[0], 2.0 + noise[1]
    assert not find_configs(own, np.array([tuned, better]))[0].is_beaten
    assert find_configs(own, np.array([tuned, better - 1.0]))[0].is_beaten


def test_less_is_better_where_the_metric_says_so_and_means_are_as_measured() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    (found,) = find_configs(-np.full((1, 30), 2.0), -(3.0 + noise), sign=-1)
    assert found.is_beaten
    assert found.mean == pytest.approx(3.0, abs=0.1)


def test_for_new_data_nothing_is_beaten_where_all_test_the_same_rows() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 30))
    (found,) = find_configs(np.full((1, 30), 2.0), noise, test_train_ratio=None)
    assert (found.is_beaten, found.is_beaten_for_new_data) == (True, False)


def test_against_one_setting_there_are_no_rivals() -> None:
    assert find_configs(np.ones((2, 3)), np.zeros((1, 3))) == []
    assert find_configs(np.empty((0, 3)), np.zeros((2, 3))) == []


def test_the_same_difference_with_every_seed() -> None:
    """No spread: the sign test on this data, nothing for new data; a tie is not beaten."""
    (found,) = find_configs(np.full((1, 8), 2.0), np.array([[1.0] * 8, [1.5] * 8]))
    assert (found.is_beaten, found.is_beaten_for_new_data) == (True, False)
    (found,) = find_configs(np.full((1, 8), 2.0), np.array([[1.0] * 8, [2.0] * 8]))
    assert not found.is_beaten
    assert found.settings == make_settings(2)[1]
