"""The plots of a study: what is drawn, and the images."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.image import imread
from numpy.testing import assert_allclose
from scipy import stats

from lrlab import Cosine, Linear, Plateau
from lrlab.errors import ScheduleError, ViewError
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Plan,
    Protocol,
    StudyResult,
    build_default_schedules,
    build_grid,
    build_plan,
)
from lrlab.training import Curve, Epoch, Result, Settings
from lrlab.views import study_plots
from lrlab.views.study_plots import STUDY_PLOTS, plot_study, save_study_plot
from tests.raising import raises
from tests.views.factories import make_results, make_study

UNTUNED_PLOTS = [kind for kind in STUDY_PLOTS if kind != "tuning"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    return build_plan(
        load_problem("iris"), [Cosine(), Linear(1, 0)], Settings(epochs=4), Protocol(3)
    )


def make_result(scores: list[float], diverged: bool = False) -> Result:
    epochs = tuple(Epoch(i, 0.1, 0.1, 1.0, score) for i, score in enumerate(scores))
    return Result(0.3, diverged, Curve.from_epochs(epochs), 0.0)


@pytest.fixture
def results(plan: Plan) -> dict:
    generator = np.random.default_rng(0)
    results = {
        s: [make_result(list(generator.random(4))) for _ in plan.final_seeds]
        for s in plan.schedules
    }
    results[Linear(1, 0)] = [
        make_result([0.5, 0.6], diverged=True),
        make_result([0.7], diverged=True),
        make_result([], diverged=True),
    ]
    return results


@pytest.fixture
def study(plan: Plan, results: dict) -> StudyResult:
    return make_study(plan, results)


@pytest.fixture(scope="module")
def large_study() -> StudyResult:
    """A tuned study of twelve schedules, some with long texts, and one far behind the others."""
    settings = Settings(epochs=4, validation_size=0.2)
    schedules = build_default_schedules(settings)
    grid = build_grid(settings, [0.01, 0.1, 1], [0, 0.9])
    plan = build_plan(load_problem("iris"), schedules, grid, Protocol(6, 1, 0))
    means = dict(zip(plan.schedules, np.linspace(0.9, 0.93, len(plan.schedules)), strict=True))
    return make_study(plan, {s: make_results(means.get(s, 0.3)) for s in plan.schedules})


@pytest.mark.parametrize("kind", UNTUNED_PLOTS)
def test_every_kind_of_plot_can_be_drawn(study: StudyResult, kind: str) -> None:
    figure = plot_study(study, kind, figsize=(6, 4))
    try:
        assert pyplot.fignum_exists(figure.number)
        assert list(figure.get_size_inches()) == [6, 4]
        figure.draw_without_rendering()
    finally:
        pyplot.close(figure)


def test_rates_are_those_of_training(study: StudyResult) -> None:
    rates = study_plots.compute_rates(study, study.plan.schedules)
    assert rates[Cosine()].times.tolist() == [0, 1, 2, 3, 4]
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    assert_allclose(rates[Cosine()].lrs, [*expected, expected[-1]])


def test_learning_curves_and_their_differences(study: StudyResult, results: dict) -> None:
    curves = study_plots.compute_curves(study, study.plan.schedules)
    differences = study_plots.compute_difference_curves(study, study.plan.schedules)
    assert list(differences) == [Cosine(), Linear(1, 0)]
    scores = np.array([r.curve.get_column("test_score") for r in results[Cosine()]])
    others = np.array([r.curve.get_column("test_score") for r in results[BASELINE]])
    for band, values in (
        (curves[Cosine()], scores),
        (differences[Cosine()], scores - others),
    ):
        interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert_allclose(band.mean, values.mean(axis=0))
        assert_allclose(band.low, interval.low)
        assert_allclose(band.high, interval.high)
    # A diverged run keeps its final score to the end.
    assert_allclose(curves[Linear(1, 0)].mean, [1.5 / 3, 1.2 / 3, 0.3, 0.3])


def test_scores_are_those_of_the_frames(study: StudyResult) -> None:
    scores = study_plots.compute_scores(study, study.plan.schedules)
    runs, table = study.runs.groupby("schedule"), study.table
    for schedule, seed_scores in scores.items():
        expected = runs.get_group(repr(schedule))
        assert seed_scores.scores.tolist() == expected["test_score"].tolist()
        assert seed_scores.diverged.tolist() == expected["diverged"].tolist()
        assert_allclose(seed_scores.band.mean, table.loc[repr(schedule), "mean"])


def test_differences_are_those_of_the_table(study: StudyResult) -> None:
    figure = Figure()
    study_plots.draw_study(study, "differences", None, figure)
    (axes,) = figure.axes
    points = {
        line.get_ydata()[0]: line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() not in ("None", None)
    }
    drawn = [points.get(row, np.nan) for row in range(3)]
    assert_allclose(drawn, 100 * study.table["difference"])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == study.table.index.tolist()


def test_the_zero_line_of_differences_is_visible() -> None:
    plan = build_plan(load_problem("iris"), [Cosine()], Settings(epochs=2), Protocol(6))
    study = make_study(plan, {BASELINE: make_results(0.5), Cosine(): make_results(0.9, seed=1)})
    figure = Figure()
    study_plots.draw_study(study, "difference_curves", None, figure)
    low, high = figure.axes[0].get_ylim()
    assert low < 0 < 40 < high


def test_a_schedule_far_behind_leaves_room_for_the_others() -> None:
    plan = build_plan(
        load_problem("iris"), [Cosine(), Linear(1, 0)], Settings(epochs=2), Protocol(6)
    )
    means = {BASELINE: 0.9, Cosine(): 0.91, Linear(1, 0): 0.3}
    results = {s: make_results(mean, seed=i) for i, (s, mean) in enumerate(means.items())}
    figure = Figure()
    study_plots.draw_study(make_study(plan, results), "summary", None, figure)
    panels = {axes.get_label(): axes for axes in figure.axes}
    low, high = panels["differences"].get_xlim()  # in points
    assert -20 < low < 0 < high < 20
    low, high = panels["curves"].get_ylim()
    assert 40 < low < high < 100


def test_each_schedule_is_drawn_at_its_selected_settings() -> None:
    grid = build_grid(Settings(epochs=4, validation_size=0.2), [0.1, 0.2, 0.4], [0])
    plan = build_plan(load_problem("iris"), [Cosine(), Plateau()], grid, Protocol(2, 1, 0))
    selected = dict(zip(plan.schedules, grid, strict=True))
    results = {s: [make_result([0.5] * 4)] * 2 for s in plan.schedules}
    used = [[0.4, 0.4, 0.2, 0.1], [0.4, 0.2, 0.2, 0.2]]
    results[Plateau()] = [
        Result(
            0.5,
            False,
            Curve.from_epochs([Epoch(i, r, 0.05, 1, 0.5) for i, r in enumerate(rates)]),
            0.0,
        )
        for rates in used
    ]
    study = make_study(plan, results, selected)
    rates = study_plots.compute_rates(study, plan.schedules)
    expected = 0.2 * (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    assert_allclose(rates[BASELINE].lrs, 0.1)
    assert_allclose(rates[Cosine()].lrs[:-1], expected)
    # A metric-driven schedule is drawn at the mean of the rates that its runs used.
    assert_allclose(rates[Plateau()].lrs[:-1], np.mean(used, axis=0))
    assert rates[Plateau()].times.tolist() == [0, 1, 2, 3, 4]


def test_validation_scores_are_those_of_the_frames(large_study: StudyResult) -> None:
    runs = large_study.epochs.merge(large_study.runs[["run", "lr", "momentum"]], on="run")
    runs = runs[runs["phase"].astype(str) != "final"]
    means = runs.groupby(["schedule", "momentum", "lr"], observed=True)["validation_score"].mean()
    for schedule, lines in study_plots.compute_tuning(large_study, [BASELINE, Cosine()]).items():
        assert [line.label for line in lines] == ["momentum 0", "momentum 0.9"]
        for line, momentum in zip(lines, [0, 0.9], strict=True):
            expected = means[repr(schedule), momentum]
            assert_allclose(line.lrs, expected.index)
            assert_allclose(line.scores, expected)
        selected = [
            line.lrs[line.selected_index] for line in lines if line.selected_index is not None
        ]
        assert selected == [large_study.table.loc[repr(schedule), "lr"]]


def test_an_untuned_study_has_no_plot_of_its_tuning(study: StudyResult) -> None:
    with raises(ViewError, "not tuned", "`tune=True`"):
        plot_study(study, "tuning")


def test_some_schedules_next_to_the_baseline(study: StudyResult) -> None:
    for chosen in (Cosine(), "Cosine()", [Cosine()]):
        assert study_plots.select_schedules(study, chosen) == (BASELINE, Cosine())
    with raises(ViewError, "Cosine(3)", "did you mean Cosine()?"):
        plot_study(study, schedules=["Cosine(3)"])
    with raises(ScheduleError, "schedules", 3):
        plot_study(study, schedules=3)  # type: ignore[arg-type]
    assert pyplot.get_fignums() == []


def test_an_unknown_kind_is_rejected_with_the_nearest(study: StudyResult) -> None:
    with raises(ViewError, "kind", "'curve'", "did you mean curves?", "summary, differences"):
        plot_study(study, "curve")
    with raises(ViewError, "kind", 3):
        plot_study(study, 3)  # type: ignore[arg-type]
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("kind", STUDY_PLOTS)
def test_many_schedules_with_long_texts_fit(large_study: StudyResult, kind: str) -> None:
    figure = Figure(figsize=(12, 8), layout="constrained")
    study_plots.draw_study(large_study, kind, None, figure)
    figure.draw_without_rendering()
    whole = figure.bbox.padded(1)
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
        assert axes.bbox.height > 0.1 * whole.height


def test_a_png_is_written(study: StudyResult, tmp_path: Path) -> None:
    save_study_plot(study, tmp_path / "iris.png")
    height, width, _ = imread(tmp_path / "iris.png").shape
    assert (width, height) == (1440, 960)
    with raises(ViewError, tmp_path / "none" / "iris.png"):
        save_study_plot(study, tmp_path / "none" / "iris.png")


@pytest.mark.parametrize("kind", UNTUNED_PLOTS)
def test_one_seed_and_one_epoch_can_be_drawn(kind: str) -> None:
    plan = build_plan(load_problem("iris"), [Cosine()], Settings(epochs=1), Protocol(1))
    for result in (make_result([0.5]), make_result([], diverged=True)):
        study = make_study(plan, {s: [result] for s in plan.schedules})
        study_plots.draw_study(study, kind, None, Figure())


def test_the_baseline_has_no_difference_to_itself(study: StudyResult) -> None:
    with raises(ViewError, "nothing to compare"):
        study_plots.draw_study(study, "difference_curves", [BASELINE], Figure())
