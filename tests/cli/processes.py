"""Running commands as processes, and stopping them in the middle of a study."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.database import query


def build_command(*arguments: object) -> list[str]:
    """Return the command line of ``lrlab`` with arguments."""
    return [sys.executable, "-m", "lrlab", *map(str, arguments)]


def stop_command(folder: Path, signal_number: signal.Signals, runs: int, *arguments: object) -> str:
    """Start a command, stop it with a signal once ``runs`` runs are stored; return its stderr.

    It uses lrlab.db in ``folder``; its TMPDIR is the folder ``temporary`` there.
    """
    (folder / "temporary").mkdir()
    process = subprocess.Popen(
        build_command(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, preexec_fn=_accept_interrupts,
        env={**os.environ, "TMPDIR": str(folder / "temporary")},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while _count_runs(folder / "lrlab.db") < runs:
        if time.monotonic() > deadline or process.poll() is not None:
            process.kill()
            pytest.fail(f"{runs} runs are not stored: {process.communicate()[1]}")
        time.sleep(0.02)
    if signal_number is signal.SIGINT:
        os.killpg(process.pid, signal_number)  # a terminal sends it to the whole group
    else:
        os.kill(process.pid, signal_number)
    _, err = process.communicate(timeout=60)
    _wait_until_ended(process.pid)
    assert process.returncode == (130 if signal_number is signal.SIGINT else -signal_number), err
    return err


def _accept_interrupts() -> None:
    """Let Ctrl-C through if the tests run in the background, where it is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _count_runs(db: Path) -> int:
    if not db.exists():
        return 0
    try:
        return query(db, "SELECT count(*) FROM run")[0][0]
    except sqlite3.OperationalError:  # the table does not exist yet
        return 0


def _wait_until_ended(group: int) -> None:
    """Wait until all processes of the group have ended: workers end with their parent."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("workers have not ended with their parent")
