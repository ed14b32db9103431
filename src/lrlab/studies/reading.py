"""Questions to a database file that may be being written, or may not be written at all.

Nothing is ever changed, and no file is left beside it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from lrlab.errors import StudyError
from lrlab.studies.faults import BUSY_TIMEOUT, translate_sqlite_errors

QueryResult = TypeVar("QueryResult")
Query = Callable[[sqlite3.Connection], QueryResult]


def query_file(path: Path, query: Query[QueryResult]) -> QueryResult:
    """What ``query`` answers when it is given a connection; it may be asked twice.

    Whoever writes has a log beside the file. Where there is none, SQLite is told that nobody
    writes, so that it makes none itself, nor needs to in a folder that may not be written; and if
    somebody has begun to meanwhile, it is asked again.

    Args:
        path: of the database.
        query: asks its queries, all of which see the file as it is at one moment.

    Raises:
        StudyError: there is no such file, or it cannot be read.
    """
    absolute_path = path.absolute()
    try:
        if not absolute_path.is_file():
            what = "is no file" if absolute_path.exists() else "is not there"
            raise StudyError(f"the database {path} {what}; name one with --db.")
        with translate_sqlite_errors(str(path)):
            state_before = _get_file_state(absolute_path)
            if not state_before[0]:
                try:
                    found = _query_uri(f"{absolute_path.as_uri()}?immutable=1", query)
                except sqlite3.Error:
                    if _get_file_state(absolute_path) == state_before:
                        raise
                else:
                    if _get_file_state(absolute_path) == state_before:
                        return found
            return _query_uri(f"{absolute_path.as_uri()}?mode=ro", query)
    except OSError as error:
        raise StudyError(
            f"the database {path} cannot be read: {error.strerror}; name another with --db."
        ) from None


def _query_uri(uri: str, query: Query[QueryResult]) -> QueryResult:
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)) as db:
        db.execute("BEGIN")
        return query(db)


def _get_file_state(path: Path) -> tuple[int, int, int, int]:
    """Bytes of the log beside the file, and by what a change of the file shows."""
    log = path.with_name(f"{path.name}-wal")
    found = path.stat()
    log_bytes = log.stat().st_size if log.exists() else 0
    return log_bytes, found.st_ino, found.st_size, found.st_mtime_ns
