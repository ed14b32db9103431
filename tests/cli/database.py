"""Reading stored runs with SQL, without lrlab."""

import sqlite3
from contextlib import closing
from pathlib import Path

Numbers = tuple[float, int, bytes]
"""Score, whether the run diverged, and the packed curve: all numbers of a run but its seconds."""


def query(db: Path, sql: str) -> list[tuple]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(db, timeout=30)) as connection:
        return connection.execute(sql).fetchall()


def read_numbers(db: Path) -> dict[str, Numbers]:
    """Return the numbers of every stored run, by id."""
    rows = query(db, "SELECT id, test_score, diverged, curve FROM run")
    return {run_id: tuple(numbers) for run_id, *numbers in rows}


def read_rows(db: Path) -> dict[str, tuple]:
    """Return all columns of every run, by id."""
    return {row[0]: row[1:] for row in query(db, "SELECT * FROM run")}
