"""Studies of a database: listed, found, read and deleted, by Python."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import lrlab
from lrlab import StudyError
from lrlab.lab import find_study, preview_deletion, read_epochs, read_runs
from tests.raising import raises
from tests.studies.store.factories import write_study

TINY = {"tune": False, "seeds": 1, "epochs": 1, "engine": "loop", "workers": 1, "progress": False}


def test_studies_are_listed_and_deleted(tmp_path: Path) -> None:
    db = tmp_path / "my.db"
    write_study(db)
    write_study(db, "4567cdef", "wine", phases={"final": range(2)})
    assert [study.id for study in lrlab.list_studies(db)] == ["0123abcd", "4567cdef"]
    assert find_study("wine", str(db)).is_finished
    with raises(StudyError, "`study`"):
        lrlab.delete_study(None, db)  # type: ignore[arg-type]
    deletion = preview_deletion("0123", db)
    assert (deletion.study.problem, deletion.deleted_count, deletion.kept_count) == ("iris", 4, 2)
    assert len(lrlab.list_studies(db)) == 2
    assert lrlab.delete_study("0123", db) == deletion
    assert [study.id for study in lrlab.list_studies(db)] == ["4567cdef"]
    with raises(StudyError, "0123", "my.db"):
        lrlab.delete_study("0123", db)


def test_frames_are_those_of_the_loaded_study(tmp_path: Path) -> None:
    db = tmp_path / "my.db"
    study = lrlab.compare("iris", "Cosine()", db=db, **TINY)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(read_runs(study.id, db), study.runs)
    pd.testing.assert_frame_equal(read_epochs("iris", db), study.epochs)


def test_a_database_that_does_not_exist_is_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for function in (lrlab.list_studies, lrlab.load_study, lrlab.resume_study):
        with raises(StudyError, "lrlab.db", "`db"):
            function()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_reading_the_progress_does_not_import_torch(tmp_path: Path) -> None:
    write_study(tmp_path / "lrlab.db")
    code = (
        "import sys, lrlab\nlrlab.list_studies()\n"
        "print([name for name in ('torch', 'pandas') if name in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert process.stdout == "[]\n", process.stderr
