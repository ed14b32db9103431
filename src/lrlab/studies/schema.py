"""The tables of the store, and how a file that an older lrlab wrote comes to have them."""

from collections.abc import Mapping
from types import MappingProxyType

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
