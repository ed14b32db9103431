"""The tutorial's schedules over 300 paired seeds: what lrlab says of the article's claim."""

import json
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from lrlab import Exponential, Formula, InverseTime, Linear, Schedule
from lrlab.problems import load_problem
from lrlab.problems.metrics import Metric
from lrlab.studies import BASELINE, Comparison, Machine, Verdict, compare_scores, train_blocks
from lrlab.studies.execution.runner import plan_blocks
from lrlab.training import Run, Settings
from lrlab.training.engines import Engine
from lrlab.views.answer import NumberFormat, assess_claim, write_answer
from tests.conftest import REPOSITORY

SEEDS = 300
OVERLAP = 106 / 245
SCHEDULES: dict[str, Schedule] = {
    "constant": BASELINE,
    "linear": Linear(1.0, 0.5, over=30),
    "exp": Exponential(0.99),
    "lambda_double": Formula("0.1 / (1 + 0.01*t)"),
    "inverse_time": InverseTime(0.01),
}
ACCURACY = Metric("accuracy", greater_is_better=True, percent=True, fn=lambda a, b: a)


@pytest.fixture
def known(tutorial: dict) -> dict[str, dict[str, float]]:
    return tutorial["results_over_300_paired_seeds_percent"]


def simulate_scores(known: dict[str, dict[str, float]]) -> dict[Schedule, NDArray[np.float64]]:
    """Scores with exactly the means and deviations of the reference, and its errors of pairs."""
    normal = np.random.default_rng(0).normal(size=(SEEDS, len(known) + 1))
    apart, _ = np.linalg.qr(normal - normal.mean(axis=0))
    apart *= math.sqrt(SEEDS - 1)  # columns of mean 0 and deviation 1, at right angles
    base, scores = known["constant"]["sd"], {}
    for i, (name, row) in enumerate(known.items(), start=1):
        sd, of_pairs = row["sd"], row["standard_error_of_difference"] * math.sqrt(SEEDS)
        r = min(1.0, (base**2 + sd**2 - of_pairs**2) / (2 * base * sd))
        own = r * apart[:, 0] + math.sqrt(1 - r**2) * apart[:, i]
        mean = known["constant"]["mean"] + row["paired_difference_to_constant"]
        scores[SCHEDULES[name]] = (mean + sd * own) / 100
    return scores


def train_and_compare() -> Comparison:
    """The same schedules, really trained over as many seeds."""
    problem, engine, place = load_problem("ionosphere"), Engine("ensemble"), Machine(1)
    settings = Settings(shuffle=problem.shuffle)
    runs = {
        f"{name} {seed}": Run(schedule, settings, seed)
        for name, schedule in SCHEDULES.items()
        for seed in range(SEEDS)
    }
    results = {}
    blocks = plan_blocks(problem, runs, engine, place)
    grouped = [{id: runs[id] for id in block} for block in blocks]
    for together in train_blocks(problem, grouped, engine, place):
        results |= together
    scores = {
        schedule: np.array([results[f"{name} {seed}"].test_score for seed in range(SEEDS)])
        for name, schedule in SCHEDULES.items()
    }
    assert problem.test_train_ratio == OVERLAP
    return compare_scores(scores, BASELINE, problem.metric, problem.test_train_ratio)


def check_comparison(comparison: Comparison) -> None:
    """What the reference says of the article: its gain is a loss here, and unknown elsewhere."""
    assert {row.schedule: row.verdict for row in comparison.rows} == {
        repr(SCHEDULES["constant"]): Verdict.BASELINE,
        repr(SCHEDULES["linear"]): Verdict.WORSE,
        repr(SCHEDULES["exp"]): Verdict.WORSE,
        repr(SCHEDULES["inverse_time"]): Verdict.WORSE,
        repr(SCHEDULES["lambda_double"]): Verdict.WORSE_ON_NEW_DATA,
    }
    (linear,) = [row for row in comparison.rows if row.schedule == repr(SCHEDULES["linear"])]
    said = assess_claim(comparison, linear, 2 / 106)  # 92 and 94 of 106 rows
    assert said.startswith("A gain of 1.89 points lies outside ")
    assert said.count("outside") == 2
    text = write_answer(comparison)
    assert text.startswith(
        "On this data (300 seeds) no schedule is better than the constant rate: 4 are worse.\n"
        "For new data like it, 1 of those is known to be worse."
    )


