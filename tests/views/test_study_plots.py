"""The plot of a study: its data, and the image."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from numpy.testing import assert_allclose
from scipy import stats

from lrlab import Cosine, Linear, Plateau
from lrlab.errors import ViewError
from lrlab.problems import load_problem
from lrlab.studies import BASELINE, Plan, Protocol, build_grid, build_plan
from lrlab.training import Curve, Epoch, Result, Settings
from lrlab.views import study_plots
from tests.raising import raises
from tests.views.factories import make_study


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


def test_lines_and_bands(plan: Plan, results: dict) -> None:
    base, cosine, linear = study_plots.compute_curves(make_study(plan, results))
    assert (base.label, base.gain) == ("Constant(1.0)", None)
    assert_allclose(cosine.rates, 0.1 * (1 + np.cos(np.pi * np.arange(5) / 4)) / 2, atol=1e-17)
    assert cosine.times.tolist() == [0, 1, 2, 3, 4]
    scores = np.array([r.curve.get_column("test_score") for r in results[Cosine()]])
    others = np.array([r.curve.get_column("test_score") for r in results[BASELINE]])
    for band, values in ((cosine.score, scores), (cosine.gain, scores - others)):
        assert band is not None
        interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert_allclose(band.mean, values.mean(axis=0))
        assert_allclose(band.low, interval.low)
        assert_allclose(band.high, interval.high)
    # A diverged run keeps its final score to the end.
    assert_allclose(linear.score.mean, [1.5 / 3, 1.2 / 3, 0.3, 0.3])


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
    base, cosine, plateau = study_plots.compute_curves(make_study(plan, results, selected))
    assert [c.label for c in (base, cosine)] == [
        "Constant(1.0), learning rate 0.1",
        "Cosine(), learning rate 0.2",
    ]
    assert_allclose(base.rates, 0.1)
    assert_allclose(cosine.rates, 0.2 * (1 + np.cos(np.pi * np.arange(5) / 4)) / 2, atol=1e-17)
    # A metric-driven schedule is drawn at the mean of the rates that its runs used.
    assert_allclose(plateau.rates, [*np.mean(used, axis=0), 0.05])
    assert plateau.times.tolist() == [0, 1, 2, 3, 4]


def test_a_png_is_written(plan: Plan, results: dict, tmp_path: Path) -> None:
    study_plots.save_study_plot(make_study(plan, results), tmp_path / "iris.png")
    height, width, _ = imread(tmp_path / "iris.png").shape
    assert (width, height) == (1800, 648)
    with raises(ViewError, tmp_path / "none" / "iris.png"):
        study_plots.save_study_plot(make_study(plan, results), tmp_path / "none" / "iris.png")


def test_long_labels_stay_within_the_figure() -> None:
    band = study_plots.Band(*[np.linspace(0.5, 0.9, 4)] * 3)
    labels = [
        f'Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown(), rate 0.{i}' for i in range(9)
    ]
    curves = [
        study_plots.ScheduleCurves(label, np.arange(5.0), np.ones(5), band, band)
        for label in labels
    ]
    figure = study_plots.create_figure(curves, "many", load_problem("iris").metric)
    figure.draw_without_rendering()
    (legend,), whole = figure.legends, figure.bbox
    box = legend.get_window_extent()
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert box.y0 >= whole.y0
    assert all(axes.bbox.height > 0.5 * whole.height for axes in figure.axes)


def test_one_seed_and_one_epoch_can_be_drawn(tmp_path: Path) -> None:
    plan = build_plan(load_problem("iris"), [], Settings(epochs=1), Protocol(1))
    study_plots.save_study_plot(
        make_study(plan, {BASELINE: [make_result([0.5])]}), tmp_path / "one.png"
    )
    study_plots.save_study_plot(
        make_study(plan, {BASELINE: [make_result([], diverged=True)]}), tmp_path / "none.png"
    )
    assert (tmp_path / "none.png").stat().st_size > 0
