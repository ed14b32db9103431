"""Frames as files: other programs read them back bit for bit."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lrlab.errors import MissingExtra
from lrlab.views.frame_files import FRAME_WRITERS, save_frame
from tests.raising import raises

FRAME = pd.DataFrame(
    {
        "schedule": ['Warmup("10%") >> Cosine()', "Constant(1.0)", "x,\ny"],
        "lr": [0.1 + 0.2, 1e-300, np.nan],
        "diverged_at_step": pd.array([3, None, 2**62], dtype="Int64"),
        "diverged": [True, False, False],
        "betas": [[0.9, 0.999], None, None],
        "ended": pd.to_datetime(["2026-01-01T10:00:00Z"] * 3, utc=True),
    }
)


def read_json(path: Path) -> pd.DataFrame:
    records = json.loads(path.read_text(), parse_constant=pytest.fail)
    return pd.DataFrame(records)


@pytest.mark.parametrize(("extension", "read"), [(".csv", pd.read_csv), (".json", read_json)])
def test_text_files_keep_every_bit(tmp_path: Path, extension: str, read) -> None:
    path = tmp_path / f"runs{extension}"
    save_frame(FRAME, path)
    read_frame = read(path)
    assert read_frame.columns.tolist() == FRAME.columns.tolist()
    for name in ("schedule", "diverged"):
        assert read_frame[name].tolist() == FRAME[name].tolist()
    np.testing.assert_array_equal(read_frame["lr"].to_numpy(float), FRAME["lr"].to_numpy())
    assert read_frame["diverged_at_step"].astype("Int64").tolist() == [3, pd.NA, 2**62]
    assert pd.to_datetime(read_frame["ended"], utc=True).tolist() == FRAME["ended"].tolist()
    assert list(tmp_path.iterdir()) == [path]


def test_parquet_keeps_every_bit(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    save_frame(FRAME, tmp_path / "runs.parquet")
    read_frame = pd.read_parquet(tmp_path / "runs.parquet")
    plain = ["schedule", "lr", "diverged_at_step", "diverged", "ended"]
    pd.testing.assert_frame_equal(read_frame[plain], FRAME[plain])


def test_parquet_needs_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with raises(MissingExtra, "pip install pyarrow"):
        save_frame(FRAME, tmp_path / "runs.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_frame_without_rows(tmp_path: Path) -> None:
    for extension in (".csv", ".json"):
        save_frame(FRAME.iloc[:0], tmp_path / f"runs{extension}")
    assert (tmp_path / "runs.csv").read_text() == ",".join(FRAME.columns) + "\n"
    assert json.loads((tmp_path / "runs.json").read_text()) == []


@pytest.mark.parametrize("extension", FRAME_WRITERS)
def test_extensions_in_capitals(tmp_path: Path, extension: str) -> None:
    save_frame(FRAME[["lr"]], tmp_path / f"RUNS{extension.upper()}")
    assert (tmp_path / f"RUNS{extension.upper()}").stat().st_size > 0
