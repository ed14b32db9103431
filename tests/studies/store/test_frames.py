"""Frames: every run and epoch with what it was stored with."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrlab import to_text
from lrlab.studies import Store, StoreReader
from lrlab.studies.store import frames
from tests.studies.store.factories import IDS, RESULTS, RUNS, write_study


@pytest.fixture
def db(tmp_path: Path) -> Path:
    write_study(tmp_path / "lrlab.db")
    write_study(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(0)}, ended=[])
    return tmp_path / "lrlab.db"


def test_a_row_for_each_run_that_has_ended(db: Path) -> None:
    frame = frames.read_runs(StoreReader(db), "0123abcd")
    assert frame["run"].tolist() == IDS[:6], "in the order in which they were planned"
    assert frame["phase"].tolist() == ["tuning"] * 4 + ["final"] * 2
    for row in frame.to_dict("records"):
        run, result = RUNS[row["run"]], RESULTS[row["run"]]
        for name, value in run.settings.to_dict().items():
            assert row[name] == (list(value) if name == "betas" else value)
        assert (row["study"], row["problem"], row["engine"]) == ("0123abcd", "iris", "loop")
        assert (row["schedule"], row["seed"]) == (to_text(run.schedule), run.seed)
        own = (row["test_score"], row["diverged"], row["seconds"])
        assert own == (result.test_score, result.diverged, result.seconds)
    assert frame["diverged_at_step"].tolist() == [pd.NA, pd.NA, 17, pd.NA, pd.NA, pd.NA]
    assert frame["other_schedules.weight_decay"].tolist()[5] == "Linear(1.0, 0.5, over=30)"
    assert frame["other_schedules.weight_decay"].isna().sum() == 5
    age = pd.Timestamp.now("UTC") - frame["ended_at"]
    assert (age >= pd.Timedelta(0)).all()
    assert (age < pd.Timedelta("1min")).all()


def test_a_row_for_each_epoch(db: Path) -> None:
    frame = frames.read_epochs(StoreReader(db), "0123abcd")
    assert len(frame) == sum(len(RESULTS[id].curve) for id in IDS[:6])
    for id, rows in frame.groupby("run", observed=True):
        curve, run = RESULTS[id].curve, RUNS[id]
        # What a training function calls like one of ours has an underscore.
        names = [f"{name}_" if name == "seed" else name for name in curve.columns]
        np.testing.assert_array_equal(rows[names].to_numpy(), curve.values)
        assert set(rows["seed"]) == {run.seed}
        assert set(rows["schedule"]) == {to_text(run.schedule)}
    assert frame.loc[frame["run"] != IDS[3], "seed_"].isna().all()


def test_a_store_in_memory_has_frames_too(db: Path) -> None:
    with Store(db) as store:
        pd.testing.assert_frame_equal(
            frames.read_runs(store, "0123abcd"), frames.read_runs(StoreReader(db), "0123abcd")
        )


def test_a_study_of_which_no_run_has_ended(db: Path) -> None:
    assert len(frames.read_runs(StoreReader(db), "4567cdef")) == 0
    assert len(frames.read_epochs(StoreReader(db), "4567cdef")) == 0
