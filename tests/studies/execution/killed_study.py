"""A program that runs a study in processes that it kills, for ``test_kills.py``.

All processes are forked after imports and tracing, so that they are killed during the study.
"""

import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import torch

from lrlab import Cosine, Linear
from lrlab.problems import load_problem
from lrlab.studies import Machine, Protocol, Store, build_grid, build_plan, run_study
from lrlab.studies.execution.runner import Progress, ProgressCallback, ignore_progress
from lrlab.training import Settings
from lrlab.training.engines import EnsembleEngine
from lrlab.training.ensemble import packing

KILLS = 50


def main(folder: Path) -> None:
    torch.set_num_threads(1)  # a forked process has no thread pool
    assert packing._get_cache_bytes
    packing._get_cache_bytes = lambda: 20_000  # so that there are many blocks
    grid = build_grid(Settings(epochs=12, validation_size=0.2), [0.03, 0.3, 3.0], [0, 0.9])
    schedules = [Cosine(), Linear(1, 0)]
    plan = build_plan(load_problem("iris"), schedules, grid, Protocol(60, 20, 1), EnsembleEngine())

    def train(name: str, progress: ProgressCallback = ignore_progress) -> None:
        with Store(folder / name) as store:
            run_study(plan, store, Machine(1), progress)

    train("undisturbed.db")
    rng, kills = random.Random(0), 0
    while kills < KILLS:
        # Some kills are before anything is stored, most are after the first or second block.
        runs, seconds = rng.choice([0, 1, 1, 13]), rng.uniform(0, 0.1)
        if kill_process(lambda progress: train("killed.db", progress), runs, seconds):
            kills += 1
            with closing(sqlite3.connect(folder / "killed.db")) as connection:
                tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
                query = "SELECT count(*) FROM run" if ("run",) in tables else "SELECT 0"
                print(*connection.execute(query).fetchone())
    train("killed.db")


def kill_process(work: Callable[[ProgressCallback], None], runs: int, seconds: float) -> bool:
    """Kill a process ``seconds`` after ``runs`` runs have ended in it.

    Returns:
        Whether it was killed before it exited.
    """
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            work(make_reporter(write_end))
        finally:
            os._exit(0)
    os.close(write_end)
    while runs > 0 and (written := os.read(read_end, runs)):
        runs -= len(written)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.close(read_end)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def make_reporter(pipe: int) -> ProgressCallback:
    """Make a callback that writes a byte for every run that has ended."""
    reported = 0

    def report_runs(progress: Progress) -> None:
        nonlocal reported
        reported = min(reported, progress.trained)  # another phase begins at 0
        os.write(pipe, b"r" * (progress.trained - reported))
        reported = progress.trained

    return report_runs


if __name__ == "__main__":
    main(Path(sys.argv[1]))
