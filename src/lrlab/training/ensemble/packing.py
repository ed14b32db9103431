"""Splits runs into blocks that train together and fit the cache and the memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path

import torch

from lrlab.errors import TrainingError, pluralize
from lrlab.problems import Problem
from lrlab.training.ensemble.block import Block
from lrlab.training.run import Run
from lrlab.training.settings import Settings

_NUMERIC_SETTINGS = (
    "lr",
    "momentum",
    "weight_decay",
    "dampening",
    "betas",
    "eps",
    "alpha",
    "max_grad_norm",
)
_PROCESS_BYTES = 500 << 20
"""Bytes of a worker process before it trains: Python, torch and the libraries of data."""


def split_into_blocks(
    problem: Problem, runs: Sequence[Run], workers: int = 1, memory: int = 2 << 30
) -> list[list[int]]:
    """Split runs into blocks: lists of indices into ``runs``, each index in one of them.

    The tensors of a block fit into the part of the cache that a worker has, as long as that holds a
    run, and into the memory. The same arguments give the same blocks on the same machine.

    Args:
        problem: the problem to train on.
        runs: runs of any settings, schedules and seeds.
        workers: number of processes that train blocks at the same time.
        memory: bytes for all workers together, of this machine's memory whatever the device.

    Raises:
        TrainingError: runs of this problem cannot train together, or the memory does not hold one
            run per worker.
    """
    blocks: list[list[int]] = []
    for group in group_compatible_runs(runs):
        budget = _measure_memory_budget(problem, runs[group[0]], workers, memory)
        blocks += pack_runs(runs, group, budget, workers)
    return blocks


def group_compatible_runs(runs: Sequence[Run]) -> list[list[int]]:
    """Return the indices of runs, in groups whose settings differ only in numbers."""
    groups: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    names = [field.name for field in fields(Settings) if field.name not in _NUMERIC_SETTINGS]
    for i, run in enumerate(runs):
        groups[tuple(getattr(run.settings, name) for name in names)].append(i)
    return list(groups.values())


def arrange_by_seed(runs: Sequence[Run], run_indices: Sequence[int]) -> list[list[int]]:
    """Return a row of indices per seed, all equally long: short rows repeat their last index."""
    rows = _group_by_seed(runs, run_indices)
    width = max(map(len, rows))
    return [row + [row[-1]] * (width - len(row)) for row in rows]


def _group_by_seed(runs: Sequence[Run], run_indices: Sequence[int]) -> list[list[int]]:
    seeds: defaultdict[int, list[int]] = defaultdict(list)
    for i in run_indices:
        seeds[runs[i].seed].append(i)
    return list(seeds.values())


@dataclass(frozen=True)
class MemoryBudget:
    """The bytes that runs of one kind need, and the bytes that a worker has.

    Args:
        run_bytes: bytes of a run: its weights, its optimizer state and the tensors of a step.
        evaluation_bytes: largest number of bytes of a run, while it is evaluated.
        seed_bytes: bytes of the rows of a seed.
        cache_bytes: bytes of cache per worker.
        memory_bytes: bytes of memory per worker, for runs and rows.
    """

    run_bytes: int
    evaluation_bytes: int
    seed_bytes: int
    cache_bytes: int
    memory_bytes: int

    def select_block_shape(self, seeds: int, runs_per_seed: int, workers: int) -> tuple[int, int]:
        """Select the seeds, and the runs per seed, of the blocks that are trained fastest.

        Args:
            seeds, runs_per_seed: those of all runs.
            workers: number of processes that train blocks at the same time.
        """
        max_runs = max(
            1, min(self.cache_bytes // self.run_bytes, ceil(seeds * runs_per_seed / workers))
        )

        def estimate_cost(block_shape: tuple[int, int]) -> tuple[float, int]:
            height, width = block_shape
            blocks = ceil(seeds / height) * ceil(runs_per_seed / width)
            uneven = seeds % height > 0 or runs_per_seed % width > 0  # needs a second program
            rounds = ceil(blocks / workers)
            return rounds * (height * width + self._step_overhead) * (1 + 0.05 * uneven), -width

        shapes = [
            (height, width)
            for height in range(1, min(seeds, max_runs) + 1)
            for limit in [
                min(
                    max_runs // height,
                    (self.memory_bytes // height - self.seed_bytes) // self.evaluation_bytes,
                )
            ]
            if limit > 0
            for width in {
                min(runs_per_seed, limit),
                ceil(runs_per_seed / ceil(runs_per_seed / limit)),
            }
        ]
        return min(shapes, key=estimate_cost)

    @property
    def _step_overhead(self) -> float:
        """Overhead of a step of a block, in runs: about 0.1 ms, divided by the bytes of a run."""
        return 500_000 / self.run_bytes


def pack_runs(
    runs: Sequence[Run], group: Sequence[int], budget: MemoryBudget, workers: int
) -> list[list[int]]:
    """Return the indices of runs in blocks; the runs of a seed share a block if they fit."""
    # Seeds with equally many runs stand side by side.
    seeds = sorted(_group_by_seed(runs, group), key=len, reverse=True)
    block_seeds, block_width = budget.select_block_shape(len(seeds), len(seeds[0]), workers)
    blocks = []
    for first in range(0, len(seeds), block_seeds):
        selected_seeds = seeds[first : first + block_seeds]
        for left in range(0, len(selected_seeds[0]), block_width):
            blocks.append([i for row in selected_seeds for i in row[left : left + block_width]])
    return blocks


def _measure_memory_budget(problem: Problem, run: Run, workers: int, memory: int) -> MemoryBudget:
    with torch.no_grad():
        run_bytes, evaluation_bytes, seed_bytes = Block(
            problem, [[run]], "cpu", torch_compile=False
        ).estimate_memory()
    free = memory // workers - _PROCESS_BYTES
    if free < evaluation_bytes + seed_bytes:
        least = workers * (_PROCESS_BYTES + evaluation_bytes + seed_bytes)
        raise TrainingError(
            f"`memory` must be at least {ceil(least / 1e6)} MB for "
            f"{pluralize(workers, 'worker')}, got {_format_size(memory)}; give more `memory`"
            f"{', or use fewer `workers`' if workers > 1 else ''}."
        )
    return MemoryBudget(
        run_bytes, evaluation_bytes, seed_bytes, _get_cache_bytes() // workers, free
    )


def _format_size(size: int) -> str:
    """Return a size as the argument ``memory`` takes it: ``1 KB`` or ``2.5 GB``."""
    for unit, unit_bytes in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= unit_bytes:
            return f"{size / unit_bytes:.4g} {unit}"
    return f"{size} B"


def _get_cache_bytes() -> int:
    """Return two thirds of the last-level cache, in bytes; the rest is for other data."""
    try:
        size = Path("/sys/devices/system/cpu/cpu0/cache/index3/size").read_text().strip()
        return int(size.removesuffix("K")) * 1024 * 2 // 3
    except (OSError, ValueError):  # not Linux, or no such cache
        return 16 << 20
