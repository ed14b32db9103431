"""Errors of database files: each turned into a ``StudyError`` of one sentence."""

import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from lrlab.errors import StudyError

BUSY_TIMEOUT = 30.0
"""Seconds to wait for another process that is writing."""

OTHER_FILE_HINT = "name another file with `db`"
_ERROR_SENTENCES = {
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: make room and repeat the command; "
    "what was stored stays",
    sqlite3.SQLITE_IOERR: "cannot be read or written, the disk reports an error: check it, "
    "and repeat the command; what was stored stays",
    sqlite3.SQLITE_BUSY: "is being written by another process; repeat the command when that "
    f"has ended, or {OTHER_FILE_HINT}",
    sqlite3.SQLITE_READONLY: f"is read-only; allow writing, or {OTHER_FILE_HINT}",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened, or no log can be created beside it; make its "
    f"folder and file writable, or {OTHER_FILE_HINT}",
    sqlite3.SQLITE_NOTADB: f"cannot be used: the file is not a database; {OTHER_FILE_HINT}",
    sqlite3.SQLITE_CORRUPT: "is damaged: database disk image is malformed; restore a copy of "
    f"it, or {OTHER_FILE_HINT}",
}
"""By SQLite's primary error codes."""


@contextmanager
def translate_sqlite_errors(file: str) -> Iterator[None]:
    """Turn errors of SQLite into sentences about ``file``.

    Raises:
        StudyError: SQLite raised an error inside, or ``report_damage`` did.
    """
    try:
        yield
    except sqlite3.Error as error:
        # Errors of Python's sqlite3 module itself, such as for invalid text, have no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        sentence = _ERROR_SENTENCES.get(code, f"cannot be used: {error}; {OTHER_FILE_HINT}")
        raise StudyError(f"the database {file} {sentence}.") from None
    except UnicodeDecodeError:  # Python's sqlite3 raises it for a damaged name in the schema
        raise StudyError(
            f"the database {file} {_ERROR_SENTENCES[sqlite3.SQLITE_CORRUPT]}."
        ) from None


@contextmanager
def report_damage(what: str) -> Iterator[None]:
    """Turn errors of unpacking stored data into a database error: the file is damaged.

    Raises:
        sqlite3.DatabaseError: the data cannot be unpacked.
    """
    try:
        yield
    except (zlib.error, ValueError, TypeError, IndexError, MemoryError):
        raise sqlite3.DatabaseError(f"it is damaged, {what} cannot be read") from None
