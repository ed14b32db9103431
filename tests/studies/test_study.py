"""A study has the same results and frames in Python and in its database."""

from pathlib import Path

import numpy as np
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from lrlab import Cosine, Plateau
from lrlab.errors import StudyError
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Machine,
    Protocol,
    RecommendationReason,
    Store,
    StoreReader,
    StudyResult,
    build_grid,
    build_plan,
    load_study_result,
    run_study,
)
from lrlab.studies.frames import read_epochs_frame, read_runs_frame
from lrlab.training import Settings
from lrlab.training.engines import EnsembleEngine
from tests.raising import raises
from tests.views.factories import make_results, make_study


@pytest.fixture(scope="module")
def study_and_db(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyResult, Path]:
    """A study, and the database that it was stored in."""
    db = tmp_path_factory.mktemp("study") / "lrlab.db"
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.03, 0.3], [0])
    protocol, engine = Protocol(5, tuning_seeds=2, grid_extensions=1), EnsembleEngine()
    plan = build_plan(load_problem("wine"), [Cosine(), Plateau()], grid, protocol, engine)
    with Store(db) as store:
        return run_study(plan, store, Machine(1)), db


def test_a_stored_study_is_the_one_that_was_run(study_and_db: tuple[StudyResult, Path]) -> None:
    study, db = study_and_db
    stored = load_study_result(StoreReader(db))
    assert stored.is_finished
    assert stored.plan.id == study.plan.id
    assert stored.results == study.results
    assert stored.selections == study.selections
    assert stored.versions == study.versions
    assert stored.comparison.rows == study.comparison.rows
    for name in ("summary", "train_rows", "shuffle", "test_train_ratio", "data_warnings"):
        assert getattr(stored.plan.problem, name) == getattr(study.plan.problem, name)
    assert_frame_equal(stored.table, study.table)


def test_frames_are_the_same_in_python_and_in_the_database(
    study_and_db: tuple[StudyResult, Path],
) -> None:
    study, db = study_and_db
    stored = load_study_result(StoreReader(db), study.plan.id[:4])
    for runs in (stored.runs, read_runs_frame(StoreReader(db), study.plan.id)):
        assert_frame_equal(runs, study.runs)
    for epochs in (stored.epochs, read_epochs_frame(StoreReader(db), study.plan.id)):
        assert_frame_equal(epochs, study.epochs)
    assert study.runs["ended_at"].notna().all()


def test_the_table_summarizes_the_final_runs(study_and_db: tuple[StudyResult, Path]) -> None:
    study, _ = study_and_db
    final = study.runs[study.runs.phase == "final"]
    assert list(study.table.index) == [row.label for row in study.comparison.rows]
    assert list(study.table.verdict) == [row.verdict for row in study.comparison.rows]
    baseline_lr = study.selections[BASELINE].settings.lr
    baseline_runs = final[(final.schedule == repr(BASELINE)) & (final.lr == baseline_lr)]
    for schedule, selection in study.selections.items():
        row = study.table.loc[repr(schedule)]
        assert row.lr == selection.settings.lr
        schedule_runs = final[(final.schedule == repr(schedule)) & (final.lr == row.lr)]
        assert row["mean"] == pytest.approx(schedule_runs.test_score.mean())
        if schedule != BASELINE:
            differences = schedule_runs.test_score.to_numpy() - baseline_runs.test_score.to_numpy()
            assert row.difference == pytest.approx(differences.mean())
            if np.ptp(differences):
                expected = stats.ttest_1samp(differences, 0)
                assert row.p == pytest.approx(expected.pvalue)
                assert row.ci_low == pytest.approx(expected.confidence_interval(0.95).low)


def make_tuned_study(cosine_mean: float, diverged: int = 0) -> StudyResult:
    """Make a study with given scores, in which every schedule is best with the second settings."""
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.01, 0.1, 1.0], [0.9])
    plan = build_plan(load_problem("iris"), [Cosine()], grid, Protocol(6, 4))
    results = {
        BASELINE: make_results(0.9, 0, diverged),
        Cosine(): make_results(cosine_mean, 1),
    }
    return make_study(plan, results, dict.fromkeys(plan.schedules, grid[1]))


def test_the_best_config_is_the_recommended_schedule_with_its_settings() -> None:
    study = make_tuned_study(0.95)
    best, row = study.best, study.comparison.rows[0]
    assert (best.schedule, best.lr, best.momentum) == (Cosine(), 0.1, 0.9)
    assert best.reason is RecommendationReason.BETTER
    assert (best.settings, best.validation_score) == (study.plan.grid[1], pytest.approx(0.9))
    assert (best.test_score, best.vs_baseline, best.diverged_count) == (
        row.mean,
        row.vs_baseline,
        0,
    )
    assert repr(best).startswith("BestConfig(schedule=Cosine(), lr=0.1, momentum=0.9, validation_")
    assert repr(best).endswith("reason='better')")


def test_the_constant_rate_is_best_if_nothing_is_clearly_better() -> None:
    best = make_tuned_study(0.901).best
    assert (best.schedule, best.vs_baseline) == (BASELINE, None)
    assert best.reason is RecommendationReason.NO_CLEAR_DIFFERENCE


def test_nothing_is_best_if_the_constant_rate_always_diverges() -> None:
    study = make_tuned_study(0.9, diverged=6)
    assert study.recommendation.reason is RecommendationReason.BASELINE_DIVERGED
    with raises(StudyError, study.plan.id, "`lr`"):
        _ = study.best


def test_times_to_target_count_epochs_and_leave_out_diverged_runs() -> None:
    study = make_tuned_study(0.95, diverged=2)
    rows = {row.label: row for row in study.compute_times_to_target(0.85)}
    assert (rows["Cosine()"].epochs, rows["Cosine()"].fraction) == (2, 1)
    assert rows["Constant(1.0)"].fraction == pytest.approx(4 / 6)
    best, worst = study.compute_times_to_target()  # the mean of the constant rate
    assert (best.label, best.fraction) == ("Cosine()", 1)
    assert worst.fraction < 4 / 6
