"""The tables of the store, and how a file that an older lrlab wrote comes to have them."""

APPLICATION = 0x6C726C62  # "lrlb", so that another program's database is never written to
VERSION = 2

CREATE = """
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
    ended TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    left_at INTEGER
) STRICT
"""

UPGRADES = {1: "ALTER TABLE run ADD COLUMN left_at INTEGER"}
"""By the version that each brings to the next."""
