"""What goes wrong with a database file, in one sentence each, for those who write and who read."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from lrlab.errors import StudyError
from lrlab.studies.store.schema import APPLICATION_ID, SCHEMA_VERSION

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that writes."""

_OTHER_FILE_HINT = "name another file with --db"
_ERROR_SENTENCES = {
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: make room and repeat the command, what "
    "was stored is kept",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk refuses: see that it is well "
    "and has room, and repeat the command, what was stored is kept",
    sqlite3.SQLITE_BUSY: "was being written by another process all the while; repeat the "
    f"command when that has ended, or {_OTHER_FILE_HINT}",
    sqlite3.SQLITE_READONLY: f"may not be written; allow it, or {_OTHER_FILE_HINT}",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or no log be made beside it; see that folder and "
    f"file may be written, or {_OTHER_FILE_HINT}",
    sqlite3.SQLITE_NOTADB: f"cannot be used: file is not a database; {_OTHER_FILE_HINT}",
    sqlite3.SQLITE_CORRUPT: "cannot be used, it is damaged: database disk image is malformed; put "
    f"a copy of it in its place, or {_OTHER_FILE_HINT}",
}
"""By SQLite's primary codes of errors."""


@contextmanager
def translate_sqlite_errors(file: str) -> Iterator[None]:
    """Says in a sentence what SQLite found wrong with ``file``.

    Raises:
        StudyError: SQLite raised an error inside, or ``report_damage`` did.
    """
    try:
        yield
    except sqlite3.Error as error:
        # Python's own errors, as of text that is none, have no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        sentence = _ERROR_SENTENCES.get(code, f"cannot be used: {error}; {_OTHER_FILE_HINT}")
        raise StudyError(f"the database {file} {sentence}.") from None


def fetch_int(db: sqlite3.Connection, query: str) -> int:
    """The one number that a query gives."""
    return int(db.execute(query).fetchone()[0])


def read_schema_version(db: sqlite3.Connection, file: str) -> int:
    """The version of the tables in a database; 0 where it has none yet.

    Raises:
        StudyError: it is another program's, or a newer lrlab's.
    """
    tables = fetch_int(db, "SELECT count(*) FROM sqlite_master")
    version = fetch_int(db, "PRAGMA user_version")
    if tables and fetch_int(db, "PRAGMA application_id") != APPLICATION_ID:
        raise StudyError(f"{file} is a database of another program; {_OTHER_FILE_HINT}.")
    if version > SCHEMA_VERSION:
        raise StudyError(
            f"{file} was written by a newer lrlab (version {version} of its tables, this one "
            f"knows {SCHEMA_VERSION}); upgrade lrlab or {_OTHER_FILE_HINT}."
        )
    return version if tables else 0


@contextmanager
def report_damage(what: str) -> Iterator[None]:
    """Where what was stored is taken apart: in a damaged file it may be anything.

    Raises:
        sqlite3.DatabaseError: it cannot be.
    """
    try:
        yield
    except (zlib.error, ValueError, TypeError, IndexError, MemoryError):
        raise sqlite3.DatabaseError(f"it is damaged, {what} cannot be read") from None
