"""The catalogue: what a study is said to be, and that no file is harmed by a look at it."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from lrlab.errors import StudyError
from lrlab.studies import Store, StoreReader
from lrlab.studies.store import frames
from lrlab.studies.store.reader import PhaseProgress
from lrlab.studies.store.schema import SCHEMA_VERSION
from tests.raising import raises
from tests.studies.store.factories import IDS, RESULTS, write_study


@pytest.fixture
def db(tmp_path: Path) -> Path:
    write_study(tmp_path / "lrlab.db", source='{"data": "iris"}')
    return tmp_path / "lrlab.db"


def read_files(path: Path) -> dict[str, bytes]:
    """The files of a folder, but what SQLite notes in one of them of who reads."""
    files = {file.name: file for file in path.parent.iterdir()}
    return {name: b"" if name.endswith("-shm") else files[name].read_bytes() for name in files}


def test_how_far_a_study_is(db: Path) -> None:
    (entry,) = StoreReader(db).list_studies()
    assert (entry.id, entry.problem, entry.engine) == ("0123abcd", "iris", "loop")
    assert entry.phases == (PhaseProgress("tuning", 4, 4, 1), PhaseProgress("final", 4, 2, 0))
    assert (entry.planned_count, entry.ended_count, entry.is_finished) == (8, 6, False)
    assert entry.seconds == sum(RESULTS[id].seconds for id in IDS[:6])
    assert (entry.plan, entry.source) == ("{}", '{"data": "iris"}')
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < entry.began_at <= entry.last_ended_at <= now
    write_study(db, ended=[6, 7])
    assert StoreReader(db).find_study().is_finished


def test_what_is_not_planned_or_has_no_final_phase_is_not_finished(tmp_path: Path) -> None:
    db = tmp_path / "lrlab.db"
    write_study(db, "00000000", phases={}, ended=[])
    write_study(
        db, "00000001", phases={"tuning": range(4), "grid extension 1": range(0)}, ended=range(4)
    )
    first, second = StoreReader(db).list_studies()
    assert (first.phases, first.last_ended_at, first.is_finished) == ((), None, False)
    assert second.phases == (
        PhaseProgress("tuning", 4, 4, 1),
        PhaseProgress("grid extension 1", 0, 0, 0),
    )
    assert not second.is_finished


def test_a_study_is_found_by_its_id_its_beginning_or_its_problem(tmp_path: Path) -> None:
    db = tmp_path / "lrlab.db"
    with Store(db):
        pass
    with raises(StudyError, db, "no study", "lrlab compare"):
        StoreReader(db).find_study()
    write_study(db, "0123abcd", "iris")
    assert StoreReader(db).find_study().id == "0123abcd"
    write_study(db, "0123beef", "iris")
    write_study(db, "4567cdef", "wine")
    catalog = StoreReader(db)
    for text, id in (("0123abcd", "0123abcd"), ("0123B", "0123beef"), ("wine", "4567cdef")):
        assert catalog.find_study(text).id == id
    for text, said in (
        (None, "has 3 studies, name one by its id: 0123abcd .iris., 0123beef .iris., 4567cdef"),
        ("0123", "has 2 studies matching 0123, name one by its id: 0123abcd"),
        ("iris", "has 2 studies matching iris"),
        ("wines", r"no study wines; did you mean wine\?$"),
        ("", "with an empty name; `lrlab studies` lists them.$"),
    ):
        with pytest.raises(StudyError, match=said):
            catalog.find_study(text)


def test_the_pace_is_that_of_late(db: Path) -> None:
    catalog = StoreReader(db)
    assert catalog.measure_runs_per_second(catalog.find_study()) is None, (
        "all ended in one second, or hardly so"
    )
    times = ["10:00:00", "11:00:00", "11:00:10", "11:00:10", "11:00:30", "11:00:40"]
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        for id, time in zip(IDS, times, strict=False):
            moment = f"2026-01-01T{time}Z"
            writing.execute("UPDATE run SET ended_at = ? WHERE id = ?", (moment, id))
    assert catalog.measure_runs_per_second(catalog.find_study()) == 4 / 40


def test_a_deleted_study_leaves_the_runs_that_others_share(db: Path) -> None:
    catalog = StoreReader(db)
    assert catalog.count_unshared_runs(catalog.find_study()) == 6
    write_study(db, "4567cdef", phases={"final": range(3, 7)}, ended=[])
    assert catalog.count_unshared_runs(catalog.find_study("0123")) == 3
    assert catalog.count_unshared_runs(catalog.find_study("4567")) == 0
    with Store(db) as store:
        assert store.delete_study("0123abcd") == 3
        assert store.delete_study("4567cdef") == 3
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchall() == [(0,)]


def test_nothing_is_left_beside_a_file_that_was_read(db: Path) -> None:
    before = read_files(db)
    assert list(before) == ["lrlab.db"]
    catalog = StoreReader(db)
    frames.read_runs(catalog, catalog.find_study().id)
    assert read_files(db) == before


def test_what_is_written_meanwhile_is_seen_whole_or_not_at_all(db: Path) -> None:
    catalog = StoreReader(db)
    asked = []

    def question(reading: sqlite3.Connection) -> int:
        asked.append(True)
        first = reading.execute("SELECT count(*) FROM run").fetchone()
        if len(asked) == 1:
            write_study(db, ended=[6, 7])  # and its log is gone when it has ended
        assert len(asked) == 1 or reading.execute("SELECT count(*) FROM run").fetchone() == first
        return first[0]

    assert catalog.run_query(question) == 8
    assert len(asked) == 2


def test_what_a_killed_writer_has_left_in_its_log_is_read(db: Path, tmp_path: Path) -> None:
    left = tmp_path / "left"
    left.mkdir()
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        writing.execute("DELETE FROM run WHERE id = ?", (IDS[0],))
        for file in tmp_path.glob("lrlab.db*"):
            shutil.copy(file, left)
    assert StoreReader(left / "lrlab.db").find_study().ended_count == 5
    with Store(left / "lrlab.db") as store:
        assert store.find_stored_runs(IDS) == set(IDS[1:6])


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that others may enter."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Root may write everything: in this it may not."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has other rights")
@pytest.mark.parametrize("log", [False, True])
def test_what_may_not_be_written_is_read(shared_folder: Path, log: bool) -> None:
    db = shared_folder / "lrlab.db"
    write_study(db)
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        if log:
            writing.execute("DELETE FROM run WHERE id = ?", (IDS[0],))
        for file in shared_folder.iterdir():
            file.chmod(0o444)
        shared_folder.chmod(0o555)
        before = read_files(db)
        with as_nobody():
            assert StoreReader(db).find_study().ended_count == 6 - log
            if not log:  # SQLite would use what this process, as root, has open already
                with raises(StudyError, db, "read-only"):
                    Store(db)
        assert read_files(db) == before


def remove_file(db: Path) -> None:
    db.unlink()


def replace_by_folder(db: Path) -> None:
    db.unlink()
    db.mkdir()


def belong_to_another_program(db: Path) -> None:
    db.unlink()
    with closing(sqlite3.connect(db)) as other:
        other.execute("CREATE TABLE run (x)")


def raise_version(db: Path) -> None:
    with closing(sqlite3.connect(db)) as writing:
        writing.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def lower_version(db: Path) -> None:
    with closing(sqlite3.connect(db)) as writing:
        writing.execute(f"PRAGMA user_version = {SCHEMA_VERSION - 1}")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (remove_file, "does not exist; name one with --db"),
        (replace_by_folder, "is (not )?a.*(file|folder)"),
        (lambda db: db.write_bytes(b""), "is empty; `lrlab compare` fills it"),
        (lambda db: db.write_bytes(b"a,b\n1,2\n" * 400), "the file is not a database"),
        (lambda db: db.write_bytes(b"\0" * 100 + db.read_bytes()[100:]), "not a database"),
        (lambda db: db.write_bytes(db.read_bytes()[:5000]), "is damaged"),
        (belong_to_another_program, "is a database of another program"),
        (raise_version, "was written by a newer lrlab"),
        (lower_version, "was written by an older lrlab"),
    ],
)
def test_what_is_no_database_of_ours_is_left_alone(
    db: Path, harm: Callable[[Path], object], said: str
) -> None:
    harm(db)
    before = {} if db.is_dir() else read_files(db)
    with pytest.raises(StudyError, match=said) as refused:
        StoreReader(db)
    assert str(refused.value).count(".") - str(refused.value).count("lrlab.db") == 1
    assert db.is_dir() or read_files(db) == before
    if before.get("lrlab.db"):  # a store makes what is not there, and fills what is empty
        with pytest.raises(StudyError, match=said):
            Store(db)
        assert read_files(db) == before


def test_whatever_is_damaged_is_an_error_or_was_not_asked_for(db: Path) -> None:
    whole, page = db.read_bytes(), 4096
    noise, refused = random.Random(0), 0
    for first in range(0, len(whole), page // 2):
        harmed = whole[:first] + noise.randbytes(page // 2) + whole[first + page // 2 :]
        db.write_bytes(harmed)
        for look in (read_all_by_reader, read_all_by_store):
            refused += is_refused(look, db)
        assert db.read_bytes() == harmed
    assert refused > 20


def is_refused(look: Callable[[Path], None], db: Path) -> bool:
    try:
        look(db)
    except StudyError:
        return True
    return False


def read_all_by_reader(db: Path) -> None:
    catalog = StoreReader(db)
    for entry in catalog.list_studies():
        catalog.measure_runs_per_second(entry)
        frames.read_runs(catalog, entry.id)
        frames.read_epochs(catalog, entry.id)


def read_all_by_store(db: Path) -> None:
    with Store(db) as store:
        store.load_results(IDS)
        store.load_phase("0123abcd", "tuning")
