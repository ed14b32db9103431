"""A database file opened for writing: made or upgraded where need be, and never another's."""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lrlab.errors import StudyError
from lrlab.problems import Trainable
from lrlab.schedules import to_text
from lrlab.studies.store.errors import (
    BUSY_TIMEOUT,
    read_schema_version,
    report_damage,
    translate_sqlite_errors,
)
from lrlab.studies.store.reader import Query, QueryResult, ReadableStore
from lrlab.studies.store.schema import (
    APPLICATION_ID,
    CREATE_STATEMENTS,
    SCHEMA_VERSION,
    UNSHARED_RUNS_CONDITION,
    UPGRADES,
    pack_curve,
    pack_json,
    unpack_curve,
)
from lrlab.training import Curve, Result, Run
from lrlab.training.engines import Engine


class Database:
    """A database with the tables of ``schema``.

    Args:
        path: the file, which is made when it is not there; None for one in memory.
        timeout: seconds to wait for another process that writes.

    Raises:
        StudyError: it cannot be opened or written, or is no database of lrlab's, or one of a
            newer lrlab. The file is left as it was.
    """

    def __init__(self, path: Path | None, timeout: float) -> None:
        self.name = "in memory" if path is None else str(path)
        if path is not None and not path.parent.is_dir():
            raise StudyError(f"{path} cannot be made: there is no folder {path.parent}.")
        if path is not None and path.is_dir():
            raise StudyError(f"{path} is a folder; name a file for the database with --db.")
        self._location = ":memory:" if path is None else path.absolute()
        with translate_sqlite_errors(self.name):
            self._db = sqlite3.connect(self._location, timeout=timeout, isolation_level=None)
        try:
            self._prepare(timeout)
            self._opened_file = self._identify_file()
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Closes it, what was written being in the file that was opened, wherever that is now."""
        with suppress(sqlite3.Error):
            self._check_moved()
        self._db.close()

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """What ``query`` answers when it is given the connection."""
        with translate_sqlite_errors(self.name):
            return query(self._db)

    @contextmanager
    def open_transaction(self) -> Iterator[sqlite3.Connection]:
        """Writes all that is executed inside, or nothing.

        Raises:
            StudyError: it cannot be written, or the file is no longer where it was.
        """
        with translate_sqlite_errors(self.name):
            if self._check_moved():
                raise StudyError(
                    f"the database {self.name} was moved, removed or replaced while it was in use, "
                    "so that nothing more is stored; put it back and repeat the command."
                )
            with _run_transaction(self._db):
                yield self._db

    def _prepare(self, timeout: float) -> None:
        with translate_sqlite_errors(self.name):
            read_schema_version(self._db, self.name)
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.create_function("packed", 1, pack_json, deterministic=True)
            _enable_wal(self._db, timeout)
            with _run_transaction(self._db):
                # Asked again: another process may have made or upgraded the tables by now.
                version = read_schema_version(self._db, self.name)
                if not version:
                    _execute_all(self._db, CREATE_STATEMENTS, SCHEMA_VERSION)
                    self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                for old_version in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
                    _execute_all(self._db, UPGRADES[old_version], old_version + 1)
                # A file that may not be written is told by the first writing, not by BEGIN.
                self._db.execute("DELETE FROM run WHERE FALSE")

    def _check_moved(self) -> bool:
        """Whether the file is no longer where it was. The log that lies there, which SQLite would
        take for that of whatever lies there now, is written to the file and emptied.
        """
        if self._identify_file() == self._opened_file:
            return False
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True

    def _identify_file(self) -> tuple[int, int] | None:
        """What lies where the file was; nothing in memory."""
        try:
            found = os.stat(self._location)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _enable_wal(db: sqlite3.Connection, timeout: float) -> None:
    """Switches to SQLite's write-ahead log, with which others read while one writes."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # Of two that switch at once SQLite refuses one without waiting.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


@contextmanager
def _run_transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")  # plain BEGIN fails when two processes write
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite ends it by itself where the disk is full
            db.execute("ROLLBACK")
        raise


def _execute_all(db: sqlite3.Connection, statements: Iterable[str], version: int) -> None:
    for statement in statements:
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {version}")


PlannedRun = tuple[str, int | None]
"""A run that a phase plans: its id, and the number of the block it is trained in; None for one that
was stored already when the phase was planned."""


