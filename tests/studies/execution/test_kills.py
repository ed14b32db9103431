"""A study that is killed fifty times has the runs of one that is not."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest


def query_file(db: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.integration
def test_fifty_kills_do_not_change_a_study(tmp_path: Path) -> None:
    killed, undisturbed = tmp_path / "killed.db", tmp_path / "undisturbed.db"
    script = Path(__file__).with_name("killed_study.py")
    process = subprocess.run(
        [sys.executable, "-P", script, tmp_path], capture_output=True, text=True, timeout=600
    )
    assert process.returncode == 0, process.stderr
    stored_counts = [int(count) for count in process.stdout.split()]
    assert len(stored_counts) == 50
    assert sorted(stored_counts) == stored_counts
    assert len(set(stored_counts)) > 15  # the study continued between kills

    for sql in (
        "SELECT id, schedule, settings, seed, test_score, diverged, curve, diverged_at_step "
        "FROM run ORDER BY 1",
        "SELECT phase, position, run, block FROM planned_run ORDER BY phase, position",
        "SELECT id, plan FROM study",
    ):
        assert query_file(killed, sql) == query_file(undisturbed, sql)
    # All stored runs are planned, and all planned runs are stored.
    assert query_file(killed, "SELECT count(*) FROM run") == query_file(
        killed, "SELECT count(*) FROM planned_run"
    )
    assert query_file(killed, "PRAGMA integrity_check") == [("ok",)]
