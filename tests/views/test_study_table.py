"""The report of a study: answer, ranked table, notes on this study, and times to target."""

from collections.abc import Mapping
from dataclasses import replace
from html import escape

import numpy as np
import pytest
from pytest_regressions.file_regression import FileRegressionFixture

from lrlab import Cosine, Linear, parse
from lrlab.problems import TrainingFunction, load_problem
from lrlab.schedules import Schedule
from lrlab.studies import (
    BASELINE,
    Plan,
    Protocol,
    StudyResult,
    TimeToTarget,
    build_grid,
    build_plan,
    compare_scores,
)
from lrlab.training import Result, Settings
from lrlab.views.answer import write_answer
from lrlab.views.study_table import (
    format_report,
    format_table,
    format_times_to_target,
    format_title,
    render_html,
)
from tests.studies.statistics.factories import BASELINE_LABEL
from tests.views.factories import make_compared_study, make_results, make_study

COSINE, LINEAR = Cosine(), Linear(1, 0)
RATES = [0.01, 0.1, 1.0]


def make_tuned_plan(grid_extensions: int = 2, score: str = "final") -> Plan:
    grid = build_grid(Settings(epochs=2, validation_size=0.2), RATES, [0, 0.9])
    return build_plan(
        load_problem("iris"), [COSINE, LINEAR], grid, Protocol(6, 4, grid_extensions, score)
    )


def make_untuned_plan(**settings: object) -> Plan:
    return build_plan(
        load_problem("iris"), [COSINE, LINEAR], Settings(epochs=2, **settings), Protocol(6)
    )


def make_final_results(**diverged: int) -> dict[Schedule, list[Result]]:
    return {
        BASELINE: make_results(0.9, 0, diverged.get("constant", 0)),
        COSINE: make_results(0.95, 1, diverged.get("cosine", 0)),
        LINEAR: make_results(0.8, 2),
    }


def format_notes(study: StudyResult) -> str:
    return format_report(study).split("\n\n")[2]


def select_middle_settings(plan: Plan) -> Mapping[Schedule, Settings]:
    """Select the settings in the middle of the grid for every schedule."""
    return dict.fromkeys(plan.schedules, plan.grid[2])


def test_the_report(file_regression: FileRegressionFixture) -> None:
    plan = make_tuned_plan()
    study = make_study(plan, make_final_results(), select_middle_settings(plan))
    text = format_report(study)
    file_regression.check(text, extension=".txt")
    title_and_answer, table, _, times = text.split("\n\n")
    assert title_and_answer.split("\n", 1)[1] == write_answer(study)
    assert table == format_table(study)
    assert times.splitlines()[2].split() == ["1", "Cosine()", "2", "100", "%"]
    mean = np.mean([result.test_score for result in make_final_results()[BASELINE]])
    assert f"{100 * mean:.1f} %" in times


def test_the_target_score_may_be_given() -> None:
    study = make_study(make_untuned_plan(), make_final_results())
    times = format_report(study, target_score=0.85).split("\n\n")[-1].splitlines()
    assert "85.0 %" in times[1]
    assert "`target_score`" in format_report(study)
    assert "`target_score`" not in format_report(study, target_score=0.85)
    assert [line.split()[-2] for line in times[2:-1]] == ["100", "100", "0"]


@pytest.mark.parametrize(
    ("settings", "diverged", "mentions"),
    [
        ({}, {}, ["SGD at learning rate 0.1 for", "`tune=True`"]),
        ({"momentum": 0.9}, {}, ["SGD at learning rate 0.1, momentum 0.9 for"]),
        (
            {"optimizer": "adam", "lr": 0.002},
            {"constant": 2, "cosine": 1},
            ["Adam at learning rate 0.002 for", "3 of 18 runs diverged", "lower `lr`"],
        ),
    ],
)
def test_notes_without_tuning_name_the_learning_rate(
    settings: dict, diverged: dict, mentions: list[str]
) -> None:
    study = make_study(make_untuned_plan(**settings), make_final_results(**diverged))
    assert all(text in format_notes(study) for text in mentions)
    assert ("tune=True" in format_notes(study)) != bool(diverged)


