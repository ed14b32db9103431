"""The parts of the benchmark of the ensemble, and where their figures go."""

import argparse
import json
import platform
import re
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from lrlab.problems import Problem
from lrlab.studies.execution.local import count_cores
from lrlab.training import Run
from lrlab.training.engines import EnsembleEngine
from lrlab.training.probing import select_faster_engine
from lrlab.views.plan_report import explain_engine

from . import jax_scan, plain, ray_tasks, tables, torch_vmap
from .jobs import Peer, load, make_runs, shorten, train_in_loop
from .turns import measure_in_turns
from .workers import Ensembles, open_pool, train_in_loops, train_in_new_processes

SIZES = {64: 5, 256: 5, 512: 3, 1024: 3, 4096: 1, 16384: 1}  # runs, and how many turns
QUICK = 9  # turns of those that take less than a second: machines are quick and slow by turns
MEMORY = 2 << 30
EPOCHS = 50  # the tutorial's
REPOSITORY = Path(__file__).parents[2]
RESULTS = REPOSITORY / "benchmarks" / "results" / "ensemble.json"
DOCUMENT = REPOSITORY / "docs" / "performance.md"
MARKED = re.compile(r"(?<=<!-- speed -->\n).*?(?=<!-- end of speed -->)", re.DOTALL)

Measured = dict[str, Any]


def main() -> None:
    parts = {
        "tutorial": run_tutorial,
        "sizes": run_sizes,
        "digits": run_digits,
        "convolutions": run_convolutions,
    }
    parser = argparse.ArgumentParser(description="The ensemble beside its peers.")
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(parts))
    asked = parser.parse_args().parts or list(parts)
    if unknown := set(asked) - set(parts):
        parser.error(f"there is no part {', '.join(unknown)}; the parts are {', '.join(parts)}.")
    document = DOCUMENT.read_text()
    if not MARKED.search(document):
        raise SystemExit(f"{DOCUMENT} lacks the comments that its tables stand between.")
    torch.set_num_threads(1)  # threads of small products only wait for each other
    with open_pool(count_cores()) as pool:
        found = {name: parts[name](pool) for name in parts if name in asked}
    found["machine"] = describe_machine()
    print(text := tables.format_text(found))
    if set(asked) == set(parts):
        RESULTS.write_text(json.dumps(found, indent=1) + "\n")
        DOCUMENT.write_text(MARKED.sub(lambda _: text, document))
        print(f"wrote {RESULTS} and the tables of {DOCUMENT}")


def time_ensembles(
    pool: ProcessPoolExecutor, problem: Problem, runs: list[Run], turns: int = 3
) -> Peer:
    """The ensemble of lrlab on all cores."""
    job = Ensembles(pool, count_cores(), problem, runs, MEMORY)
    return Peer("lrlab's ensemble", count_cores(), runs, job, turns)


def run_tutorial(pool: ProcessPoolExecutor) -> Measured:
    """The tutorial's job in every way."""
    problem, both = load("ionosphere"), count_cores()
    some, medium, many = (
        shorten(problem, EPOCHS),
        *(make_runs(problem, n, EPOCHS) for n in (512, 1024)),
    )
    by_seed = sorted(medium, key=lambda run: run.seed)
    with ray_tasks.train_in_tasks(
        problem, some, both
    ) as ray:  # first: JAX's threads are not to be forked
        own, seconds = jax_scan.compile_training(problem, medium)
        vmapped = torch_vmap.vmap_training(problem, many)
        shared, more_seconds = jax_scan.compile_training(problem, by_seed, shared=True)
        peers = [
            time_ensembles(pool, problem, medium, QUICK),
            Peer("the same, with the start of its processes", both, medium,
                 train_in_new_processes(both, problem, medium, MEMORY)),
            Peer("JAX `jit(vmap(vmap(lax.scan)))`, batches shared", both, by_seed, shared, QUICK),
            Peer("JAX `jit(vmap(lax.scan))`, own batches", both, medium, own, QUICK),
            Peer("`torch.func.vmap`, own batches", 1, many, vmapped),
            Peer("Ray core tasks, the tutorial's program", both, some, ray),
            Peer("lrlab's loop in processes", both, some, train_in_loops(pool, problem, some)),
            Peer("lrlab's loop", 1, some, train_in_loop(problem, some)),
            Peer("the tutorial's program", 1, some, plain.train_one_by_one(problem, some)),
        ]  # fmt: skip
        rows = measure_in_turns(problem, peers)
    return {"rows": list(map(asdict, rows)), "compiling": {"own": seconds, "shared": more_seconds}}


def run_sizes(pool: ProcessPoolExecutor) -> Measured:
    """The ensemble alone, over studies of several sizes, and what its processes hold."""
    problem = load("ionosphere")
    jobs = {
        count: Ensembles(pool, count_cores(), problem, make_runs(problem, count, EPOCHS), MEMORY)
        for count in SIZES
    }
    peers = [
        Peer("lrlab's ensemble", count_cores(), job.runs, job, SIZES[count])
        for count, job in jobs.items()
    ]
    rows = [
        asdict(row) | {"peak": sum(job.peak.values())}
        for row, job in zip(measure_in_turns(problem, peers), jobs.values(), strict=True)
    ]
    return {"rows": rows, "memory": MEMORY}


def run_digits(pool: ProcessPoolExecutor) -> Measured:
    """A wider network, 64-64-10, on more rows."""
    return time_engines(pool, load("digits"), count=256, epochs=EPOCHS, turns=2)


def run_convolutions(pool: ProcessPoolExecutor) -> Measured:
    """Convolutions and BatchNorm: what is chosen by itself, and both ways."""
    return time_engines(pool, load("convolutions"), count=64, epochs=6, turns=3)


def time_engines(
    pool: ProcessPoolExecutor, problem: Problem, count: int, epochs: int, turns: int
) -> Measured:
    """Both of lrlab's engines, and which one it chooses."""
    some, many = shorten(problem, epochs), make_runs(problem, count, epochs)
    choice = select_faster_engine(problem, many, EnsembleEngine())
    peers = [
        time_ensembles(pool, problem, many, turns),
        Peer(
            "lrlab's loop in processes",
            count_cores(),
            some,
            train_in_loops(pool, problem, some),
            turns,
        ),
        Peer("lrlab's loop", 1, some, train_in_loop(problem, some), turns),
    ]
    rows = list(map(asdict, measure_in_turns(problem, peers)))
    return {"rows": rows, "chosen": str(choice.engine), "reason": explain_engine(choice)}


def describe_machine() -> Measured:
    """What it was measured on."""
    file = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.*)", file.read_text()) if file.exists() else []
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": count_cores(),
        **{name: version(name) for name in ("torch", "jax", "ray")},
    }
