"""The reader: progress of studies, and that reading never changes a file."""

import json
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
from lrlab.studies.frames import read_epochs_frame, read_runs_frame
from lrlab.studies.store.reader import NextStep, PhaseProgress, StudySummary
from lrlab.studies.store.schema import SCHEMA_VERSION
from tests.raising import raises
from tests.studies.store.factories import IDS, RESULTS, write_study


@pytest.fixture
def db(tmp_path: Path) -> Path:
    write_study(tmp_path / "lrlab.db", source='{"data": "iris"}')
    return tmp_path / "lrlab.db"


def read_files(path: Path) -> dict[str, bytes]:
    """Return the files of the folder by name, without the content of SQLite's shared memory."""
    return {
        file.name: b"" if file.name.endswith("-shm") else file.read_bytes()
        for file in path.parent.iterdir()
    }


def test_progress_of_a_study(db: Path) -> None:
    (summary,) = StoreReader(db).list_studies()
    assert (summary.id, summary.problem, summary.engine) == ("0123abcd", "iris", "loop")
    assert summary.phases == (PhaseProgress("tuning", 4, 4, 1), PhaseProgress("final", 4, 2, 0))
    assert (summary.planned_count, summary.ended_count, summary.is_finished) == (8, 6, False)
    assert summary.seconds == sum(RESULTS[run_id].seconds for run_id in IDS[:6])
    assert (summary.plan, summary.source) == ("{}", '{"data": "iris"}')
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < summary.began_at <= summary.last_ended_at <= now
    write_study(db, ended=[6, 7])
    assert StoreReader(db).find_study().is_finished


def test_the_progress_for_scripts_is_json(db: Path) -> None:
    summary = StoreReader(db).find_study()
    facts = json.loads(json.dumps(summary.to_dict()))
    assert facts == summary.to_dict()
    assert datetime.fromisoformat(facts.pop("began_at")) == summary.began_at
    assert datetime.fromisoformat(facts.pop("last_ended_at")) == summary.last_ended_at
    assert facts == {
        "id": "0123abcd",
        "problem": "iris",
        "engine": "loop",
        "state": "unfinished",
        "planned_count": 8,
        "ended_count": 6,
        "diverged_count": 1,
        "seconds": summary.seconds,
        "phases": [
            {"name": "tuning", "planned_count": 4, "ended_count": 4, "diverged_count": 1},
            {"name": "final", "planned_count": 4, "ended_count": 2, "diverged_count": 0},
        ],
    }
    write_study(db, ended=[6, 7])
    write_study(db, "4567cdef", "wine", phases={}, ended=[])
    finished, new = (summary.to_dict() for summary in StoreReader(db).list_studies())
    assert (finished["state"], new["state"], new["last_ended_at"]) == (
        "finished",
        "unfinished",
        None,
    )


def test_studies_without_a_final_phase_are_not_finished(tmp_path: Path) -> None:
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


def test_studies_are_found_by_id_beginning_of_the_id_or_problem(tmp_path: Path) -> None:
    db = tmp_path / "lrlab.db"
    with Store(db):
        pass
    with raises(StudyError, db, "no study", "lrlab.compare"):
        StoreReader(db).find_study()
    write_study(db, "0123abcd", "iris")
    assert StoreReader(db).find_study().id == "0123abcd"
    write_study(db, "0123beef", "iris")
    write_study(db, "4567cdef", "wine")
    reader = StoreReader(db)
    for text, study_id in (("0123abcd", "0123abcd"), ("0123B", "0123beef"), ("wine", "4567cdef")):
        assert reader.find_study(text).id == study_id
    for text, *mentions in (
        (None, "3 studies", "0123abcd (iris)", "0123beef (iris)", "4567cdef (wine)"),
        ("0123", "2 studies", "matching 0123", "0123abcd (iris)", "0123beef (iris)"),
        ("iris", "2 studies", "matching iris"),
        ("wines", "no study wines", "did you mean wine?"),
        ("", "empty name", "lrlab.list_studies"),
    ):
        with raises(StudyError, db, *mentions):
            reader.find_study(text)


def test_recent_runs_per_second(db: Path) -> None:
    reader = StoreReader(db)
    # All ended within about a second.
    assert reader.measure_runs_per_second(reader.find_study()) is None
    times = ["10:00:00", "11:00:00", "11:00:10", "11:00:10", "11:00:30", "11:00:40"]
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        for run_id, time in zip(IDS, times, strict=False):
            ended_at = f"2026-01-01T{time}Z"
            writing.execute("UPDATE run SET ended_at = ? WHERE id = ?", (ended_at, run_id))
    assert reader.measure_runs_per_second(reader.find_study()) == 4 / 40


def test_a_deleted_study_leaves_the_runs_that_others_share(db: Path) -> None:
    reader = StoreReader(db)
    assert reader.count_unshared_runs(reader.find_study()) == 6
    write_study(db, "4567cdef", phases={"final": range(3, 7)}, ended=[])
    assert reader.count_unshared_runs(reader.find_study("0123")) == 3
    assert reader.count_unshared_runs(reader.find_study("4567")) == 0
    with Store(db) as store:
        assert store.delete_study("0123abcd") == 3
        assert store.delete_study("4567cdef") == 3
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM run").fetchall() == [(0,)]


def test_reading_leaves_no_other_file(db: Path) -> None:
    before = read_files(db)
    assert list(before) == ["lrlab.db"]
    reader = StoreReader(db)
    read_runs_frame(reader, reader.find_study().id)
    assert read_files(db) == before


