"""The tutorial's schedules over 300 paired seeds: verdicts on the article's claim."""

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lrlab import Exponential, Formula, InverseTime, Linear, Schedule
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Comparison,
    Machine,
    NewDataFinding,
    RecommendationReason,
    Verdict,
    compare_scores,
    recommend,
    train_blocks,
)
from lrlab.studies.execution.runner import plan_blocks
from lrlab.training import Run, Settings
from lrlab.training.engines import EnsembleEngine
from lrlab.views.number_format import NumberFormat
from tests.conftest import REPOSITORY

SEEDS = 300
RATIO = 106 / 245
SCHEDULES: dict[str, Schedule] = {
    "constant": BASELINE,
    "linear": Linear(1.0, 0.5, over=30),
    "exp": Exponential(0.99),
    "lambda_double": Formula("0.1 / (1 + 0.01*t)"),
    "inverse_time": InverseTime(0.01),
}


@pytest.fixture
def reference(tutorial: dict) -> dict[str, dict[str, float]]:
    return tutorial["results_over_300_paired_seeds_percent"]


def simulate_scores(
    reference: dict[str, dict[str, float]],
) -> dict[Schedule, NDArray[np.float64]]:
    """Make scores with exactly the means, deviations and paired errors of the reference."""
    normal = np.random.default_rng(0).normal(size=(SEEDS, len(reference) + 1))
    noise, _ = np.linalg.qr(normal - normal.mean(axis=0))
    noise *= math.sqrt(SEEDS - 1)  # orthogonal columns of mean 0 and standard deviation 1
    baseline_sd, scores = reference["constant"]["sd"], {}
    for i, (name, row) in enumerate(reference.items(), start=1):
        sd, paired_sd = row["sd"], row["standard_error_of_difference"] * math.sqrt(SEEDS)
        r = min(1.0, (baseline_sd**2 + sd**2 - paired_sd**2) / (2 * baseline_sd * sd))
        mean = reference["constant"]["mean"] + row["paired_difference_to_constant"]
        standardized = r * noise[:, 0] + math.sqrt(1 - r**2) * noise[:, i]
        scores[SCHEDULES[name]] = (mean + sd * standardized) / 100
    return scores


def train_and_compare() -> Comparison:
    """Train the same schedules over the same number of seeds, and compare them."""
    problem, engine, machine = load_problem("ionosphere"), EnsembleEngine(), Machine(1)
    settings = Settings(shuffle=problem.shuffle)
    runs = {
        f"{name} {seed}": Run(schedule, settings, seed)
        for name, schedule in SCHEDULES.items()
        for seed in range(SEEDS)
    }
    results = {}
    blocks = [
        {run_id: runs[run_id] for run_id in run_ids}
        for run_ids in plan_blocks(problem, runs, engine, machine)
    ]
    for block_results in train_blocks(problem, blocks, engine, machine):
        results |= block_results
    assert problem.test_train_ratio == RATIO
    return compare(
        {
            schedule: np.array([results[f"{name} {seed}"].test_score for seed in range(SEEDS)])
            for name, schedule in SCHEDULES.items()
        }
    )


def compare(scores: dict[Schedule, NDArray[np.float64]]) -> Comparison:
    return compare_scores(
        {repr(schedule): values for schedule, values in scores.items()},
        repr(BASELINE),
        greater_is_better=True,
        test_train_ratio=RATIO,
    )


def check_comparison(comparison: Comparison) -> None:
    """Check the answer: the article's gain is a loss on this data, and not settled for new data."""
    assert {row.label: row.verdict for row in comparison.rows} == {
        repr(SCHEDULES["constant"]): Verdict.BASELINE,
        repr(SCHEDULES["linear"]): Verdict.WORSE,
        repr(SCHEDULES["exp"]): Verdict.WORSE,
        repr(SCHEDULES["inverse_time"]): Verdict.WORSE,
        repr(SCHEDULES["lambda_double"]): Verdict.WORSE_ON_NEW_DATA,
    }
    (linear,) = [row for row in comparison.rows if row.label == repr(SCHEDULES["linear"])]
    claim = 2 / 106  # 92 and 94 of 106 rows
    assert [estimate.contains(claim) for estimate in linear.vs_baseline.estimates] == [False] * 2
    assert linear.new_data_finding is NewDataFinding.NEEDS_ROWS
    recommendation = recommend(comparison)
    assert recommendation.label == repr(BASELINE)
    assert recommendation.reason is RecommendationReason.OTHERS_WORSE


def test_estimates_of_simulated_scores(reference: dict[str, dict[str, float]]) -> None:
    scores = simulate_scores(reference)
    for name, schedule in SCHEDULES.items():
        percents, row = 100 * scores[schedule], reference[name]
        assert percents.mean() == pytest.approx(row["mean"], abs=0.01)
        assert percents.std(ddof=1) == pytest.approx(row["sd"], rel=1e-9)
        error = (percents - 100 * scores[BASELINE]).std(ddof=1) / math.sqrt(SEEDS)
        assert error == pytest.approx(row["standard_error_of_difference"], abs=1e-9)
    comparison = compare(scores)
    check_comparison(comparison)
    # By hand: -0.752 -+ 1.968 * 0.069, and -+ 1.968 * 0.069 * sqrt(300) * sqrt(1/300 + 106/245).
    (linear,) = [row for row in comparison.rows if row.label == repr(SCHEDULES["linear"])]
    here, new = linear.vs_baseline.estimates
    assert (100 * here.ci_low, 100 * here.ci_high) == pytest.approx((-0.888, -0.616), abs=1e-3)
    assert (100 * new.ci_low, 100 * new.ci_high) == pytest.approx((-2.306, 0.802), abs=2e-3)


def test_the_document_has_the_measured_intervals() -> None:
    """The second is the first, wider by the square root of 1 + n * n_test / n_train."""
    folder = REPOSITORY / "benchmarks" / "results"
    row = json.loads((folder / "tutorial.json").read_text())["schedules"]["linear"]
    number_format, mean = NumberFormat(percent=True, decimals=0), row["difference"]
    half_width = (row["ci_high"] - row["ci_low"]) / 2 * math.sqrt(1 + SEEDS * RATIO)
    document = (REPOSITORY / "docs" / "statistics.md").read_text()
    difference = number_format.format_difference(mean)
    here = number_format.format_interval(row["ci_low"], row["ci_high"])
    new = number_format.format_interval(mean - half_width, mean + half_width)
    assert f"{difference} points (95 % interval {here})" in document
    assert f"there is no clear difference (95 % interval {new})" in document


@pytest.mark.slow
def test_trained_runs_agree_with_the_reference(
    reference: dict[str, dict[str, float]],
) -> None:
    comparison = train_and_compare()
    check_comparison(comparison)
    rows = {row.label: row for row in comparison.rows}
    for name, schedule in SCHEDULES.items():
        row, expected = rows[repr(schedule)], reference[name]
        mean_error = math.hypot(expected["sd"], 100 * row.sd) / math.sqrt(SEEDS)
        assert abs(100 * row.mean - expected["mean"]) < 4 * mean_error
        if row.vs_baseline is None:
            continue
        here = row.vs_baseline.on_this_data
        error = 100 * (here.ci_high - here.ci_low) / 2 / 1.968
        expected_error = expected["standard_error_of_difference"]
        assert error == pytest.approx(expected_error, rel=0.25)
        deviation = 100 * row.vs_baseline.difference - expected["paired_difference_to_constant"]
        assert abs(deviation) < 4 * math.hypot(error, expected_error)
