"""Many runs trained at once, with the loop's numbers: what one run costs is nearly all overhead.

Runs of a seed share their split, initial weights and batches, so one wide product serves them all.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Problem
from lrlab.training.ensemble.block import Block
from lrlab.training.ensemble.packing import (
    MemoryBudget,
    arrange_by_seed,
    group_compatible_runs,
    pack_runs,
)
from lrlab.training.result import Result
from lrlab.training.run import Run


def train(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", torch_compile: bool = False
) -> list[Result]:
    """Trains all runs together, in this process, and gives their results in the same order.

    Each is what ``loop.train`` gives for the run, up to rounding: in float64 to 1e-10 of it.

    Args:
        problem: what is trained.
        runs: of any settings, schedules and seeds; those whose settings differ in more than
            numbers are trained one group after another.
        device: where, by torch's name.
        torch_compile: whether steps go through ``torch.compile``, which takes half a minute and a C++
            compiler the first time.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: the problem cannot be trained for many runs at once: its network draws
            random numbers (dropout), or looks at a number to decide what to do next.
    """
    return [result for _, result in train_and_get_weights(problem, runs, device, torch_compile)]


def train_and_get_weights(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", torch_compile: bool = False
) -> list[tuple[dict[str, Tensor], Result]]:
    """``train``, and the final parameters and buffers of every run by name; none of those that have
    diverged.
    """
    found: dict[int, tuple[dict[str, Tensor], Result]] = {}
    with torch.no_grad():
        for group in group_compatible_runs(runs):
            run_indices = arrange_by_seed(runs, group)
            block = Block(
                problem, [[runs[i] for i in row] for row in run_indices], device, torch_compile
            )
            results = block.train()
            flat = [i for row in run_indices for i in row]
            found |= dict(zip(flat, zip(block.get_weights(), results, strict=True), strict=True))
    return [found[i] for i in range(len(runs))]


_PROCESS_BYTES = 500 << 20
"""Bytes of a worker process before it trains anything: Python, torch and the libraries of data."""


def split_into_blocks(
    problem: Problem, runs: Sequence[Run], workers: int = 1, memory: int = 2 << 30
) -> list[list[int]]:
    """Which runs are trained together: lists of places in ``runs``, each place in one of them.

    A block's tensors fit the share of the cache that a worker has, as far as that leaves a run in
    it, and the memory. The same arguments give the same blocks on the same machine.

    Args:
        problem: what is trained.
        runs: of any settings, schedules and seeds.
        workers: how many processes train blocks at the same time.
        memory: bytes for all of them together: of this machine's memory, whatever the device.

    Raises:
        TrainingError: the problem cannot be trained for many runs at once, or the memory is too
            little for one run at a time in each worker.
    """
    found: list[list[int]] = []
    for group in group_compatible_runs(runs):
        budget = _measure_memory_budget(problem, runs[group[0]], workers, memory)
        found += pack_runs(runs, group, budget, workers)
    return found


def _measure_memory_budget(problem: Problem, run: Run, workers: int, memory: int) -> MemoryBudget:
    with torch.no_grad():
        run_bytes, evaluation_bytes, seed_bytes = Block(
            problem, [[run]], "cpu", torch_compile=False
        ).estimate_memory()
    free = memory // workers - _PROCESS_BYTES
    if free < evaluation_bytes + seed_bytes:
        least = workers * (_PROCESS_BYTES + evaluation_bytes + seed_bytes)
        raise TrainingError(
            f"{workers} workers need {least / 2**20:.0f} MiB of memory at least, got "
            f"{memory / 2**20:.3g} MiB; give more (--memory), or use fewer --workers."
        )
    return MemoryBudget(
        run_bytes, evaluation_bytes, seed_bytes, _get_cache_bytes() // workers, free
    )


def _get_cache_bytes() -> int:
    """Two thirds of the last cache of this machine, in bytes; the rest is for what lies beside
    runs.
    """
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index3/size").read_text().strip()
        return int(size.removesuffix("K")) * 1024 * 2 // 3
    except (OSError, ValueError):  # no Linux, or no such cache
        return 16 << 20