def test_a_query_runs_again_if_another_process_begins_to_write(db: Path) -> None:
    reader = StoreReader(db)
    counts = []

    def count_runs(reading: sqlite3.Connection) -> int:
        counts.append(int(reading.execute("SELECT count(*) FROM run").fetchone()[0]))
        if len(counts) == 1:
            write_study(db, ended=[6, 7])  # removes its log when it closes
        return counts[-1]

    assert reader.run_query(count_runs) == 8
    assert counts[1:] == [8]


def test_the_log_of_a_killed_writer_is_read(db: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        writing.execute("DELETE FROM run WHERE id = ?", (IDS[0],))
        for file in tmp_path.glob("lrlab.db*"):
            shutil.copy(file, copies)
    assert StoreReader(copies / "lrlab.db").find_study().ended_count == 5
    with Store(copies / "lrlab.db") as store:
        assert store.find_stored_runs(IDS) == set(IDS[1:6])


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that other users may enter."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path
        path.chmod(0o755)


@contextmanager
def drop_root() -> Iterator[None]:
    """Run without the rights of root, who may write everything."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="this system has no effective user")
@pytest.mark.parametrize("has_log", [False, True])
def test_read_only_files_are_read(shared_folder: Path, has_log: bool) -> None:
    db = shared_folder / "lrlab.db"
    write_study(db)
    with closing(sqlite3.connect(db, isolation_level=None)) as writing:
        if has_log:
            writing.execute("DELETE FROM run WHERE id = ?", (IDS[0],))
        for file in shared_folder.iterdir():
            file.chmod(0o444)
        shared_folder.chmod(0o555)
        before = read_files(db)
        with drop_root():
            assert StoreReader(db).find_study().ended_count == 6 - has_log
            if not has_log:  # with a log, SQLite uses what this process has opened as root
                with raises(StudyError, db, "read-only"):
                    Store(db)
        assert read_files(db) == before


def remove_file(db: Path) -> None:
    db.unlink()


def replace_with_folder(db: Path) -> None:
    db.unlink()
    db.mkdir()


def replace_with_other_database(db: Path) -> None:
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
    ("change_file", "mention"),
    [
        (remove_file, "does not exist"),
        (replace_with_folder, "is not a file"),
        (lambda db: db.write_bytes(b""), "is empty"),
        (lambda db: db.write_bytes(b"a,b\n1,2\n" * 400), "not a database"),
        (lambda db: db.write_bytes(b"\0" * 100 + db.read_bytes()[100:]), "not a database"),
        (lambda db: db.write_bytes(db.read_bytes()[:5000]), "is damaged"),
        (replace_with_other_database, "another program"),
        (raise_version, "newer lrlab"),
        (lower_version, "older lrlab"),
    ],
)
def test_other_files_are_rejected_and_not_changed(
    db: Path, change_file: Callable[[Path], object], mention: str
) -> None:
    change_file(db)
    before = {} if db.is_dir() else read_files(db)
    with raises(StudyError, db, mention):
        StoreReader(db)
    assert db.is_dir() or read_files(db) == before
    if before.get("lrlab.db"):  # a store creates a missing file, and fills an empty one
        with raises(StudyError, db, mention):
            Store(db)
        assert read_files(db) == before


def test_damage_is_reported_and_the_file_not_changed(db: Path) -> None:
    intact, half_page = db.read_bytes(), 2048
    rng, errors = random.Random(0), 0
    for first in range(0, len(intact), half_page):
        damaged = intact[:first] + rng.randbytes(half_page) + intact[first + half_page :]
        db.write_bytes(damaged)
        for read_all in (read_all_with_reader, read_all_with_store):
            try:
                read_all(db)
            except StudyError:
                errors += 1
        assert db.read_bytes() == damaged
    assert errors > 20


def read_all_with_reader(db: Path) -> None:
    reader = StoreReader(db)
    for summary in reader.list_studies():
        reader.measure_runs_per_second(summary)
        read_runs_frame(reader, summary.id)
        read_epochs_frame(reader, summary.id)


def read_all_with_store(db: Path) -> None:
    with Store(db) as store:
        store.load_results(IDS)
        store.load_phase("0123abcd", "tuning")


TUNING, HALF = PhaseProgress("tuning", 300, 300, 7), PhaseProgress("final", 200, 100, 0)
FINISHED, NEARLY = PhaseProgress("final", 1, 1, 0), PhaseProgress("final", 1000, 999, 0)


def make_summary(*phases: PhaseProgress, source: str | None = "{}") -> StudySummary:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return StudySummary("0123abcd", "iris", "loop", began, began, phases, 1.0, "{}", "{}", source)


@pytest.mark.parametrize(
    ("phases", "percentage"),
    [((TUNING, HALF), 80), ((NEARLY,), 99), ((TUNING,), 99), ((), 0), ((FINISHED,), 100)],
)
def test_100_percent_only_when_finished(phases: tuple[PhaseProgress, ...], percentage: int) -> None:
    assert make_summary(*phases).percent_finished == percentage


def test_the_next_step() -> None:
    assert make_summary(FINISHED).next_step is NextStep.SHOW_RESULTS
    assert make_summary(TUNING).next_step is NextStep.RESUME
    assert make_summary(TUNING, source=None).next_step is NextStep.RUN_SCRIPT


def test_seconds_left_for_the_runs_planned_so_far() -> None:
    summary = make_summary(TUNING, HALF)
    assert summary.estimate_seconds_left(0.5) == 200
    assert summary.estimate_seconds_left(None) is None
    assert make_summary(TUNING).estimate_seconds_left(0.5) is None
