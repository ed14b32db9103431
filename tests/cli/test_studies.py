"""``lrlab studies``, ``status``, ``export`` and ``delete``: as people use them."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from lrlab.studies import StoreReader
from tests.cli.conftest import Said
from tests.studies.old_files import old_file
from tests.studies.stored import IDS, write

Lrlab = Callable[..., Said]


def test_what_is_stored_is_listed(lrlab: Lrlab, tmp_path: Path) -> None:
    write(tmp_path / "lrlab.db")
    write(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(2)})
    said = lrlab("studies")
    assert said.code == 0
    assert [line.split()[:4] for line in said.out.splitlines()[1:3]] == [
        ["0123abcd", "iris", "loop", "6/8"],
        ["4567cdef", "wine", "loop", "2/2"],
    ]
    assert said.out.endswith("more of one: lrlab status 4567cdef\n")


def test_the_database_of_an_older_lrlab_is_listed(lrlab: Lrlab, tmp_path: Path) -> None:
    old_file(tmp_path / "old.db", 2)
    said = lrlab("studies", "--db", "old.db")
    assert said.out.startswith(
        "no study in old.db yet; `lrlab compare` begins one\nold.db has runs of no study (1)"
    )


def test_how_far_the_only_study_is(lrlab: Lrlab, tmp_path: Path) -> None:
    write(tmp_path / "my.db", source="{}")
    said = lrlab("status", "--db", "my.db")
    assert said.code == 0
    assert said.out.startswith("0123abcd · iris · loop · 75 % of 8 runs planned so far, 6 runs")
    assert said.out.endswith("lrlab resume 0123abcd --db my.db\n")


def test_runs_and_epochs_are_exported(lrlab: Lrlab, tmp_path: Path) -> None:
    write(tmp_path / "lrlab.db")
    said = lrlab("export", "iris", "--csv", "runs.csv", "--json", "runs.json")
    assert said.out.splitlines() == [
        "wrote runs.csv: 6 rows, 21 columns",
        "wrote runs.json: 6 rows, 21 columns",
    ]
    assert pd.read_csv(tmp_path / "runs.csv")["run"].tolist() == IDS[:6]
    assert [run["run"] for run in json.loads((tmp_path / "runs.json").read_text())] == IDS[:6]
    assert lrlab("export", "--csv", "runs.csv").code == 2
    assert lrlab("export", "--what", "epochs", "--csv", "runs.csv", "--force").code == 0
    assert pd.read_csv(tmp_path / "runs.csv").columns.tolist()[:5] == [
        "run",
        "phase",
        "schedule",
        "seed",
        "epoch",
    ]


def test_a_study_is_deleted(lrlab: Lrlab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "lrlab.db")
    write(tmp_path / "lrlab.db", "4567cdef", "wine", phases={"final": range(2)})
    said = lrlab("delete", "wine")
    assert (said.code, said.out) == (2, "")
    assert "nothing is deleted without --yes" in said.err
    for answer, left in (("n\n", 2), ("y\n", 1)):
        terminal = io.TextIOWrapper(io.BytesIO(answer.encode()))
        terminal.isatty = lambda: True
        monkeypatch.setattr(sys, "stdin", terminal)
        said = lrlab("delete", "0123")
        assert (
            "Delete study 0123abcd (iris) with 4 runs; 2 runs that other studies have" in said.out
        )
        assert len(StoreReader(tmp_path / "lrlab.db").list_studies()) == left
    said = lrlab("delete", "wine", "--yes")
    assert said.out == "deleted study 4567cdef with 2 runs\n"
    assert StoreReader(tmp_path / "lrlab.db").list_studies() == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["studies"], "the database lrlab.db is not there; name one with --db"),
        (["status", "--db", "my.db", "iriss"], "no study in my.db is iriss; did you mean iris?"),
        (["export", "--db", "my.db"], "name one with --csv, --parquet or --json"),
        (["export", "--db", "my.db", "--csv", "my.db", "--force"], "never written over"),
        (["export", "--db", "my.db", "--csv", "new.csv", "--what", "epoch"], "mean epochs?"),
        (["export", "89ab", "--db", "my.db", "--csv", "new.csv"], "no study in my.db is 89ab"),
        (["delete", "89ab", "--yes", "--db", "my.db"], "no study in my.db is 89ab"),
        (["delete", "89ab", "--yes"], "the database lrlab.db is not there"),
    ],
)
def test_mistakes_are_said_in_a_sentence_and_harm_nothing(
    lrlab: Lrlab, tmp_path: Path, command: list[str], said: str
) -> None:
    write(tmp_path / "my.db")
    before = (tmp_path / "my.db").read_bytes()
    refused = lrlab(*command)
    assert (refused.code, refused.out) == (2, "")
    assert said in refused.err
    assert refused.err.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["my.db"]
    assert (tmp_path / "my.db").read_bytes() == before