def test_notes_at_the_edge_name_the_rates_and_the_remedy() -> None:
    plan = make_tuned_plan(grid_extensions=0)
    edges = {COSINE: plan.grid[-1], BASELINE: plan.grid[0]}
    selected = {**select_middle_settings(plan), **edges}
    notes = format_notes(make_study(plan, make_final_results(constant=1), selected))
    for text in ("1 of 18 runs diverged", "(0.01 and 1)", "`lr`", "`grid_extensions`"):
        assert text in notes


def test_notes_count_grid_extensions() -> None:
    plan = make_tuned_plan()
    # The rate beyond the last is worse, so that the last is no longer at the edge.
    selected = {**select_middle_settings(plan), COSINE: plan.grid[-1]}
    notes = format_notes(make_study(plan, make_final_results(), selected))
    assert "up to 1 more learning rate" in notes
    assert "At the edge" not in notes


def test_the_title_names_the_score() -> None:
    final, best = make_tuned_plan(), make_tuned_plan(score="best")
    for plan, text in ((final, "after 2 epochs"), (best, "at each run's best epoch")):
        study = make_study(plan, make_final_results(), select_middle_settings(plan))
        assert format_title(study).endswith(text)


def test_one_pair_needs_no_correction_and_one_seed_has_no_interval() -> None:
    plan = build_plan(load_problem("iris"), [COSINE], Settings(epochs=2), Protocol(1))
    final_results = make_final_results()
    study = make_study(plan, {s: final_results[s][:1] for s in (BASELINE, COSINE)})
    assert "1 seed · " in format_title(study)
    assert "Holm" not in format_notes(study)
    assert "interval" not in format_notes(study)


def test_only_percentages_have_points() -> None:
    plan = replace(make_untuned_plan(), problem=load_problem("diabetes"))
    report = format_report(make_study(plan, make_final_results()))
    assert "RMSE on test rows" in report
    assert "points" not in format_notes(make_study(plan, make_final_results()))


def test_validation_rows_of_a_training_function() -> None:
    function = TrainingFunction(print, metric="accuracy", fingerprint="0")
    grid = build_grid(Settings(epochs=2, validation_size=0.25), RATES, [0])
    plan = build_plan(function, [COSINE, LINEAR], grid, Protocol(6, 4, 2))
    selected = dict.fromkeys(plan.schedules, grid[1])
    notes = format_notes(make_study(plan, make_final_results(), selected))
    assert "3 settings (3 learning rates)" in notes
    assert "25 % of its training rows" in notes


DEFAULTS = (
    "Constant(1.0)",
    "Linear(1.0, 0.5, over=30)",
    "Exponential(0.99)",
    "InverseTime(0.01)",
    'Step("30%")',
    "Polynomial(2.0)",
    "Cosine()",
    "Linear(1.0, 0.0)",
    'Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)',
    'Warmup("10%") >> Cosine()',
    'Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()',
    "Plateau()",
)


def make_scores(*values: float) -> np.ndarray:
    return np.array(values)


def test_tables(file_regression: FileRegressionFixture) -> None:
    """Without new data, with both intervals, and with a baseline that is not beaten."""
    baseline, better = make_scores(0.90, 0.92, 0.94), make_scores(0.93, 0.94, 0.97)
    exponential = "Exponential(0.99)"
    untuned = compare_scores(
        {
            BASELINE_LABEL: baseline,
            exponential: better,
            "Constant(5.0)": make_scores(0.5, 0.51, 0.53),
        },
        BASELINE_LABEL,
        greater_is_better=True,
        diverged_counts={"Constant(5.0)": 1},
    )
    tuned = compare_scores(
        {BASELINE_LABEL: make_scores(0.90, 0.92), exponential: make_scores(0.91, 0.94)},
        BASELINE_LABEL,
        greater_is_better=True,
        test_train_ratio=0.5,
        at_grid_edge=[BASELINE_LABEL],
    )
    tuned_settings = {
        BASELINE_LABEL: Settings(lr=0.003, momentum=0.9),
        exponential: Settings(lr=0.1),
    }
    hard_baseline = compare_scores(
        {BASELINE_LABEL: baseline, exponential: better},
        BASELINE_LABEL,
        greater_is_better=True,
        baseline_scores={"lr=0.1": baseline, "lr=0.3": make_scores(0.94, 0.93, 0.98)},
    )
    tables = [
        format_table(make_compared_study(untuned)),
        format_table(make_compared_study(tuned, settings=tuned_settings)),
        format_table(make_compared_study(hard_baseline)),
    ]
    file_regression.check("\n\n".join(tables), extension=".txt")


