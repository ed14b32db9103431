"""Frames as files: what comes back when others read them, and what is never written over."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrlab.errors import MissingExtra, ViewError
from lrlab.views.frame_files import FRAME_WRITERS, check_frame_output, save_frame

FRAME = pd.DataFrame(
    {
        "schedule": ['Warmup("10%") >> Cosine()', "Constant(1.0)", "x,\ny"],
        "lr": [0.1 + 0.2, 1e-300, np.nan],
        "left_at": pd.array([3, None, 2**62], dtype="Int64"),
        "diverged": [True, False, False],
        "betas": [[0.9, 0.999], None, None],
        "ended": pd.to_datetime(["2026-01-01T10:00:00Z"] * 3, utc=True),
    }
)


def read_json(path: Path) -> pd.DataFrame:
    records = json.loads(path.read_text(), parse_constant=pytest.fail)
    return pd.DataFrame(records)


def test_what_is_written_comes_back_bit_for_bit(tmp_path: Path) -> None:
    readers = {"csv": pd.read_csv, "json": read_json}
    for kind, read in readers.items():
        path = tmp_path / f"runs.{kind}"
        save_frame(FRAME, path, kind)
        back = read(path)
        assert back.columns.tolist() == FRAME.columns.tolist()
        for name in ("schedule", "diverged"):
            assert back[name].tolist() == FRAME[name].tolist()
        np.testing.assert_array_equal(back["lr"].to_numpy(float), FRAME["lr"].to_numpy())
        assert back["left_at"].astype("Int64").tolist() == [3, pd.NA, 2**62]
        assert pd.to_datetime(back["ended"], utc=True).tolist() == FRAME["ended"].tolist()
        assert [file.name for file in tmp_path.glob(f"*{kind}*")] == [path.name]


def test_parquet_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    check_frame_output(tmp_path / "runs.parquet", "parquet")
    save_frame(FRAME, tmp_path / "runs.parquet", "parquet")
    back = pd.read_parquet(tmp_path / "runs.parquet")
    plain = ["schedule", "lr", "left_at", "diverged", "ended"]
    pd.testing.assert_frame_equal(back[plain], FRAME[plain])


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="pip install pyarrow"):
        check_frame_output(tmp_path / "runs.parquet", "parquet")


def test_a_frame_without_rows(tmp_path: Path) -> None:
    for kind in ("csv", "json"):
        save_frame(FRAME.iloc[:0], tmp_path / kind, kind)
    assert (tmp_path / "csv").read_text() == "schedule,lr,left_at,diverged,betas,ended\n"
    assert json.loads((tmp_path / "json").read_text()) == []


def test_what_is_there_is_kept_unless_it_is_said_and_a_database_always(tmp_path: Path) -> None:
    table, database = tmp_path / "runs.csv", tmp_path / "lrlab.db"
    table.write_text("mine")
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE run (x)")
    for path, force, said in (
        (table, False, "runs.csv is there already; name another file, or add --force"),
        (database, False, "is a database, which is never written over"),
        (database, True, "is a database, which is never written over"),
        (tmp_path, True, "is a folder: name a file"),
        (tmp_path / "no" / "runs.csv", True, "name a file in a folder that is there"),
    ):
        with pytest.raises(ViewError, match=said):
            check_frame_output(path, "csv", force)
    check_frame_output(table, "csv", force=True)
    check_frame_output(tmp_path / "new.csv", "csv")


@pytest.mark.parametrize("kind", [kind for kind in FRAME_WRITERS if kind != "parquet"])
def test_what_fails_leaves_nothing(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs"
    path.write_text("mine")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ViewError, match="cannot be written: No space left on device"):
        save_frame(FRAME, path, kind)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def full(path: Path, target: Path) -> None:
    assert path.stat().st_size > 100
    raise OSError(28, "No space left on device")
