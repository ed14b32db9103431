"""One process writes and eight read: none has to wait, and all see whole blocks."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from lrlab.studies import Store
from tests.studies.store import reading_program

PROGRAM = Path(reading_program.__file__)


@pytest.mark.integration
def test_eight_processes_read_while_one_writes(tmp_path: Path) -> None:
    db = tmp_path / "lrlab.db"
    reading_program.begin_study(db)
    problem, engine, run_ids, runs, results = reading_program.make_study()
    size = reading_program.BLOCK_SIZE
    blocks = (run_ids[i : i + size] for i in range(0, len(run_ids), size))
    command = [sys.executable, str(PROGRAM), str(db)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    readers = [subprocess.Popen(command, **pipes) for _ in range(8)]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "ready\n"
        written = 0
        while any(reader.poll() is None for reader in readers):
            with Store(db) as store:  # removes the log when it closes
                for block in islice(blocks, 3):
                    store.add_results(problem, engine, runs, {i: results[i] for i in block})
                    written += len(block)
        errors = [reader.communicate()[1] for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()
    assert errors == [""] * 8
    assert [reader.returncode for reader in readers] == [0] * 8
    with Store(db) as store:
        assert store.load_results(run_ids) == {i: results[i] for i in run_ids[:written]}
