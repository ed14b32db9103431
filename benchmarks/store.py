"""Measures the store with a hundred thousand runs: its size, and how fast it is written and read.

Times of commands are medians of whole processes without the first one, in seconds of wall time and
of CPU time. The runs belong to three studies, with curves of 50 epochs and validation scores, as
in the default study; their numbers are invented, in float32 like those of the loop.

Writes ``benchmarks/results/store.json``:

    python benchmarks/store.py [runs]
"""

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lrlab import Warmup, parse
from lrlab.problems import load_problem
from lrlab.studies import Store
from lrlab.studies.store.schema import pack_curve, unpack_curve
from lrlab.training import Curve, Result, Run, Settings
from lrlab.training.engines import EnsembleEngine

RUNS, BLOCK, TIMES = 100_000, 500, 5
RESULTS = Path(__file__).parent / "results" / "store.json"
SCHEDULES = (Warmup("10%") >> parse("Cosine()"), parse("Constant(1.0)"), parse("Exponential(0.99)"))
EPOCHS = 50


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory() as folder:
        db = Path(folder) / "lrlab.db"
        seconds = write_runs(db, runs)
        found = {
            "runs": runs,
            "epochs": EPOCHS,
            "bytes_per_run": round(db.stat().st_size / runs),
            "bytes_per_curve": round(len(pack_curve(make_curve(0).values, make_curve(0).columns))),
            "runs_written_per_second": round(runs / seconds),
            "pack_us": round(
                1e6 * time_each(lambda: pack_curve(curve_0.values, curve_0.columns)), 1
            ),
            "unpack_us": round(1e6 * time_each(lambda: unpack_curve(packed_0)), 1),
            "commands": {name: time_command(folder, *words) for name, words in COMMANDS.items()},
        }
    print(json.dumps(found, indent=2))
    if runs == RUNS:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")


COMMANDS = {
    "version": ("--version",),
    "status": ("status", "00000000"),
    "studies": ("studies",),
    "export to CSV": ("export", "00000000", "--output", "runs.csv", "--force"),
    "export to JSON": ("export", "00000000", "--output", "runs.json", "--force"),
}


def write_runs(db: Path, runs: int) -> float:
    """Write runs block by block, as a study does, and return the seconds that it took."""
    problem, engine = load_problem("breast-cancer"), EnsembleEngine()
    settings = [
        Settings(lr=lr, momentum=m, validation_size=0.2) for lr in (0.1, 1.0) for m in (0.0, 0.9)
    ]
    ids = [hashlib.sha256(str(i).encode()).hexdigest()[:32] for i in range(runs)]
    curves = [make_curve(seed) for seed in range(BLOCK)]
    taken = 0.0
    with Store(db) as store:
        for study in range(3):
            study_ids = ids[: runs - 2] if not study else ids[runs - 3 + study :][:1]
            store.add_study(f"{study:08x}", problem, engine, "{}")
            half = len(study_ids) // 2
            for phase, members in (("tuning", study_ids[:half]), ("final", study_ids[half:])):
                blocks = [(run_id, i // BLOCK) for i, run_id in enumerate(members)]
                store.add_phase(f"{study:08x}", phase, blocks)
        for first in range(0, runs, BLOCK):
            block = ids[first : first + BLOCK]
            planned = {
                run_id: Run(SCHEDULES[i % 3], settings[i % 4], first + i)
                for i, run_id in enumerate(block)
            }
            results = {
                run_id: Result(0.9, i % 50 == 0, curves[i], 0.25) for i, run_id in enumerate(block)
            }
            started = time.perf_counter()
            store.add_results(problem, engine, planned, results)
            taken += time.perf_counter() - started
    return taken


def make_curve(seed: int) -> Curve:
    """Make a curve with learning rates in float64, and losses and scores in float32."""
    draw = np.random.default_rng(seed)
    steps = np.arange(EPOCHS)
    rates = SCHEDULES[seed % 3].bind(total_steps=EPOCHS + 1, steps_per_epoch=1)(
        np.arange(EPOCHS + 1), base=0.1
    )
    losses = np.exp(-steps / 20 + 0.1 * draw.normal(size=(2, EPOCHS))).astype(np.float32)
    scores = draw.integers(150, 171, (2, EPOCHS)) / [[171], [80]]
    columns = [steps, rates[:-1], rates[1:], losses[0], scores[0], losses[1], scores[1]]
    return Curve(np.stack([np.asarray(column, np.float64) for column in columns], axis=1))


def time_each(call: Callable[[], object]) -> float:
    """Return the median seconds of a thousand calls."""
    seconds = []
    for _ in range(1000):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def time_command(folder: str, *words: str) -> dict[str, float]:
    """Return the median seconds of a command: wall time and CPU time."""
    # Write bytecode, as for an installed package.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    line = [sys.executable, "-m", "lrlab", *words]
    clock, processor = [], []
    for _ in range(TIMES + 1):
        before, started = measure_cpu_seconds(), time.perf_counter()
        subprocess.run(line, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
        clock.append(time.perf_counter() - started)
        processor.append(measure_cpu_seconds() - before)
    return {
        "seconds": round(statistics.median(clock[1:]), 3),
        "of_processor": round(statistics.median(processor[1:]), 3),
    }


def measure_cpu_seconds() -> float:
    """Return the CPU seconds that commands have used so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


curve_0 = make_curve(0)
packed_0 = pack_curve(curve_0.values, curve_0.columns)

if __name__ == "__main__":
    main()
