"""A study that is killed again and again, in processes of its own; ``test_kills`` reads the end.

Every process is forked from one that has all imported and traced, so that the moments at which they
are killed lie within the study and not within the imports before it.
"""

import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import torch

from lrlab import Cosine, Linear
from lrlab.problems import load_problem
from lrlab.studies import Machine, Phase, Protocol, Store, build_grid, build_plan, run_study
from lrlab.studies.execution.runner import ignore_progress
from lrlab.training import Run, Settings
from lrlab.training.engines import Engine
from lrlab.training.ensemble import packing

KILLS = 50


def main(folder: Path) -> None:
    torch.set_num_threads(1)  # threads of a pool do not come along with a fork
    assert packing._get_cache_bytes
    packing._get_cache_bytes = lambda: 20_000  # so that there are many blocks
    grid = build_grid(Settings(epochs=12, validation_size=0.2), [0.03, 0.3, 3.0], [0, 0.9])
    schedules = [Cosine(), Linear(1, 0)]
    which = build_plan(
        load_problem("iris"), schedules, grid, Protocol(60, 20, 1), Engine("ensemble")
    )

    def study(name: str, watch: Callable = ignore_progress) -> None:
        with Store(folder / name) as store:
            run_study(which, store, Machine(1), watch)

    study("whole.db")
    moments, kills = random.Random(0), 0
    while kills < KILLS:
        # Some before anything is stored, most at any moment after the first or second block.
        runs, after = moments.choice([0, 1, 1, 13]), moments.uniform(0, 0.1)
        if kill_process(lambda tell: study("killed.db", tell), runs, after):
            kills += 1
            with closing(sqlite3.connect(folder / "killed.db")) as connection:
                tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
                query = "SELECT count(*) FROM run" if ("run",) in tables else "SELECT 0"
                print(*connection.execute(query).fetchone())
    study("killed.db")


def kill_process(work: Callable[[Callable], None], runs: int, after: float) -> bool:
    """Whether a process that does this work is killed before it is done: so many seconds after so
    many runs have ended in it.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(make_reporter(theirs))
        finally:
            os._exit(0)
    os.close(theirs)
    while runs > 0 and (told := os.read(ours, runs)):
        runs -= len(told)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.close(ours)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def make_reporter(pipe: int) -> Callable:
    """A ``Watch`` that writes a byte at the end of every run."""

    @contextmanager
    def watch(phase: Phase, missing: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
        yield lambda run: os.write(pipe, b"r") and None

    return watch


if __name__ == "__main__":
    main(Path(sys.argv[1]))
