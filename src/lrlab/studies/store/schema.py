"""The tables of a database, their version, and the bytes of a learning curve in them.

A study is stored with all that its answer, tables and plots need: its plan, the facts of its
problem, and its runs, so that neither data nor code of the user is needed to show it again. A
database of another version is refused, not converted: version 4 lacks the facts of the problems and
the dummy scores on validation rows, which cannot be made up.
"""

import json
import sqlite3
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lrlab.errors import StudyError
from lrlab.studies.store.sqlite_errors import OTHER_FILE_HINT

APPLICATION_ID = 0x6C726C62
"""``lrlb``: marks a database of lrlab, so that another program's is never written to."""

SCHEMA_VERSION = 5

FINAL_PHASE = "final"
"""The name of the last phase of every study."""

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
"""Of all times in a database, which are in UTC."""

_UTC_NOW = f"(strftime('{TIME_FORMAT}', 'now'))"

CREATE_STATEMENTS = (
    # Only finished runs are stored. Several studies may plan the same run.
    f"""
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    schedule TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER NOT NULL,
    engine TEXT NOT NULL,
    test_score REAL NOT NULL,
    diverged INTEGER NOT NULL,
    curve BLOB NOT NULL,
    seconds REAL NOT NULL,
    ended_at TEXT NOT NULL DEFAULT {_UTC_NOW},
    diverged_at_step INTEGER,
    validation_dummy_score REAL
) STRICT
""",
    # Queries over thousands of runs read this index alone, and not the much larger curves.
    "CREATE INDEX progress ON run (id, diverged, seconds, ended_at)",
    f"""
CREATE TABLE study (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    engine TEXT NOT NULL,
    plan TEXT NOT NULL,
    problem_facts TEXT NOT NULL,
    versions TEXT NOT NULL,
    source TEXT,
    began_at TEXT NOT NULL DEFAULT {_UTC_NOW}
) STRICT
""",
    f"""
CREATE TABLE phase (
    study TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    planned_at TEXT NOT NULL DEFAULT {_UTC_NOW},
    UNIQUE (study, name)
) STRICT
""",
    """
CREATE TABLE planned_run (
    study TEXT NOT NULL,
    phase TEXT NOT NULL,
    position INTEGER NOT NULL,
    run TEXT NOT NULL,
    block INTEGER,
    PRIMARY KEY (study, phase, position),
    FOREIGN KEY (study, phase) REFERENCES phase (study, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX studies ON planned_run (run)",
)

UNSHARED_RUNS_CONDITION = """id IN (SELECT run FROM planned_run WHERE study = :id)
    AND NOT EXISTS (SELECT 1 FROM planned_run WHERE run = run.id AND study <> :id)"""
"""The condition for runs of one study that no other study has."""

_ZLIB_LEVEL = 1
"""Halves the 2800 bytes of fifty epochs; higher levels gain hardly anything."""


def read_schema_version(db: sqlite3.Connection, file: str) -> int:
    """Return the version of the tables in a database; 0 if it has no tables yet.

    Raises:
        StudyError: it belongs to another program, or to an older or a newer lrlab.
    """
    tables = _fetch_int(db, "SELECT count(*) FROM sqlite_master")
    version = _fetch_int(db, "PRAGMA user_version")
    if tables and _fetch_int(db, "PRAGMA application_id") != APPLICATION_ID:
        raise StudyError(f"{file} is a database of another program; {OTHER_FILE_HINT}.")
    if version > SCHEMA_VERSION:
        raise StudyError(
            f"{file} was written by a newer lrlab (schema version {version}, this one reads "
            f"{SCHEMA_VERSION}); upgrade lrlab or {OTHER_FILE_HINT}."
        )
    if tables and version < SCHEMA_VERSION:
        raise StudyError(
            f"{file} was written by an older lrlab (schema version {version}, this one reads "
            f"{SCHEMA_VERSION}); {OTHER_FILE_HINT}."
        )
    return version if tables else 0


def _fetch_int(db: sqlite3.Connection, query: str) -> int:
    """Return the integer that a query selects."""
    return int(db.execute(query).fetchone()[0])


def pack_curve(values: NDArray[np.float64], names: Sequence[str]) -> bytes:
    """Return the bytes of a curve; ``unpack_curve`` restores its numbers bit for bit.

    The bytes are a line of JSON (number of epochs, names of the columns, indices of columns that
    are all NaN) and then the other columns as float64, little-endian, compressed by zlib.

    Args:
        values: shape (epochs, columns).
        names: of the columns.

    >>> values = np.array([[0, 0.1, np.nan], [1, 0.3, np.nan]])
    >>> unpack_curve(pack_curve(values, ("epoch", "loss", "accuracy")))
    (array([[0. , 0.1, nan],
           [1. , 0.3, nan]]), ('epoch', 'loss', 'accuracy'))
    """
    empty = np.isnan(values).all(axis=0)
    header = json.dumps([len(values), list(names), np.flatnonzero(empty).tolist()])
    numbers = values.T[~empty].astype("<f8").tobytes()
    return zlib.compress(header.encode() + b"\n" + numbers, _ZLIB_LEVEL)


def unpack_curve(packed: bytes) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return values and column names of a curve packed by ``pack_curve``."""
    header, _, numbers = zlib.decompress(packed).partition(b"\n")
    epochs, names, empty = json.loads(header)
    written = [i for i in range(len(names)) if i not in empty]
    values = np.full((epochs, len(names)), np.nan)
    values[:, written] = np.frombuffer(numbers, "<f8").reshape(len(written), epochs).T
    return values, tuple(names)
