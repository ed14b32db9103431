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
from lrlab.problems import load
from lrlab.studies import Machine, Phase, Protocol, Store, carry_out, cross, plan
from lrlab.training import Run, Settings, ensemble
from lrlab.training.engines import Engine

KILLS = 50


class Stop(Exception):
    """The first run has ended."""


@contextmanager
def until_the_first(phase: Phase, missing: Sequence[Run]) -> Iterator[Callable[[Run], None]]:
    def ended(run: Run) -> None:
        raise Stop

    yield ended


def main(folder: Path) -> None:
    torch.set_num_threads(1)  # threads of a pool do not come along with a fork
    ensemble.__dict__["_cache"] = lambda: 20_000  # so that there are many blocks
    grid = cross(Settings(epochs=12, validation=0.2), [0.03, 0.3, 3.0], [0, 0.9])
    schedules = [Cosine(), Linear(1, 0)]
    which = plan(load("iris"), schedules, grid, Protocol(30, 10, 1), Engine("ensemble"))

    def study(name: str, *watch: Callable) -> None:
        with Store(folder / name) as store:
            carry_out(which, store, Machine(1), *watch)

    study("whole.db")
    first = seconds(lambda: study("first.db", until_the_first))
    whole = seconds(lambda: study("second.db"))
    moments, kills = random.Random(0), 0
    while kills < KILLS:
        if killed(lambda: study("killed.db"), moments.uniform(0, first + whole / 10)):
            kills += 1
            with closing(sqlite3.connect(folder / "killed.db")) as connection:
                print(*connection.execute("SELECT count(*) FROM run").fetchone())
    study("killed.db")


def started(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def seconds(work: Callable[[], None]) -> float:
    before = time.monotonic()
    os.waitpid(started(work), 0)
    return time.monotonic() - before


def killed(work: Callable[[], None], after: float) -> bool:
    """Whether a process that does this work is killed, so many seconds after its start, before it
    is done.
    """
    child = started(work)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
