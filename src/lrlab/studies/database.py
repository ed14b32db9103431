"""A database file opened for writing: made or upgraded where need be, and never another's."""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lrlab.errors import StudyError
from lrlab.studies.faults import translate_sqlite_errors, read_schema_version
from lrlab.studies.reading import QueryResult, Query
from lrlab.studies.rows import pack_json
from lrlab.studies.schema import APPLICATION_ID, CREATE_STATEMENTS, UPGRADES, SCHEMA_VERSION


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
