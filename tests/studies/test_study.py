"""The frames of a study are its results, and those of its database."""

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
def done() -> tuple[StudyResult, pd.DataFrame, pd.DataFrame]:
    """A study, and its runs and epochs as its store has them."""
    grid = build_grid(Settings(epochs=2, validation_size=0.2), [0.03, 0.3], [0])
    protocol, engine = Protocol(5, tuning_seeds=2, grid_extensions=1), Engine("ensemble")
    which = build_plan(load_problem("wine"), [Cosine(), Plateau()], grid, protocol, engine)
    with Store(None) as store:
        study = run_study(which, store, Machine(1))
        return study, frames.read_runs(store, which.id), frames.read_epochs(store, which.id)


def test_runs_and_epochs_are_those_of_the_store(done: tuple) -> None:
    study, runs, epochs = done
    assert_frame_equal(study.runs, runs.drop(columns=["study", "problem", "ended_at"]))
    assert_frame_equal(study.epochs, epochs)


def test_the_table_is_what_the_final_runs_say(done: tuple) -> None:
    study, runs, _ = done
    final = runs[runs.phase == "final"]
    assert list(study.table.index) == [row.schedule for row in study.comparison.rows]
    for schedule, tuned in study.selections.items():
        row = study.table.loc[repr(schedule)]
        assert row.lr == tuned.settings.lr
        own = final[(final.schedule == repr(schedule)) & (final.lr == row.lr)]
        chosen = study.selections[BASELINE].settings
        base = final[(final.schedule == repr(BASELINE)) & (final.lr == chosen.lr)]
        assert row["mean"] == pytest.approx(own.test_score.mean())
        if schedule != BASELINE:
            gains = own.test_score.to_numpy() - base.test_score.to_numpy()
            assert row.difference == pytest.approx(gains.mean())
            if np.ptp(gains):
                found = stats.ttest_1samp(gains, 0)
                assert row.p == pytest.approx(found.pvalue)
                assert row.ci_low == pytest.approx(found.confidence_interval(0.95).low)