def test_a_wide_table_does_not_wrap_schedules() -> None:
    generator = np.random.default_rng(0)
    comparison = compare_scores(
        {text: 0.9 + generator.normal(0, 0.02, 30) for text in DEFAULTS},
        BASELINE_LABEL,
        greater_is_better=True,
        test_train_ratio=0.43,
    )
    settings = dict.fromkeys(DEFAULTS, Settings(lr=0.003, momentum=0.9))
    study = make_compared_study(comparison, settings=settings | {BASELINE_LABEL: Settings(lr=0.1)})
    _, head, *lines = text = format_table(study).splitlines()
    assert max(map(len, text)) <= 135
    assert len(lines) == len(DEFAULTS) + 2  # two of them are long and have a line to themselves
    # A long schedule is right above its own numbers.
    for row in comparison.other_rows:
        difference = f"{100 * row.vs_baseline.difference:+.2f}"
        (place,) = (i for i, line in enumerate(lines) if f"  {row.label}" in line)
        assert difference in "".join(lines[place : place + 2])
    verdicts = head.index("verdict")
    cells = [line for line in lines if len(line) > verdicts]
    assert len(cells) == len(DEFAULTS)
    for schedule in DEFAULTS:
        assert sum(f"  {schedule}" in line for line in lines) >= 1


@pytest.mark.parametrize(("values", "difference"), [((1.25e-9, 1.5e-9), "+1.750e-10")])
def test_tiny_errors_keep_their_digits(values: tuple[float, float], difference: str) -> None:
    comparison = compare_scores(
        {BASELINE_LABEL: make_scores(*values), "Cosine()": make_scores(1e-9, 1.4e-9)},
        BASELINE_LABEL,
        greater_is_better=False,
    )
    cells = format_table(make_compared_study(comparison, "diabetes")).splitlines()[2].split()
    assert cells[:5] == ["1", "Cosine()", "1.200e-09", "2.828e-10", difference]


def test_errors_have_the_units_of_the_target_and_one_seed_no_interval() -> None:
    comparison = compare_scores(
        {BASELINE_LABEL: make_scores(123.456), "Cosine()": make_scores(99.5)},
        BASELINE_LABEL,
        greater_is_better=False,
    )
    table = format_table(make_compared_study(comparison, "diabetes"))
    assert "interval" not in table
    assert [line.split(maxsplit=6) for line in table.splitlines()[2:]] == [
        ["1", "Cosine()", "99.50", "-", "+23.96", "100", "%  no clear difference"],
        ["1", "Constant(1.0)", "123.46", "-", "baseline"],
    ]


def test_times_to_target(file_regression: FileRegressionFixture) -> None:
    times_to_target = (
        TimeToTarget("Cosine()", 1, 12.5, 1.0),
        TimeToTarget("Constant(1.0)", 2, 30.0, 0.6),
        TimeToTarget("Linear(1.0, 0.0)", 3, None, 0.25),
    )
    accuracy, rmse = (load_problem(name).metric for name in ("iris", "diabetes"))
    text = format_times_to_target(accuracy, 0.9014, times_to_target)
    file_regression.check(text, extension=".txt")
    assert "epochs to" in format_times_to_target(rmse, 54.321, times_to_target)
    assert "54.32" in format_times_to_target(rmse, 54.321, times_to_target)


LONG = parse('Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()')


def test_html_has_the_answer_and_whole_schedules() -> None:
    plan = build_plan(load_problem("iris"), [LONG], Settings(epochs=2), Protocol(6))
    study = make_study(plan, {BASELINE: make_results(0.9), LONG: make_results(0.95, 1)})
    html = render_html(study)
    for line in write_answer(study).splitlines():
        assert escape(line) in html
    for text in (repr(LONG), repr(BASELINE), "P (better)", "95 % interval on this data", "verdict"):
        assert escape(text, quote=False) in html
    assert html.count("<tr") == 3
    assert plan.id in html
