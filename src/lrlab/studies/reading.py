"""Questions to a database file that may be being written, or may not be written at all.

Nothing is ever changed, and no file is left beside it.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from lrlab.errors import StudyError
from lrlab.studies.faults import PATIENCE, clear_errors

Answer = TypeVar("Answer")
Question = Callable[[sqlite3.Connection], Answer]


def read(path: Path, question: Question[Answer]) -> Answer:
    """What ``question`` answers when it is given a connection; it may be asked twice.

    Whoever writes has a log beside the file. Where there is none, SQLite is told that nobody
    writes, so that it makes none itself, nor needs to in a folder that may not be written; and if
    somebody has begun to meanwhile, it is asked again.

    Args:
        path: of the database.
        question: asks its queries, all of which see the file as it is at one moment.

    Raises:
        StudyError: there is no such file, or it cannot be read.
    """
    place = path.absolute()
    try:
        if not place.is_file():
            what = "is no file" if place.exists() else "is not there"
            raise StudyError(f"the database {path} {what}; name one with --db.")
        with clear_errors(str(path)):
            before = _state(place)
            if not before[0]:
                try:
                    answer = _answer(f"{place.as_uri()}?immutable=1", question)
                except sqlite3.Error:
                    if _state(place) == before:
                        raise
                else:
                    if _state(place) == before:
                        return answer
            return _answer(f"{place.as_uri()}?mode=ro", question)
    except OSError as error:
        raise StudyError(
            f"the database {path} cannot be read: {error.strerror}; name another with --db."
        ) from None


def _answer(address: str, question: Question[Answer]) -> Answer:
    with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None)) as db:
        db.execute("BEGIN")
        return question(db)


def _state(file: Path) -> tuple[int, int, int, int]:
    """Bytes of the log beside the file, and by what a change of the file shows."""
    log = file.with_name(f"{file.name}-wal")
    found = file.stat()
    logged = log.stat().st_size if log.exists() else 0
    return logged, found.st_ino, found.st_size, found.st_mtime_ns
