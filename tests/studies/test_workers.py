"""Calls spread over processes: each done once, by whoever is there."""

import subprocess
import sys
import time
from multiprocessing import active_children
from pathlib import Path

import pytest

from lrlab.studies.execution.local import run_in_workers

# What the other processes do with a path; what this one does is in each test.
TOUCH = Path.touch


def test_other_processes_do_their_share(tmp_path: Path) -> None:
    files = [tmp_path / str(i) for i in range(6)]

    def here(place: int) -> str:
        deadline = time.monotonic() + 120
        while not any(file.exists() for file in files):  # until somebody else has done something
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return "here"

    done = list(run_in_workers(TOUCH, [(file,) for file in files], here, workers=2))
    assert sorted(place for place, _ in done) == list(range(6))
    mine = {place for place, result in done if result == "here"}
    assert {0, 1, 2} <= mine
    theirs = set(range(6)) - mine
    assert theirs
    assert all(files[place].exists() for place in theirs)
    assert active_children() == []


def test_what_is_quicker_than_their_start_is_all_done_here(tmp_path: Path) -> None:
    calls = [(tmp_path / str(i),) for i in range(50)]
    done = dict(run_in_workers(TOUCH, calls, lambda place: f"here {place}", workers=2))
    assert done == {place: f"here {place}" for place in range(50)}
    assert list(tmp_path.iterdir()) == []
    assert active_children() == []


def test_an_error_here_ends_the_others(tmp_path: Path) -> None:
    def here(place: int) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_in_workers(TOUCH, [(tmp_path / "x",)] * 4, here, workers=2))
    assert active_children() == []


def test_an_error_there_is_raised_here(tmp_path: Path) -> None:
    def here(place: int) -> str:
        time.sleep(0.5 if any(child.is_alive() for child in active_children()) else 0)
        return "here"

    missing = tmp_path / "no" / "folder"
    with pytest.raises(FileNotFoundError):
        list(run_in_workers(TOUCH, [(missing,)] * 200, here, workers=2))
    assert active_children() == []


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "not guarded"])
def test_a_script_that_is_no_file_trains_in_one_process(guarded: bool) -> None:
    lines = [
        "import lrlab",
        "words = dict(tune=False, seeds=3, epochs=1, workers=2, engine='loop', db=None)",
        "print(len(lrlab.compare('iris', ['Cosine()'], **words).runs))",
    ]
    guard = 'if __name__ == "__main__":' if guarded else "if True:"
    script = "\n    ".join([guard, *lines])
    done = subprocess.run([sys.executable], input=script, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "6\n"), done.stderr
