"""The store of studies and runs: one SQLite file, opened for writing."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch

from lrlab._version import __version__
from lrlab.errors import StudyError
from lrlab.problems import Trainable
from lrlab.studies.store.reader import PlannedRun, Query, QueryResult, ReadableStore
from lrlab.studies.store.run_results import build_result_row
from lrlab.studies.store.schema import (
    APPLICATION_ID,
    CREATE_STATEMENTS,
    SCHEMA_VERSION,
    UNSHARED_RUNS_CONDITION,
    read_schema_version,
)
from lrlab.studies.store.sqlite_errors import BUSY_TIMEOUT, translate_sqlite_errors
from lrlab.studies.store.stored_problem import describe_problem
from lrlab.training import Result, Run
from lrlab.training.engines import Engine


class Database:
    """A connection to a database with the tables of ``schema``.

    Args:
        path: the file, created if it does not exist; None for a database in memory.
        timeout: seconds to wait for another process that is writing.

    Raises:
        StudyError: it cannot be opened or written, or belongs to another program or another
            version of lrlab. The file stays unchanged.
    """

    def __init__(self, path: Path | None, timeout: float) -> None:
        self.name = "in memory" if path is None else str(path)
        if path is not None and not path.parent.is_dir():
            raise StudyError(f"{path} cannot be created: the folder {path.parent} does not exist.")
        if path is not None and path.is_dir():
            raise StudyError(f"{path} is a folder; name a file with `db`.")
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
        """Close the database; what was written is in the opened file, even if it was moved."""
        with suppress(sqlite3.Error):
            self._flush_if_moved()
        self._db.close()

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, called with the connection."""
        with translate_sqlite_errors(self.name):
            return query(self._db)

    @contextmanager
    def open_transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all statements executed inside, or none.

        Raises:
            StudyError: it cannot be written, or the file is no longer where it was.
        """
        with translate_sqlite_errors(self.name):
            if self._flush_if_moved():
                raise StudyError(
                    f"the database {self.name} was moved, removed or replaced while it was in use, "
                    "and nothing more is stored; put it back and repeat the command."
                )
            with _run_transaction(self._db):
                yield self._db

    def _prepare(self, timeout: float) -> None:
        with translate_sqlite_errors(self.name):
            read_schema_version(self._db, self.name)
            self._db.execute("PRAGMA foreign_keys = ON")
            _enable_wal(self._db, timeout)
            with _run_transaction(self._db):
                # Read again: another process may have created the tables by now.
                if not read_schema_version(self._db, self.name):
                    for statement in CREATE_STATEMENTS:
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
                    self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                # A read-only file fails at the first write, not at BEGIN.
                self._db.execute("DELETE FROM run WHERE FALSE")

    def _flush_if_moved(self) -> bool:
        """Empty the log into the file if the file was moved since opening; return whether it was.

        SQLite would take the log for that of the file that is now in its place.
        """
        if self._identify_file() == self._opened_file:
            return False
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True

    def _identify_file(self) -> tuple[int, int] | None:
        """Return device and inode of the file at the path; None in memory or without a file."""
        try:
            stat = os.stat(self._location)
        except OSError:
            return None
        return stat.st_dev, stat.st_ino


def _enable_wal(db: sqlite3.Connection, timeout: float) -> None:
    """Switch to SQLite's write-ahead log, so that others can read while one process writes."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            # If two processes switch at once, SQLite refuses one of them without waiting.
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
        if db.in_transaction:  # SQLite has ended it already if the disk is full
            db.execute("ROLLBACK")
        raise


class Store(ReadableStore):
    """Studies and runs in a database file.

    Args:
        path: the file, created if it does not exist; None for a database in memory, which is gone
            when it is closed.
        timeout: seconds to wait for another process that is writing.

    Raises:
        StudyError: the file cannot be opened or written, or belongs to another program or another
            version of lrlab; it stays unchanged. Every method raises it if the file can no longer
            be read or written; what was stored stays.

    >>> with Store(None) as store:
    ...     store.has_study("0123abcd")
    False
    """

    def __init__(self, path: Path | None, timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        self.name = "the database in memory" if path is None else str(path)
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
        """Add a study; one that exists stays as it is, except for a newer ``source``.

        Args:
            study_id: of the study.
            problem: what is trained.
            engine: what trains all its runs.
            plan: the plan as JSON.
            source: how the command line loads the problem, as JSON; None if it cannot.
        """
        row = {
            "id": study_id,
            "problem": problem.name,
            "fingerprint": problem.fingerprint,
            "engine": str(engine),
            "plan": plan,
            "problem_facts": json.dumps(describe_problem(problem)),
            "versions": json.dumps(collect_versions()),
            "source": source,
        }
        with self._database.open_transaction() as writing:
            _insert(
                writing,
                "study",
                [row],
                "(id) DO UPDATE SET source = excluded.source WHERE excluded.source IS NOT NULL",
            )

    def add_phase(self, study_id: str, phase: str, planned_runs: Sequence[PlannedRun]) -> None:
        """Add a phase with all its planned runs; a phase that exists stays as it is.

        Args:
            study_id: of a study that was added.
            phase: name of the phase.
            planned_runs: the runs in order, each with the number of its block.
        """
        rows = [
            (study_id, phase, position, run, block)
            for position, (run, block) in enumerate(planned_runs)
        ]
        with self._database.open_transaction() as writing:
            planned = writing.execute(
                "INSERT INTO phase (study, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (study_id, phase),
            )
            if planned.rowcount:
                writing.executemany("INSERT INTO planned_run VALUES (?, ?, ?, ?, ?)", rows)

    def add_results(
        self,
        problem: Trainable,
        engine: Engine,
        runs: Mapping[str, Run],
        results: Mapping[str, Result],
    ) -> None:
        """Store finished runs, all or none; runs that are stored already stay as they are.

        Args:
            problem: what was trained.
            engine: what trained it.
            runs: by id, including the finished ones.
            results: of the finished runs, by id.
        """
        rows = [
            build_result_row(problem, engine, run_id, runs[run_id], result)
            for run_id, result in results.items()
        ]
        if not rows:
            return
        with self._database.open_transaction() as writing:
            _insert(writing, "run", rows, "DO NOTHING")

    def delete_study(self, study_id: str) -> int:
        """Delete a study and its runs, except runs that another study has.

        Args:
            study_id: of the study.

        Returns:
            The number of deleted runs.

        Raises:
            StudyError: there is no such study.
        """
        with self._database.open_transaction() as writing:
            deleted = writing.execute(
                f"DELETE FROM run WHERE {UNSHARED_RUNS_CONDITION}", {"id": study_id}
            )
            if not writing.execute("DELETE FROM study WHERE id = ?", (study_id,)).rowcount:
                raise StudyError(
                    f"{self.name} has no study {study_id}; `lrlab.list_studies()` lists them."
                )
        return deleted.rowcount

    def run_query(self, query: Query[QueryResult]) -> QueryResult:
        """Return the result of ``query``, called with a connection to read from."""
        return self._database.run_query(query)


def _insert(
    writing: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]], on_conflict: str
) -> None:
    """Insert one or more rows, each by the names of its columns."""
    names, placeholders = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
    writing.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({placeholders}) ON CONFLICT {on_conflict}", rows
    )


def collect_versions() -> dict[str, str]:
    """Return the versions of lrlab and of what its numbers depend on, by name."""
    return {
        "lrlab": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
    }
