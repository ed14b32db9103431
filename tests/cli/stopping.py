"""Commands in processes of their own that are stopped in mid-study, and what they have stored."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

Row = tuple[float, int, bytes]
"""Score, whether it diverged, and the curve as it is packed: all numbers of a run but seconds."""


def command(*arguments: object) -> list[str]:
    """``lrlab`` with arguments, for a process."""
    return [sys.executable, "-m", "lrlab", *map(str, arguments)]


def query(db: Path, question: str) -> list[tuple]:
    """What the database answers."""
    with closing(sqlite3.connect(db, timeout=30)) as connection:
        return connection.execute(question).fetchall()


def numbers(db: Path) -> dict[str, Row]:
    """The numbers of every run that is stored, by id."""
    rows = query(db, "SELECT id, test_score, diverged, curve FROM run")
    return {id: row for id, *row in rows}


def ended(db: Path) -> dict[str, tuple]:
    """All that is stored of every run, the moment at which it ended included, by id."""
    return {row[0]: row[1:] for row in query(db, "SELECT * FROM run")}


def stopped(folder: Path, how: signal.Signals, runs: int, *arguments: object) -> str:
    """What a command has said on stderr that is stopped when so many runs are stored.

    It has lrlab.db in this folder, and as TMPDIR the folder ``temporary`` in it.
    """
    (folder / "temporary").mkdir()
    process = subprocess.Popen(
        command(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=_hear_interrupts,
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while _stored(folder / "lrlab.db") < runs:
        if time.monotonic() > deadline or process.poll() is not None:
            process.kill()
            pytest.fail(f"{runs} runs are not stored: {process.communicate()[1]}")
        time.sleep(0.02)
    if how is signal.SIGINT:
        os.killpg(process.pid, how)  # a terminal sends it to the whole group
    else:
        os.kill(process.pid, how)
    _, said = process.communicate(timeout=60)
    _wait_until_gone(process.pid)
    assert process.returncode == (130 if how is signal.SIGINT else -how), said
    return said


def _hear_interrupts() -> None:
    """Lets Ctrl-C through where the tests themselves run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _stored(db: Path) -> int:
    if not db.exists():
        return 0
    try:
        return query(db, "SELECT count(*) FROM run")[0][0]
    except sqlite3.OperationalError:  # its table is not there yet
        return 0


def _wait_until_gone(group: int) -> None:
    """Workers end with their parent: none of its process group is left."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers outlive their parent")
