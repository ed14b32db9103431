"""Processes that use a store and are watched by tests: one that reads, and one that is killed.

python store_programs.py read lrlab.db       until it has seen enough, then says what
python store_programs.py killed lrlab.db     starts writers and kills them
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

BLOCK, BLOCKS, KILLS = 7, 600, 50
STUDY = "0123abcd"


def main() -> None:
    {"read": read, "killed": killed}[sys.argv[1]](Path(sys.argv[2]))


def read(db: Path) -> None:
    """Reads until the study was seen at ten points, thirty times at least."""
    from lrlab.studies import Catalog
    from lrlab.studies.rows import unpack

    print("ready", flush=True)
    query = "SELECT count(*), max(epochs) FROM run"
    seen, deadline = [0], time.monotonic() + 100
    while len(seen) < 30 or len(set(seen)) < 10:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {seen} in 100 s")
        catalog = Catalog(db)
        seen.append(catalog.find(STUDY).ended)
        many, curve = catalog.ask(lambda db: db.execute(query).fetchone())
        if curve is not None:
            unpack(curve)
        if seen[-1] % BLOCK or many % BLOCK or not seen[-2] <= seen[-1] <= many:
            raise ValueError(f"{seen[-2]} runs, then {seen[-1]}, then {many}")
    assert "torch" not in sys.modules


def killed(db: Path) -> None:
    """Kills a writer at a random moment, as often as said, and lets the last one end."""
    from lrlab.studies import Catalog

    begin(db)
    whole = study()
    chance, interrupted = random.Random(0), 0
    for _ in range(KILLS):
        pid, told = started(db, whole)
        os.read(told, 1)  # it has opened the store
        for _ in range(chance.randrange(8)):
            os.read(told, 1)
        time.sleep(chance.uniform(0, 0.01))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(told)
        ended = Catalog(db).find(STUDY).ended
        assert ended % BLOCK == 0, ended
        interrupted += 0 < ended < BLOCK * BLOCKS
    pid, told = started(db, whole)
    while os.read(told, 4096):
        pass
    assert os.waitpid(pid, 0)[1] == 0
    print(interrupted)


def started(db: Path, whole: tuple) -> tuple[int, int]:
    """A process that writes what is missing, and a pipe that it says so in."""
    ours, theirs = os.pipe()
    if pid := os.fork():
        os.close(theirs)
        return pid, ours
    try:
        go_on(db, whole, theirs)
        os._exit(0)
    finally:
        os._exit(1)


def begin(db: Path) -> None:
    from lrlab.studies import Store

    problem, engine, ids, _, _ = study()
    with Store(db) as store:
        store.begin(STUDY, problem, engine, "{}")
        store.plan_phase(STUDY, "final", [(id, i // BLOCK) for i, id in enumerate(ids)])


def go_on(db: Path, whole: tuple, tell: int) -> None:
    from lrlab.studies import Store

    problem, engine, ids, runs, results = whole
    with Store(db) as store:
        known = store.known(ids)
        os.write(tell, b"o")
        for first in range(0, len(ids), BLOCK):
            block = ids[first : first + BLOCK]
            if not known.issuperset(block):
                assert known.isdisjoint(block)
                store.add(problem, engine, runs, {id: results[id] for id in block})
                os.write(tell, b"b")


def study() -> tuple:
    """Problem, engine, ids, runs and results, which nobody has trained."""
    import numpy as np

    from lrlab import Constant
    from lrlab.problems import load
    from lrlab.training import Curve, Result, Run, Settings
    from lrlab.training.engines import Engine

    ids = [f"{i:032x}" for i in range(BLOCK * BLOCKS)]
    settings, numbers = Settings(), np.random.default_rng(0).normal(size=(len(ids), 3, 7))
    runs = {id: Run(Constant(1.0), settings, i) for i, id in enumerate(ids)}
    results = {
        id: Result(own[0, 0], bool(own[0, 1] > 1), Curve(own), own[0, 2])
        for id, own in zip(ids, numbers, strict=True)
    }
    return load("iris"), Engine("loop"), ids, runs, results


if __name__ == "__main__":
    main()
