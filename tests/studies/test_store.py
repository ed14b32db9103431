"""The store: what goes in comes out, and no file is harmed."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lrlab import Cosine
from lrlab.errors import StudyError
from lrlab.problems import load
from lrlab.studies import Plan, Store, plan
from lrlab.training import Curve, Epoch, Result, Settings


@pytest.fixture(scope="module")
def study() -> Plan:
    return plan(load("iris"), [Cosine()], Settings(), seeds=5)


def query(db: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(question).fetchall()


def result(score: float) -> Result:
    epochs = (Epoch(0, 0.1, 1 / 30, 0.7, 0.1 + 0.2), Epoch(1, 1 / 30, 0.0, 0.5, score))
    return Result(score, diverged=False, epochs=Curve.of(epochs), seconds=0.1)


def test_what_goes_in_comes_out_bit_for_bit(tmp_path: Path, study: Plan) -> None:
    expected = {id: result(i / 7) for i, id in enumerate(study.runs)}
    with Store(tmp_path / "lrlab.db") as store:
        assert store.finished(study.runs) == {}
        store.add(study, expected)
    with Store(tmp_path / "lrlab.db") as store:
        assert store.finished(study.runs) == expected
        assert store.finished(["nothing"]) == {}
        assert store.known([*study.runs, "nothing"]) == set(study.runs)


def test_curves_with_validation_and_diverged_runs_come_out_too(tmp_path: Path, study: Plan) -> None:
    held_out = Curve.of([Epoch(i, 0.1, 1e-300, 0.7, 1 / 3, 2 / 3, 1 / 7) for i in range(3)])
    expected = dict(
        zip(
            study.runs,
            (Result(0.5, True, Curve.of([]), 0.1, left_at=0), Result(1 / 3, False, held_out, 0.0)),
            strict=False,
        )
    )
    with Store(tmp_path / "lrlab.db") as store:
        store.add(study, expected)
        assert store.finished(study.runs) == expected


VERSION_1 = """
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    schedule TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER NOT NULL,
    engine TEXT NOT NULL,
    score REAL NOT NULL,
    diverged INTEGER NOT NULL,
    epochs TEXT NOT NULL,
    seconds REAL NOT NULL,
    ended TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))
) STRICT;
INSERT INTO run VALUES ('old', 'iris', '0', 'Cosine()', '{"lr": 0.1}', 3, 'loop', 0.25, 1,
    '[[0, 0.1, 0.05, 0.7, 0.30000000000000004]]', 1.5, '2025-01-01T00:00:00Z');
PRAGMA application_id = 1819438178;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""


def old_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(VERSION_1)


def test_a_file_of_the_first_version_is_read_and_goes_on(tmp_path: Path, study: Plan) -> None:
    path = tmp_path / "lrlab.db"
    old_database(path)
    old = Result(0.25, True, Curve.of([Epoch(0, 0.1, 0.05, 0.7, 0.1 + 0.2)]), 1.5)
    first = next(iter(study.runs))
    new = replace(result(0.5), diverged=True, left_at=17)
    for _ in range(2):  # the second time there is nothing to upgrade
        with Store(path) as store:
            store.add(study, {first: new})
            assert store.finished([first, "old"]) == {first: new, "old": old}
    assert query(path, "PRAGMA user_version") == [(2,)]
    assert query(path, "SELECT ended, left_at FROM run WHERE id = 'old'") == [
        ("2025-01-01T00:00:00Z", None)
    ]


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "lrlab.db"
    old_database(path)
    before = path.read_bytes()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("ALTER TABLE run ADD COLUMN left_at INTEGER")  # so that the upgrade cannot
    changed = path.read_bytes()
    assert changed != before
    with pytest.raises(StudyError, match="duplicate column name"):
        Store(path)
    assert path.read_bytes() == changed
    assert query(path, "PRAGMA user_version") == [(1,)]


