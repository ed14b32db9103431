"""``lrlab export``: runs and epochs of a study as files."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.conftest import Lrlab, assert_refused
from tests.studies.store.factories import IDS, write_study


def test_runs_and_epochs(lrlab: Lrlab, tmp_path: Path) -> None:
    write_study(tmp_path / "lrlab.db")
    output = [f"--output=runs.{extension}" for extension in ("csv", "json", "parquet")]
    result = lrlab("export", "iris", *output)
    assert result.code == 0
    runs = pd.read_csv(tmp_path / "runs.csv")
    assert runs["run"].tolist() == IDS[:6]
    assert [run["run"] for run in json.loads((tmp_path / "runs.json").read_text())] == IDS[:6]
    assert pd.read_parquet(tmp_path / "runs.parquet")["run"].tolist() == IDS[:6]
    assert result.out.splitlines()[0].split()[:3] == ["wrote", "runs.csv:", "6"]
    assert_refused(lrlab("export", "--output", "runs.csv"), "runs.csv", "--force")
    assert lrlab("export", "--table", "epochs", "--output", "runs.csv", "--force").code == 0
    columns = ["run", "phase", "schedule", "seed", "epoch"]
    assert pd.read_csv(tmp_path / "runs.csv").columns.tolist()[:5] == columns


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ([], ["--output"]),
        (["--output", "my.db", "--force"], [".csv, .parquet or .json", "my.db"]),
        (["--output", "link.csv", "--force"], ["link.csv", "database"]),
        (["--output", "new.csv", "--table", "epoch"], ["--table", "runs", "epoch", "epochs?"]),
        (["89ab", "--output", "new.csv"], ["my.db", "89ab"]),
        (["--output", "new.csv", "--output", "no/new.csv"], ["no/new.csv", "folder no"]),
    ],
)
def test_mistakes_change_no_file(
    lrlab: Lrlab, tmp_path: Path, arguments: list[str], mentions: list[str]
) -> None:
    write_study(tmp_path / "my.db")
    (tmp_path / "link.csv").symlink_to("my.db")
    before = (tmp_path / "my.db").read_bytes()
    assert_refused(lrlab("export", "--db", "my.db", *arguments), *mentions)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["link.csv", "my.db"]
    assert (tmp_path / "my.db").read_bytes() == before
