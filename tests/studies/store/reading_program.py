"""A process that reads a store while ``test_many_readers`` writes it.

python reading_program.py lrlab.db
"""

import sys
import time
from pathlib import Path

BLOCK, BLOCKS = 7, 600
STUDY = "0123abcd"


def read_until_seen_growing(db: Path) -> None:
    """Reads until the study was seen at ten points, thirty times at least."""
    from lrlab.studies import StoreReader
    from lrlab.studies.store.schema import unpack_curve

    print("ready", flush=True)
    query = "SELECT count(*), max(curve) FROM run"
    seen, deadline = [0], time.monotonic() + 100
    while len(seen) < 30 or len(set(seen)) < 10:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {seen} in 100 s")
        catalog = StoreReader(db)
        seen.append(catalog.find_study(STUDY).ended_count)
        many, curve = catalog.run_query(lambda db: db.execute(query).fetchone())
        if curve is not None:
            unpack_curve(curve)
        if seen[-1] % BLOCK or many % BLOCK or not seen[-2] <= seen[-1] <= many:
            raise ValueError(f"{seen[-2]} runs, then {seen[-1]}, then {many}")
    assert "torch" not in sys.modules


def begin_study(db: Path) -> None:
    from lrlab.studies import Store

    problem, engine, ids, _, _ = make_study()
    with Store(db) as store:
        store.add_study(STUDY, problem, engine, "{}")
        store.add_phase(STUDY, "final", [(id, i // BLOCK) for i, id in enumerate(ids)])


def make_study() -> tuple:
    """Problem, engine, ids, runs and results, which nobody has trained."""
    import numpy as np

    from lrlab import Constant
    from lrlab.problems import load_problem
    from lrlab.training import Curve, Result, Run, Settings
    from lrlab.training.engines import Engine

    ids = [f"{i:032x}" for i in range(BLOCK * BLOCKS)]
    settings, numbers = Settings(), np.random.default_rng(0).normal(size=(len(ids), 3, 7))
    runs = {id: Run(Constant(1.0), settings, i) for i, id in enumerate(ids)}
    results = {
        id: Result(own[0, 0], bool(own[0, 1] > 1), Curve(own), own[0, 2])
        for id, own in zip(ids, numbers, strict=True)
    }
    return load_problem("iris"), Engine("loop"), ids, runs, results


if __name__ == "__main__":
    read_until_seen_growing(Path(sys.argv[1]))
