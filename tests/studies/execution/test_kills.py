"""Fifty kills of one study: no run is lost or doubled, and none is another one."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest


def query_file(db: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(question).fetchall()


@pytest.mark.integration
def test_fifty_kills_leave_the_study_that_was_never_killed(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed.db", tmp_path / "whole.db"
    script = Path(__file__).with_name("killed_study.py")
    done = subprocess.run(
        [sys.executable, "-P", script, tmp_path], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    stored = [int(count) for count in done.stdout.split()]
    assert len(stored) == 50
    assert sorted(stored) == stored
    assert len(set(stored)) > 15  # most kills were of a study that went on

    for question in (
        "SELECT id, schedule, settings, seed, test_score, diverged, curve, diverged_at_step "
        "FROM run ORDER BY 1",
        "SELECT phase, position, run, block FROM planned_run ORDER BY phase, position",
        "SELECT id, plan FROM study",
    ):
        assert query_file(killed, question) == query_file(whole, question)
    # No run is in the file without a phase that planned it, or planned without being there.
    assert query_file(killed, "SELECT count(*) FROM run") == query_file(
        killed, "SELECT count(*) FROM planned_run"
    )
    assert query_file(killed, "PRAGMA integrity_check") == [("ok",)]
