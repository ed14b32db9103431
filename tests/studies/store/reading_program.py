"""A program that reads a database while ``test_concurrent_readers.py`` writes it.

python reading_program.py lrlab.db
"""

import sys
import time
from pathlib import Path

BLOCK_SIZE, BLOCK_COUNT = 7, 600
STUDY_ID = "0123abcd"


def read_growing_study(db: Path) -> None:
    """Read at least 30 times, until the study was seen with ten different numbers of runs."""
    from lrlab.studies import StoreReader
    from lrlab.studies.store.schema import unpack_curve

    print("ready", flush=True)
    query = "SELECT count(*), max(curve) FROM run"
    counts, deadline = [0], time.monotonic() + 100
    while len(counts) < 30 or len(set(counts)) < 10:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {counts} in 100 s")
        reader = StoreReader(db)
        counts.append(reader.find_study(STUDY_ID).ended_count)
        total, curve = reader.run_query(lambda db: db.execute(query).fetchone())
        if curve is not None:
            unpack_curve(curve)
        has_whole_blocks = counts[-1] % BLOCK_SIZE == total % BLOCK_SIZE == 0
        if not has_whole_blocks or not counts[-2] <= counts[-1] <= total:
            raise ValueError(f"{counts[-2]} runs, then {counts[-1]}, then {total}")
    assert "torch" not in sys.modules


def begin_study(db: Path) -> None:
    from lrlab.studies import Store

    problem, engine, run_ids, _, _ = make_study()
    with Store(db) as store:
        store.add_study(STUDY_ID, problem, engine, "{}")
        store.add_phase(
            STUDY_ID, "final", [(run_id, i // BLOCK_SIZE) for i, run_id in enumerate(run_ids)]
        )


def make_study() -> tuple:
    """Make problem, engine, ids of runs, runs and invented results."""
    import numpy as np

    from lrlab import Constant
    from lrlab.problems import load_problem
    from lrlab.training import Curve, Result, Run, Settings
    from lrlab.training.engines import LoopEngine

    run_ids = [f"{i:032x}" for i in range(BLOCK_SIZE * BLOCK_COUNT)]
    settings, numbers = Settings(), np.random.default_rng(0).normal(size=(len(run_ids), 3, 7))
    runs = {run_id: Run(Constant(1.0), settings, i) for i, run_id in enumerate(run_ids)}
    results = {
        run_id: Result(values[0, 0], bool(values[0, 1] > 1), Curve(values), values[0, 2])
        for run_id, values in zip(run_ids, numbers, strict=True)
    }
    return load_problem("iris"), LoopEngine(), run_ids, runs, results


if __name__ == "__main__":
    read_growing_study(Path(sys.argv[1]))
