"""Measures the store with a hundred thousand runs: its size, and how fast it is written and read.

Times of commands are medians of whole processes without the first one, in seconds of wall time and
of CPU time; those of reading in Python are medians of CPU time. The runs are those of a default
study with more tuning seeds and curves of 50 epochs; their numbers are invented, in float32 like
those of the loop. Two small studies are beside it.

Writes ``benchmarks/results/store.json``:

    python benchmarks/store.py [runs]
"""

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

from lrlab import Cosine
from lrlab.problems import Problem, load_problem
from lrlab.studies import (
    Plan,
    Protocol,
    Store,
    StoreReader,
    build_default_schedules,
    build_grid,
    build_plan,
    load_study_result,
    plan_first_phase,
    plan_next_phase,
)
from lrlab.studies.frames import read_epochs_frame, read_runs_frame
from lrlab.studies.store.schema import pack_curve, unpack_curve
from lrlab.training import OPTIMIZERS, Curve, Result, Settings
from lrlab.training.engines import EnsembleEngine

RUNS, BLOCK, TIMES = 100_000, 500, 5
RESULTS = Path(__file__).parent / "results" / "store.json"
EPOCHS = 50
COSINE = Cosine(EPOCHS)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    problem = load_problem("breast-cancer")
    plan = plan_large_study(problem, runs)
    with TemporaryDirectory() as folder:
        db = Path(folder) / "lrlab.db"
        written, seconds = write_study(db, plan)
        for seed in range(2):
            small = Protocol(seeds=1, seed=seed)
            write_study(db, build_plan(problem, plan.schedules[:2], plan.grid[0], small))
        found = {
            "runs": written,
            "epochs": EPOCHS,
            "bytes_per_run": round(db.stat().st_size / written),
            "bytes_per_curve": round(len(pack_curve(make_curve(0).values, make_curve(0).columns))),
            "runs_written_per_second": round(written / seconds),
            "pack_us": round(
                1e6 * time_each(lambda: pack_curve(curve_0.values, curve_0.columns)), 1
            ),
            "unpack_us": round(1e6 * time_each(lambda: unpack_curve(packed_0)), 1),
            "reading": time_reading(db, plan.id),
            "commands": {
                name: time_command(folder, *(plan.id if w == "ID" else w for w in words))
                for name, words in COMMANDS.items()
            },
        }
    print(json.dumps(found, indent=2))
    if runs == RUNS:
        RESULTS.write_text(json.dumps(found, indent=2) + "\n")


COMMANDS = {
    "version": ("--version",),
    "status": ("status", "ID"),
    "studies": ("studies",),
    "export to CSV": ("export", "ID", "--output", "runs.csv", "--force"),
    "export to JSON": ("export", "ID", "--output", "runs.json", "--force"),
}


def plan_large_study(problem: Problem, runs: int) -> Plan:
    """Plan the default study with about as many runs, nearly all of them for tuning."""
    common = Settings(epochs=EPOCHS, validation_size=0.2)
    grid = build_grid(common, OPTIMIZERS["sgd"].lr_grid, OPTIMIZERS["sgd"].momentum_grid)
    schedules = build_default_schedules(common)
    tuning_seeds = max(1, round(runs / (len(schedules) + 1) / len(grid)))
    protocol = Protocol(seeds=10, tuning_seeds=tuning_seeds, grid_extensions=0)
    return build_plan(problem, schedules, grid, protocol, EnsembleEngine())


def write_study(db: Path, plan: Plan) -> tuple[int, float]:
    """Write the runs of a study block by block; return their number, and the seconds it took."""
    curves = [make_curve(seed) for seed in range(BLOCK)]
    phase, phases, results, seconds = plan_first_phase(plan), [], {}, 0.0
    with Store(db) as store:
        store.add_study(plan.id, plan.problem, plan.engine, json.dumps(plan.to_dict()))
        while phase is not None:
            ids = list(phase.runs)
            store.add_phase(plan.id, phase.name, [(id_, i // BLOCK) for i, id_ in enumerate(ids)])
            for first in range(0, len(ids), BLOCK):
                block = {
                    run_id: Result(
                        curve.get_column("test_score")[-1],
                        i % 50 == 0,
                        curve,
                        0.25,
                        validation_dummy_score=0.6,
                    )
                    for i, (run_id, curve) in enumerate(
                        zip(ids[first : first + BLOCK], curves, strict=False)
                    )
                }
                started = time.perf_counter()
                store.add_results(plan.problem, plan.engine, phase.runs, block)
                seconds += time.perf_counter() - started
                results |= block
            phases.append(phase)
            phase = plan_next_phase(plan, phases, results)
    return len(results), seconds


def time_reading(db: Path, study_id: str) -> dict[str, float]:
    """Return the CPU seconds that reading the study in Python takes."""
    reader = StoreReader(db)
    calls = {
        "runs": lambda: read_runs_frame(reader, study_id),
        "epochs": lambda: read_epochs_frame(reader, study_id),
        "study": lambda: load_study_result(reader, study_id),
        "study with its runs, epochs and table": lambda: read_all(reader, study_id),
    }
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(TIMES):
        for name, call in calls.items():
            started = time.process_time()
            call()
            seconds[name].append(time.process_time() - started)
    return {name: round(statistics.median(times), 3) for name, times in seconds.items()}


def read_all(reader: StoreReader, study_id: str) -> tuple[object, ...]:
    study = load_study_result(reader, study_id)
    return study.runs, study.epochs, study.table


def make_curve(seed: int) -> Curve:
    """Make a curve with learning rates in float64, and losses and scores in float32."""
    draw = np.random.default_rng(seed)
    steps = np.arange(EPOCHS)
    rates = COSINE(np.arange(EPOCHS + 1), base=0.1)
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
