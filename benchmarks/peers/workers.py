"""lrlab's engines in worker processes, one single-threaded worker per core, and what they hold.

The processes are started as ``lrlab compare`` starts them, but stay up from turn to turn, so that
training can be timed apart from starting. Memory is read from ``/proc``, so on Linux alone.
"""

import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import torch

from lrlab.problems import Problem
from lrlab.training import Result, Run, ensemble, train
from lrlab.training.engines import keep_freed_memory

from .jobs import Final, Job, load

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def open_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes of one thread each."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(count, spawn, _prepare) as pool:
        yield pool


def _prepare() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()


def train_in_loops(pool: ProcessPoolExecutor, problem: Problem, runs: Sequence[Run]) -> Job:
    """The loop in processes, one run per task."""

    def job() -> list[Final]:
        futures = [pool.submit(_train_one, problem.name, run) for run in runs]
        return [Final.from_result(future.result()) for future in futures]

    return job


@dataclass
class Ensembles:
    """The ensemble in processes, one block per task.

    Args:
        pool, count: the processes, and how many.
        problem, runs: what is trained.
        memory: the limit for all processes together, in bytes.
        peak: what each process has held at most while it trained, in bytes.
    """

    pool: ProcessPoolExecutor
    count: int
    problem: Problem
    runs: Sequence[Run]
    memory: int
    peak: dict[int, int] = field(default_factory=dict)

    def __call__(self) -> list[Final]:
        blocks = ensemble.split_into_blocks(self.problem, self.runs, self.count, self.memory)
        futures = [
            self.pool.submit(_train_block, self.problem.name, [self.runs[i] for i in block])
            for block in blocks
        ]
        finals: dict[int, Final] = {}
        for block, future in zip(blocks, futures, strict=True):
            results, process, peak = future.result()
            finals |= zip(block, map(Final.from_result, results), strict=True)
            self.peak[process] = max(peak, self.peak.get(process, 0))
        return [finals[i] for i in range(len(self.runs))]


def train_in_new_processes(count: int, problem: Problem, runs: Sequence[Run], memory: int) -> Job:
    """The ensemble in processes that are started and ended with the job."""

    def job() -> list[Final]:
        with open_pool(count) as pool:
            return Ensembles(pool, count, problem, runs, memory)()

    return job


def _train_one(problem: str, run: Run) -> Result:
    return train(load(problem), run)


def _train_block(problem: str, runs: list[Run]) -> tuple[list[Result], int, int]:
    """Results, then the process, and what it has held at most."""
    _RESET.write_text("5")  # the peak is counted from here
    results = ensemble.train(load(problem), runs)
    (kibibytes,) = re.findall(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
    return results, os.getpid(), 1024 * int(kibibytes)
