"""Measures the parts of the time of one block, and the floor: the time of its arithmetic alone.

Trains one block of 256 runs in this process on one thread and prints the tables of
``docs/performance.md``, in microseconds of CPU time per run-step. Trainings of two lengths separate
the time per run from the time per epoch; a problem with few test rows separates evaluation from
training. All take turns, and the fastest of each counts. The fractions of operations are those of
torch's profiler, which hardly slows them down; the rest is Python. The floor is the arithmetic of
the products of the loop, at the speed of a large product on the same core.

    LRLAB_DATA=folder-of-ionosphere.csv python benchmarks/floor.py [data ...]
"""

import math
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from lrlab.problems import Problem, Split
from lrlab.training import Settings, ensemble
from lrlab.training.engines import keep_freed_memory
from lrlab.training.loop import init_model
from peers.jobs import load, make_runs

RUNS, TURNS = 256, 5
STEPS = 220  # minimum by which the longer training exceeds the shorter one
FEW_ROWS = 4
LARGE = 1024
KINDS = {  # an operation is of the first kind that its name matches; updates are in place
    "products": r"mm$|bmm$|addbmm|matmul|linear|conv|dot$|einsum",
    "loss": r"loss|entropy|softmax|log_sigmoid",
    "copies": r"copy_|clone|contiguous|cat$|stack$|index|empty|zeros|fill_|select|slice|expand",
    "update": r"[^_]_$",
    "sums and checks": r"sum|mean|amin|amax|aminmax|all$|any$|isfinite|norm",
    "elementwise": r"",
}


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    for name in sys.argv[1:] or ["ionosphere", "digits", "convolutions"]:
        problem = load(name)
        print(f"{problem.name}, {RUNS} runs\n\n{format_table(problem)}\n", flush=True)


def format_table(problem: Problem) -> str:
    """Return a Markdown table of the parts of a run-step."""
    per_epoch = Settings().count_batches_per_epoch(problem.train_rows)
    more = math.ceil(STEPS / per_epoch)
    bare = replace(problem, split=lambda seed: drop_test_rows(problem.split(seed)))
    a, b = torch.randn(2, LARGE, LARGE)
    seconds = time_fastest(
        {
            "short": lambda: train(problem, 1),
            "long": lambda: train(problem, 1 + more),
            "bare short": lambda: train(bare, 1),
            "bare long": lambda: train(bare, 1 + more),
            "product": lambda: a @ b,
        }
    )
    run_steps = RUNS * per_epoch * more
    total = 1e6 * (seconds["long"] - seconds["short"]) / run_steps
    training = 1e6 * (seconds["bare long"] - seconds["bare short"]) / run_steps
    once = 1e6 * seconds["short"] / RUNS - total * per_epoch
    rate = 2 * LARGE**3 / seconds["product"]
    operations, python = measure_parts(bare, 1 + more)
    parts = Counter[str]()
    for operation, fraction in operations.items():
        parts[classify_operation(operation)] += fraction * training
    needed, evaluating = (1e6 * each / per_epoch / rate for each in measure_floor(problem))
    shown = {
        **dict(parts.most_common()),
        "Python between them": python * training,
        "evaluation after every epoch": total - training,
        "**all**": total,
        "floor: the products of training": needed,
        "floor: with those of evaluation": needed + evaluating,
    }
    lines = ["| part of a run-step | µs | fraction |", "| --- | --: | --: |"]
    lines += [f"| {name} | {each:.2f} | {each / total:.0%} |" for name, each in shown.items()]
    longest = operations.most_common(8)
    listed = ", ".join(f"{name} {fraction * training:.2f}" for name, fraction in longest)
    return "\n".join(lines) + (
        f"\n\nA large product runs at {rate / 1e9:.0f} GFLOP/s. Each run also takes {once:.0f} µs "
        f"once. The longest operations: {listed}."
    )


def drop_test_rows(split: Split) -> Split:
    """Drop all test rows but a few, since a score needs some."""
    return replace(split, x_test=split.x_test[:FEW_ROWS], y_test=split.y_test[:FEW_ROWS])


def time_fastest(jobs: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least CPU seconds of each job, after a turn that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for turn in range(TURNS + 1):
        for name, job in jobs.items():
            started = time.process_time()
            job()
            if turn:
                seconds[name].append(time.process_time() - started)
    return {name: min(taken) for name, taken in seconds.items()}


def measure_parts(problem: Problem, epochs: int) -> tuple[Counter[str], float]:
    """Return the fractions of the time after the first epoch: of each operation, and of Python."""
    long, long_total = profile_training(problem, epochs)
    short, short_total = profile_training(problem, 1)
    long.subtract(short)
    fractions = Counter({name: us / (long_total - short_total) for name, us in long.items()})
    return fractions, 1 - fractions.total()


def profile_training(problem: Problem, epochs: int) -> tuple[Counter[str], float]:
    """Return the microseconds of each operation without others in it, and the total."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        started = time.perf_counter()
        train(problem, epochs)
        seconds = time.perf_counter() - started
    microseconds = Counter(
        {
            event.key.removeprefix("aten::"): event.self_cpu_time_total
            for event in profiler.key_averages()
            if event.key.startswith("aten::")
        }
    )
    return microseconds, 1e6 * seconds


def train(problem: Problem, epochs: int) -> None:
    ensemble.train(problem, make_runs(problem, RUNS, epochs))


def classify_operation(operation: str) -> str:
    """Return the kind of an operation."""
    return next(kind for kind, pattern in KINDS.items() if re.search(pattern, operation))


def measure_floor(problem: Problem) -> tuple[float, float]:
    """Count the floating-point operations of the products of an epoch: training and evaluation."""
    split, model = problem.split(0), init_model(problem, 0)
    size = make_runs(problem, RUNS, 1)[0].settings.batch_size

    def training() -> None:
        for x, y in zip(split.x_train.split(size), split.y_train.split(size), strict=True):
            problem.task.loss(model(x), y).backward()

    def evaluation() -> None:
        with torch.no_grad():
            model.eval()(split.x_test)

    return count_flops(training), count_flops(evaluation)


def count_flops(job: Callable[[], object]) -> float:
    """Count the floating-point operations of the products of a job."""
    with FlopCounterMode(display=False) as counter:
        job()
    return counter.get_total_flops()


if __name__ == "__main__":
    main()
