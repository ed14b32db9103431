"""Writers that are killed at random moments: nothing is lost, doubled or half there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lrlab.studies import Store
from tests.studies import store_programs


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_fifty_writers_are_killed_and_the_next_goes_on(tmp_path: Path) -> None:
    db = tmp_path / "lrlab.db"
    command = [sys.executable, store_programs.__file__, "killed", str(db)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > store_programs.KILLS / 2, "most were killed in the middle"
    _, _, ids, _, results = store_programs.study()
    with Store(db) as store:
        assert store.finished(ids) == results
