"""The store: what goes in comes out, and no file is harmed."""

import sqlite3
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
