"""Statistics against closed forms and against simulated truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lrlab import Constant, Cosine, Linear, Schedule
from lrlab.problems.tasks import Metric
from lrlab.studies import BASELINE, Comparison, Tuned, answer, compare, verdict
from lrlab.studies.statistics import difference
from lrlab.training import Result, Settings

ACCURACY = Metric("accuracy", more_is_better=True, percent=True, of=lambda a, b: 0.0)
RMSE = Metric("RMSE", more_is_better=False, percent=False, of=lambda a, b: 0.0)


def compared(scores: dict[Schedule, list[float]], metric: Metric = ACCURACY) -> Comparison:
    results = {
        schedule: [Result(score, diverged=False, epochs=(), seconds=0.0) for score in of_seeds]
        for schedule, of_seeds in scores.items()
    }
    return compare(results, BASELINE, metric)


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=30).filter(lambda x: np.ptp(x) > 1e-3))
def test_the_interval_is_students(values: list[float]) -> None:
    n, mean = len(values), sum(values) / len(values)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    half = stats.t.ppf(0.975, n - 1) * sd / math.sqrt(n)
    found = difference(values)
    assert found.mean == pytest.approx(mean, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half), abs=1e-9)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    numbers = np.random.default_rng(0)
    samples = numbers.normal(0.3, 1.0, (2000, 10))
    found = [difference(sample) for sample in samples]
    covered = sum(d.low <= 0.3 <= d.high for d in found)
    assert abs(covered / 2000 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 2000)


@pytest.mark.parametrize("values", [[0.01], [0.01] * 10, [0.1 + 1e-17] * 3, [0.0] * 5])
def test_without_spread_there_is_no_interval(values: list[float]) -> None:
    found = difference(values)
    assert found.mean == pytest.approx(values[0])
    assert found.low is None
    assert found.high is None


def test_differences_are_paired_and_positive_is_better() -> None:
    hard = [0.5, 0.7, 0.9, 0.6]  # seeds differ far more than schedules do
    scores = {BASELINE: hard, Cosine(): [s + d for s, d in zip(hard, [2, 3, 2, 3], strict=True)]}
    (best, last) = compared(scores).rows
    assert best.schedule == "Cosine()"
    assert best.difference is not None
    assert best.difference.mean == pytest.approx(2.5)
    assert best.difference.low > 1.5
    assert last.difference is None
    assert best.sd == pytest.approx(np.std(scores[Cosine()], ddof=1))
    (best, last) = compared(scores, RMSE).rows  # now less is better
    assert best.schedule == "Constant(1.0)"
    assert last.difference is not None
    assert last.difference.mean == pytest.approx(-2.5)


@given(
    base=st.lists(st.floats(0, 1), min_size=1, max_size=8),
    gains=st.lists(st.floats(-1, 1), min_size=8, max_size=8),
    more=st.booleans(),
)
def test_verdicts_say_what_the_numbers_say(
    base: list[float], gains: list[float], more: bool
) -> None:
    scores = {BASELINE: base, Cosine(): [b + g for b, g in zip(base, gains, strict=False)]}
    comparison = compared(scores, ACCURACY if more else RMSE)
    (row,) = [row for row in comparison.rows if row.difference is not None]
    low, high = row.difference.low, row.difference.high
    words = verdict(row)
    if low is None or high is None:
        assert words in ("the same", "cannot be told apart")
    else:
        assert (words == "better") == (low > 0)
        assert (words == "worse") == (high < 0)
    # Turning the direction round turns better into worse.
    (other,) = [
        verdict(row)
        for row in compared(scores, RMSE if more else ACCURACY).rows
        if row.difference is not None
    ]
    assert {words, other} in ({"better", "worse"}, {"cannot be told apart"}, {"the same"})


def test_answers() -> None:
    base = [0.5, 0.6, 0.7, 0.8]
    better, worse = [s + 0.1 for s in base], [s - 0.1 for s in base]
    noise = [0.01, -0.01, 0.005, 0.0]
    better = [s + n for s, n in zip(better, noise, strict=True)]
    worse = [s + n for s, n in zip(worse, noise, strict=True)]
    equal = [s + n for s, n in zip(base, noise, strict=True)]
    linear = Linear(1, 0)
    assert answer(compared({BASELINE: base, linear: better, Cosine(): worse})) == (
        "Linear(1.0, 0.0) is better than the constant rate here."
    )
    assert answer(compared({BASELINE: base, linear: equal, Cosine(): worse})) == (
        "No schedule is better than the constant rate here (1 cannot be told apart, 1 worse)."
    )
    assert "2 schedules are better" in answer(
        compared({BASELINE: base, linear: better, Constant(2.0): better})
    )
    assert "One seed cannot tell" in answer(compared({BASELINE: [0.5], linear: [0.9]}))
    edge, inner = Tuned(Settings(), (), edge=True), Tuned(Settings(), (), edge=False)
    scores = {BASELINE: base, linear: better, Cosine(): [s + 0.05 for s in better]}

    def at_edge(*schedules: Schedule) -> str:
        tuned = {s: edge if s in schedules else inner for s in scores}
        results = {s: [Result(x, False, (), 0.0) for x in own] for s, own in scores.items()}
        return answer(compare(results, BASELINE, ACCURACY, tuned))

    assert at_edge() == "2 schedules are better than the constant rate here, Cosine() on top."
    widen = "at the edge of the grid: widen --lr before a winner is named."
    assert at_edge(Cosine()) == (
        f"Linear(1.0, 0.0) is better than the constant rate here. 1 more is, but at a best rate "
        f"{widen}"
    )
    assert at_edge(linear, Cosine()) == (
        f"2 schedules are better than the constant rate here, but at a best rate {widen}"
    )
    assert at_edge(BASELINE) == (
        "2 schedules are better than the constant rate here, but the constant rate's own best "
        f"rate is {widen}"
    )
    lost = {s: [Result(0.5, diverged=True, epochs=(), seconds=0.0)] * 4 for s in (BASELINE, linear)}
    assert "Every run diverged" in answer(compare(lost, BASELINE, ACCURACY))