class Store(ReadableStore):
    """Studies and runs in a database file, which is made when it is not there.

    Args:
        path: the file; None for one in memory, which is gone when it is closed.
        timeout: seconds to wait for another process that writes.

    Raises:
        StudyError: it cannot be opened or written, or is no database of lrlab's, or one of a
            newer lrlab. The file is left as it was. Every method raises it where the file cannot be
            read or written any more; what was stored stays.

    >>> with Store(None) as store:
    ...     store.has_study("0123abcd")
    False
    """

    def __init__(self, path: Path | None, timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        self._database = Database(path, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()

    def add_study(
        self,
        study_id: str,
        problem: Trainable,
        engine: Engine,
        plan: str,
        source: str | None = None,
    ) -> None:
        """Notes a study, once: one that is there stays as it is, but learns a newer ``source``.

        Args:
            study_id: of the study.
            problem: what is trained.
            engine: what trains all its runs.
            plan: JSON of what was asked for.
            source: JSON of how the command line loads the problem; None where it cannot.
        """
        row = (study_id, problem.name, problem.fingerprint, str(engine), plan, source)
        with self._database.open_transaction() as writing:
            writing.execute(
                "INSERT INTO study (id, problem, fingerprint, engine, plan, source) "
                "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET source = excluded.source "
                "WHERE excluded.source IS NOT NULL",
                row,
            )

    def add_phase(self, study_id: str, phase: str, planned_runs: Sequence[PlannedRun]) -> None:
        """Notes which runs a phase of a study has, all or none, once: a plan that is there stays.

        Args:
            study_id: of the study, which has begun.
            phase: its name.
            planned_runs: the runs in order, each with the number of its block.
        """
        rows = [
            (study_id, phase, place, run, block) for place, (run, block) in enumerate(planned_runs)
        ]
        with self._database.open_transaction() as writing:
            planned = writing.execute(
                "INSERT INTO phase (study, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (study_id, phase),
            )
            if planned.rowcount:
                writing.executemany("INSERT INTO member VALUES (?, ?, ?, ?, ?)", rows)

    def load_phase(self, study_id: str, phase: str) -> list[PlannedRun] | None:
        """The runs of a phase in order with their blocks; None if it was not planned yet."""
        if not self._fetch_rows(
            "SELECT 1 FROM phase WHERE study = ? AND name = ?", study_id, phase
        ):
            return None
        sql = "SELECT run, block FROM member WHERE study = ? AND phase = ? ORDER BY place"
        return self._fetch_rows(sql, study_id, phase)

    def load_results(self, run_ids: Iterable[str]) -> dict[str, Result]:
        """The results of those runs that are stored, by id."""
        # One question for all ids, however many: SQLite limits the places for values in a query.
        sql = (
            "SELECT id, score, diverged, epochs, seconds, left_at FROM run "
            "WHERE id IN (SELECT value FROM json_each(?))"
        )
        rows = self._fetch_rows(sql, json.dumps(list(run_ids)))
        with translate_sqlite_errors(self._database.name):
            return {
                run_id: Result(
                    score, bool(diverged), _unpack_run_curve(run_id, epochs), seconds, left_at
                )
                for run_id, score, diverged, epochs, seconds, left_at in rows
            }

    def add_results(
        self,
        problem: Trainable,
        engine: Engine,
        runs: Mapping[str, Run],
        results: Mapping[str, Result],
    ) -> None:
        """Stores runs that have ended, all or none; those that are there already stay.

        Args:
            problem: what was trained.
            engine: what trained it.
            runs: by id, those that have ended among them.
            results: of the runs that have ended, by id.
        """
        rows = [
            _build_row(problem, engine, run_id, runs[run_id], result)
            for run_id, result in results.items()
        ]
        if not rows:
            return
        names, placeholders = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
        with self._database.open_transaction() as writing:
            writing.executemany(
                f"INSERT INTO run ({names}) VALUES ({placeholders}) ON CONFLICT DO NOTHING", rows
            )

    def delete_study(self, study_id: str) -> int:
        """Deletes a study, and its runs but those that another study has.

        Args:
            study_id: of the study.

        Returns:
            How many runs were deleted.

        Raises:
            StudyError: there is no such study.
        """
        with self._database.open_transaction() as writing:
            deleted = writing.execute(
                f"DELETE FROM run WHERE {UNSHARED_RUNS_CONDITION}", {"id": study_id}
            )
            if not writing.execute("DELETE FROM study WHERE id = ?", (study_id,)).rowcount:
                raise StudyError(
                    f"{self._database.name} has no study {study_id}; `lrlab studies` lists them."
                )
        return deleted.rowcount

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """What ``query`` answers when it is given a connection to read from."""
        return self._database.run_query(query)

    def _fetch_rows(self, sql: str, *values: object) -> list[Any]:
        return self.run_query(lambda db: db.execute(sql, values).fetchall())


def _unpack_run_curve(run_id: str, packed: bytes) -> Curve:
    with report_damage(f"the curve of run {run_id}"):
        return Curve(*unpack_curve(packed))


def _build_row(
    problem: Trainable, engine: Engine, run_id: str, run: Run, result: Result
) -> dict[str, Any]:
    assert run.schedule is not None
    others = {name: to_text(schedule) for name, schedule in run.hyperparameter_schedules.items()}
    return {
        "id": run_id,
        "problem": problem.name,
        "fingerprint": problem.fingerprint,
        "schedule": to_text(run.schedule),
        "settings": json.dumps(run.settings.to_dict() | ({"others": others} if others else {})),
        "seed": run.seed,
        "engine": str(engine),
        "score": result.test_score,
        "diverged": int(result.diverged),
        "epochs": pack_curve(result.curve.values, result.curve.columns),
        "seconds": result.seconds,
        "left_at": result.diverged_at_step,
    }
