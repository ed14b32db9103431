"""Files of older versions: read, upgraded whole or not at all, and then like new ones."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lrlab.errors import StudyError
from lrlab.studies import Store
from lrlab.studies.store.schema import SCHEMA_VERSION
from tests.studies.old_files import OLD, old_file


def query(db: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(question).fetchall()


TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"


@pytest.mark.parametrize("version", OLD)
def test_a_file_of_an_older_version_is_read_and_goes_on(tmp_path: Path, version: int) -> None:
    path = tmp_path / "lrlab.db"
    result = old_file(path, version)
    for _ in range(2):  # the second time there is nothing to upgrade
        with Store(path) as store:
            assert store.load_results(["old"]) == {"old": result}
            assert not store.has_study("old")
    with Store(tmp_path / "new.db"):
        pass
    assert query(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert query(path, "SELECT ended, seed, settings FROM run") == [
        ("2025-01-01T00:00:00Z", 3, '{"lr": 0.1}')
    ]
    # As people wrote them: what is said of foreign keys and names is SQLite's own writing.
    assert query(path, TABLES) == query(tmp_path / "new.db", TABLES)


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("text", ["[[0, 1", "[[0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]]", "7"])
def test_an_upgrade_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, version: int, text: str
) -> None:
    path = tmp_path / "lrlab.db"
    old_file(path, version)
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE run SET epochs = ?", (text,))
        other.commit()
    before = path.read_bytes()
    with pytest.raises(StudyError, match="cannot be used"):
        Store(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["lrlab.db"]