def test_the_reference_in_both_readings(known: dict[str, dict[str, float]]) -> None:
    scores = simulate_scores(known)
    for name, schedule in SCHEDULES.items():
        own, row = 100 * scores[schedule], known[name]
        assert own.mean() == pytest.approx(row["mean"], abs=0.01)
        assert own.std(ddof=1) == pytest.approx(row["sd"], rel=1e-9)
        error = (own - 100 * scores[BASELINE]).std(ddof=1) / math.sqrt(SEEDS)
        assert error == pytest.approx(row["standard_error_of_difference"], abs=1e-9)
    comparison = compare_scores(scores, BASELINE, ACCURACY, OVERLAP)
    check_comparison(comparison)
    # By hand: -0.752 -+ 1.968 * 0.069, and -+ 1.968 * 0.069 * sqrt(300) * sqrt(1/300 + 106/245).
    (linear,) = [row for row in comparison.rows if row.schedule == repr(SCHEDULES["linear"])]
    here, new = linear.vs_baseline.estimates
    assert (100 * here.ci_low, 100 * here.ci_high) == pytest.approx((-0.888, -0.616), abs=1e-3)
    assert (100 * new.ci_low, 100 * new.ci_high) == pytest.approx((-2.306, 0.802), abs=2e-3)
    two = compare_scores(
        {s: scores[s] for s in (BASELINE, SCHEDULES["linear"])}, BASELINE, ACCURACY, OVERLAP
    )
    assert write_answer(two) == (
        "On this data (300 seeds) Linear(1.0, 0.5, over=30) is worse than the constant rate: "
        "-0.75 points (-0.89 … -0.62).\n"
        "For new data like it, this is not settled (-2.30 … +0.80): more rows may settle it, "
        "more seeds cannot."
    )


def test_the_document_shows_what_was_measured() -> None:
    """Its second interval is the first one, wider by the root of 1 + n * n_test / n_train."""
    folder = REPOSITORY / "benchmarks" / "results"
    row = json.loads((folder / "tutorial.json").read_text())["schedules"]["linear"]
    style, mean = NumberFormat(percent=True, decimals=0), row["difference"]
    half = (row["ci_high"] - row["ci_low"]) / 2 * math.sqrt(1 + SEEDS * OVERLAP)
    document = (REPOSITORY / "docs" / "statistics.md").read_text()
    assert (
        f"{style.format_difference(mean)} points ({style.format_interval(row['ci_low'], row['ci_high'])})"
        in document
    )
    assert f"is not settled ({style.format_interval(mean - half, mean + half)})" in document


@pytest.mark.slow
def test_real_runs_agree_with_the_reference(known: dict[str, dict[str, float]]) -> None:
    comparison = train_and_compare()
    check_comparison(comparison)
    rows = {row.schedule: row for row in comparison.rows}
    for name, schedule in SCHEDULES.items():
        row, reference = rows[repr(schedule)], known[name]
        errors = math.hypot(reference["sd"], 100 * row.sd) / math.sqrt(SEEDS)
        assert abs(100 * row.mean - reference["mean"]) < 4 * errors
        if row.vs_baseline is None:
            continue
        here = row.vs_baseline.on_this_data
        own_error = 100 * (here.ci_high - here.ci_low) / 2 / 1.968
        error = reference["standard_error_of_difference"]
        assert own_error == pytest.approx(error, rel=0.25)
        found, expected = (
            100 * row.vs_baseline.difference,
            reference["paired_difference_to_constant"],
        )
        assert abs(found - expected) < 4 * math.hypot(own_error, error)
