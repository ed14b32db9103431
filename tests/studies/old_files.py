"""Files as older versions of lrlab wrote them, with the one run that they hold."""

import sqlite3
from contextlib import closing
from pathlib import Path

from lrlab.training import Curve, Epoch, Result

_TABLE = """
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
    epochs TEXT NOT NULL,
    seconds REAL NOT NULL,
    ended TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')){more}
) STRICT;
PRAGMA application_id = 1819438178;
PRAGMA user_version = {version};
PRAGMA journal_mode = WAL;
INSERT INTO run VALUES ({run});
"""

_FIRST = """'old', 'iris', '0', 'Cosine()', '{"lr": 0.1}', 3, 'loop', 0.25, 1,
    '[[0, 0.1, 0.05, 0.7, 0.30000000000000004]]', 1.5, '2025-01-01T00:00:00Z'"""
_SECOND = """'old', 'iris', '0', 'Cosine()', '{"lr": 0.1}', 3, 'loop', 0.25, 1,
    '[[0, 0.1, 0.05, 0.7, 0.30000000000000004, 0.6, 0.5]]', 1.5, '2025-01-01T00:00:00Z', 17"""

OLD = {
    1: (
        _TABLE.format(more="", version=1, run=_FIRST),
        Result(0.25, True, Curve.from_epochs([Epoch(0, 0.1, 0.05, 0.7, 0.1 + 0.2)]), 1.5),
    ),
    2: (
        _TABLE.format(more=", left_at INTEGER", version=2, run=_SECOND),
        Result(
            0.25, True, Curve.from_epochs([Epoch(0, 0.1, 0.05, 0.7, 0.1 + 0.2, 0.6, 0.5)]), 1.5, 17
        ),
    ),
}
"""By version: what makes the file, and the result of its run, whose id is ``old``."""


def old_file(path: Path, version: int) -> Result:
    """Makes the file and gives the result that is in it."""
    made, result = OLD[version]
    with closing(sqlite3.connect(path)) as db:
        db.executescript(made)
    return result
