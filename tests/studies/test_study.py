"""The frames of a study have its results, like those of its database."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats

from lrlab import Cosine, Plateau
from lrlab.problems import load_problem
from lrlab.studies import (
    BASELINE,
    Machine,
    Protocol,
    Store,
    StudyResult,
    build_grid,
    build_plan,
    run_study,
)
from lrlab.studies.store import frames
from lrlab.training import Settings
from lrlab.training.engines import Engine


@pytest.fixture(scope="module")
def study_and_frames() -> tuple[StudyResult, pd.DataFrame, pd.DataFrame]:
    """A study, and the frames of its runs and epochs in the store."""
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.03, 0.3], [0])
    protocol, engine = Protocol(5, tuning_seeds=2, grid_extensions=1), Engine("ensemble")
    plan = build_plan(load_problem("wine"), [Cosine(), Plateau()], grid, protocol, engine)
    with Store(None) as store:
        study = run_study(plan, store, Machine(1))
        return study, frames.read_runs(store, plan.id), frames.read_epochs(store, plan.id)


def test_runs_and_epochs_equal_those_of_the_store(study_and_frames: tuple) -> None:
    study, runs, epochs = study_and_frames
    assert_frame_equal(study.runs, runs.drop(columns=["study", "problem", "ended_at"]))
    assert_frame_equal(study.epochs, epochs)


def test_the_table_summarizes_the_final_runs(study_and_frames: tuple) -> None:
    study, runs, _ = study_and_frames
    final = runs[runs.phase == "final"]
    assert list(study.table.index) == [row.label for row in study.comparison.rows]
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
