"""Frames: a row for each run and each epoch, with all that is stored of it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrlab import to_text
from lrlab.studies import Store, StoreReader
from lrlab.studies.frames import read_epochs_frame, read_runs_frame
from lrlab.views.frame_files import FRAME_WRITERS, save_frame
from tests.studies.store.factories import IDS, RESULTS, RUNS, write_study


@pytest.fixture
def db(tmp_path: Path) -> Path:
    write_study(tmp_path / "lrlab.db")
    write_study(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(0)}, ended=[])
    return tmp_path / "lrlab.db"


def test_runs_have_a_row_each(db: Path) -> None:
    frame = read_runs_frame(StoreReader(db), "0123abcd")
    assert frame["run"].tolist() == IDS[:6]
    assert frame["phase"].tolist() == ["tuning"] * 4 + ["final"] * 2
    for row in frame.to_dict("records"):
        run, result = RUNS[row["run"]], RESULTS[row["run"]]
        for name, value in run.settings.to_dict().items():
            if value is None:
                assert np.isnan(row[name])
            else:
                assert row[name] == (list(value) if name == "betas" else value)
        assert (row["study"], row["problem"], row["engine"]) == ("0123abcd", "iris", "loop")
        assert (row["schedule"], row["seed"]) == (to_text(run.schedule), run.seed)
        assert (row["test_score"], row["diverged"], row["seconds"]) == (
            result.test_score,
            result.diverged,
            result.seconds,
        )
    assert frame["diverged_at_step"].tolist() == [pd.NA, pd.NA, 17, pd.NA, pd.NA, pd.NA]
    assert frame["other_schedules.weight_decay"].tolist()[5] == "Linear(1.0, 0.5, over=30)"
    assert frame["other_schedules.weight_decay"].isna().sum() == 5
    age = pd.Timestamp.now("UTC") - frame["ended_at"]
    assert (age >= pd.Timedelta(0)).all()
    assert (age < pd.Timedelta("1min")).all()


def test_epochs_have_a_row_each(db: Path) -> None:
    frame = read_epochs_frame(StoreReader(db), "0123abcd")
    assert len(frame) == sum(len(RESULTS[run_id].curve) for run_id in IDS[:6])
    for run_id, rows in frame.groupby("run", observed=True):
        curve, run = RESULTS[run_id].curve, RUNS[run_id]
        # A reported column with the name of one of lrlab's has an underscore.
        names = [f"{name}_" if name == "seed" else name for name in curve.columns]
        np.testing.assert_array_equal(rows[names].to_numpy(), curve.values)
        assert set(rows["seed"]) == {run.seed}
        assert set(rows["schedule"]) == {to_text(run.schedule)}
    assert frame.loc[frame["run"] != IDS[3], "seed_"].isna().all()


def test_a_store_and_a_reader_give_the_same_frames(db: Path) -> None:
    with Store(db) as store:
        pd.testing.assert_frame_equal(
            read_runs_frame(store, "0123abcd"), read_runs_frame(StoreReader(db), "0123abcd")
        )


def test_frames_of_a_study_without_ended_runs_are_empty(db: Path) -> None:
    assert len(read_runs_frame(StoreReader(db), "4567cdef")) == 0
    assert len(read_epochs_frame(StoreReader(db), "4567cdef")) == 0


FRAME_READERS = {
    ".csv": pd.read_csv,
    ".parquet": pd.read_parquet,
    ".json": lambda path: pd.DataFrame(json.loads(path.read_text())),
}


@pytest.mark.parametrize("extension", FRAME_WRITERS)
@pytest.mark.parametrize("read_frame", [read_runs_frame, read_epochs_frame])
def test_files_are_read_back_as_the_same_frame(
    db: Path, tmp_path: Path, extension: str, read_frame: Callable
) -> None:
    frame = read_frame(StoreReader(db), "0123abcd")
    save_frame(frame, tmp_path / f"frame{extension}")
    read_back = FRAME_READERS[extension](tmp_path / f"frame{extension}")
    if "betas" in frame:  # a list, which CSV has as text and Parquet as an array
        parse = json.loads if extension == ".csv" else list
        read_back["betas"] = [parse(betas) for betas in read_back["betas"]]
    for name, dtype in frame.dtypes.items():
        read_back[name] = read_back[name].astype(dtype)
    pd.testing.assert_frame_equal(read_back, frame)


def test_frames_have_the_same_types_with_and_without_runs(db: Path) -> None:
    full, empty = (read_runs_frame(StoreReader(db), id_) for id_ in ("0123abcd", "4567cdef"))
    pd.testing.assert_series_equal(full[empty.columns].dtypes, empty.dtypes)
    assert full["ended_at"].dtype == "datetime64[us, UTC]"