def test_runs_that_end_together_are_stored_together_or_not_at_all(
    tmp_path: Path, study: Plan
) -> None:
    good, bad = list(study.runs)[:2]
    broken = replace(result(0.5), score=None)
    with Store(tmp_path / "lrlab.db") as store:
        with pytest.raises(StudyError, match="NOT NULL"):
            store.add(study, {good: result(0.5), bad: broken})
        assert store.known(study.runs) == set()


def test_more_ids_than_a_query_has_places_for(tmp_path: Path, study: Plan) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add(study, dict.fromkeys(study.runs, result(0.5)))
        ids = [*(f"{i:032x}" for i in range(300_000)), *study.runs]
        assert store.known(ids) == set(study.runs)
        assert store.finished(ids).keys() == study.runs.keys()


def test_a_run_that_is_there_stays(tmp_path: Path, study: Plan) -> None:
    id = next(iter(study.runs))
    with Store(tmp_path / "lrlab.db") as store:
        store.add(study, {id: result(0.5)})
        store.add(study, {id: result(0.9)})
        assert store.finished([id])[id].score == 0.5


def test_rows_are_readable_by_people(tmp_path: Path, study: Plan) -> None:
    with Store(tmp_path / "lrlab.db") as store:
        store.add(study, {list(study.runs)[-1]: result(0.5)})
    rows = query(
        tmp_path / "lrlab.db",
        "SELECT problem, schedule, seed, score, json_extract(settings, '$.lr') FROM run",
    )
    assert rows == [("iris", "Cosine()", 4, 0.5, 0.1)]


def test_many_writers_do_not_get_into_each_others_way(tmp_path: Path, study: Plan) -> None:
    def write(i: int) -> None:
        with Store(tmp_path / "lrlab.db") as store:
            other = replace(study, problem=replace(study.problem, fingerprint=str(i)))
            for id in other.runs:
                store.add(other, {id: result(0.5)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(16)))
    assert query(tmp_path / "lrlab.db", "SELECT count(*) FROM run") == [(16 * len(study.runs),)]


def test_a_database_that_another_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "lrlab.db"
    with Store(path):
        pass
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("PRAGMA journal_mode = DELETE")  # as it is before it is switched
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, other.execute, ["COMMIT"])
    end.start()
    with Store(path) as store:
        assert store.known(["no such run"]) == set()
    end.join()
    other.close()


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE run (x)")
    db.close()


def _newer(path: Path) -> None:
    Store(path).__exit__(None, None, None)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()


def _cut(path: Path) -> None:
    Store(path).__exit__(None, None, None)
    path.write_bytes(path.read_bytes()[:3000])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_bytes(b"a,b\n1,2\n" * 400), "file is not a database"),
        (_foreign, "a database of another program"),
        (_newer, "was written by a newer lrlab"),
        (_cut, "cannot be used"),
        (lambda path: path.mkdir(), "is a folder"),
    ],
)
def test_a_file_that_is_no_database_of_ours_is_left_alone(
    tmp_path: Path, make: object, said: str
) -> None:
    path = tmp_path / "lrlab.db"
    make(path)
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(StudyError, match=said):
        Store(path)
    if before is not None:
        assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["lrlab.db"]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no folder"):
        Store(tmp_path / "no" / "lrlab.db")
    with pytest.raises(StudyError, match="cannot be used"):
        Store(Path("/proc/lrlab.db"))


def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, study: Plan) -> None:
    first, second, third = list(study.runs)[:3]
    with Store(tmp_path / "lrlab.db") as store:
        store.add(study, {first: result(0.5)})
        store._db.execute("PRAGMA max_page_count = 1")
        huge = Result(0.5, False, Curve.of([*result(0.5).epochs] * 20_000), 0.1)
        with pytest.raises(StudyError, match="full"):
            store.add(study, {third: result(0.5), second: huge})
    with Store(tmp_path / "lrlab.db") as store:
        assert list(store.finished(study.runs)) == [first]
