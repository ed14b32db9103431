"""Learning curves as the store writes them: numbers column after column, compressed."""

import json
import zlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

_ZLIB_LEVEL = 1
"""zlib's level: of fifty epochs' 2800 bytes it leaves less than half, and others hardly less."""

_UNTIL_2 = ("epoch", "before", "after", "loss", "score", "validation_loss", "validation_score")
"""The columns until version 2, see ``pack_json``."""


def pack_curve(values: NDArray[np.float64], names: Sequence[str]) -> bytes:
    """The bytes of a curve; the numbers come back bit for bit.

    A line of JSON (epochs, names of the columns, those that are NaN throughout), then the others as
    float64, little-endian, a column after the other; compressed by zlib.

    Args:
        values: shape (epochs, columns).
        names: of the columns.

    >>> unpack_curve(pack_curve(np.array([[0, 0.1, np.nan], [1, 0.3, np.nan]]), ("epoch", "loss", "accuracy")))
    (array([[0. , 0.1, nan],
           [1. , 0.3, nan]]), ('epoch', 'loss', 'accuracy'))
    """
    empty = np.isnan(values).all(axis=0)
    header = json.dumps([len(values), list(names), np.flatnonzero(empty).tolist()])
    numbers = values.T[~empty].astype("<f8").tobytes()
    return zlib.compress(header.encode() + b"\n" + numbers, _ZLIB_LEVEL)


def unpack_curve(packed: bytes) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Values and names of a curve, see ``pack_curve``."""
    header, _, numbers = zlib.decompress(packed).partition(b"\n")
    epochs, names, empty = json.loads(header)
    written = np.setdiff1d(np.arange(len(names)), empty)
    values = np.full((epochs, len(names)), np.nan)
    values[:, written] = np.frombuffer(numbers, "<f8").reshape(len(written), epochs).T
    return values, tuple(names)


def pack_json(text: str) -> bytes:
    """The bytes of a curve that was written as JSON, as it was until version 2: a row for each
    epoch, without the last two columns where no rows were held out.
    """
    rows = json.loads(text)
    values = np.full((len(rows), len(_UNTIL_2)), np.nan)
    if rows:
        written = np.array(rows, dtype=np.float64)
        values[:, : written.shape[1]] = written
    return pack_curve(values, _UNTIL_2)


APPLICATION_ID = 0x6C726C62  # "lrlb", so that another program's database is never written to
SCHEMA_VERSION = 3

_UTC_NOW = "(strftime('%Y-%m-%dT%H:%M:%SZ', 'now'))"

_CREATE_RUN_TABLE = f"""
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    schedule TEXT NOT NULL,
    settings TEXT NOT NULL,
    seed INTEGER NOT NULL,
    engine TEXT NOT NULL,
    score REAL NOT NULL,
    diverged INTEGER NOT NULL,
    epochs BLOB NOT NULL,
    seconds REAL NOT NULL,
    ended TEXT NOT NULL DEFAULT {_UTC_NOW},
    left_at INTEGER
) STRICT
"""

# What is asked of runs by the thousand stands in the index, beside which their curves are large.
_CREATE_PROGRESS_INDEX = "CREATE INDEX progress ON run (id, diverged, seconds, ended)"

_CREATE_STUDY_TABLES = (
    f"""
CREATE TABLE study (
    id TEXT PRIMARY KEY,
    problem TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    engine TEXT NOT NULL,
    plan TEXT NOT NULL,
    source TEXT,
    began TEXT NOT NULL DEFAULT {_UTC_NOW}
) STRICT
""",
    f"""
CREATE TABLE phase (
    study TEXT NOT NULL REFERENCES study (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    planned TEXT NOT NULL DEFAULT {_UTC_NOW},
    UNIQUE (study, name)
) STRICT
""",
    # A run may be planned by several studies, and is there only when it has ended.
    """
CREATE TABLE member (
    study TEXT NOT NULL,
    phase TEXT NOT NULL,
    place INTEGER NOT NULL,
    run TEXT NOT NULL,
    block INTEGER,
    PRIMARY KEY (study, phase, place),
    FOREIGN KEY (study, phase) REFERENCES phase (study, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID
""",
    "CREATE INDEX studies ON member (run)",
)

CREATE_STATEMENTS = (_CREATE_RUN_TABLE, _CREATE_PROGRESS_INDEX, *_CREATE_STUDY_TABLES)

UNSHARED_RUNS_CONDITION = """id IN (SELECT run FROM member WHERE study = :id)
    AND NOT EXISTS (SELECT 1 FROM member WHERE run = run.id AND study <> :id)"""
"""The condition for runs of one study that no other has."""

_KEPT = """id, problem, fingerprint, schedule, settings, seed, engine, score, diverged, seconds,
    ended, left_at"""

UPGRADES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {
        1: ("ALTER TABLE run ADD COLUMN left_at INTEGER",),
        2: (
            "ALTER TABLE run RENAME TO older",
            _CREATE_RUN_TABLE,
            f"INSERT INTO run ({_KEPT}, epochs) SELECT {_KEPT}, packed(epochs) FROM older",
            "DROP TABLE older",
            _CREATE_PROGRESS_INDEX,
            *_CREATE_STUDY_TABLES,
        ),
    }
)
"""By the version that each brings to the next; ``packed`` is ``rows.pack_json``."""
