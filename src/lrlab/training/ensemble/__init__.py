"""The ensemble: trains many runs together and gives the loop's numbers.

Nearly all the time of one small run is overhead. Runs of a seed share their split, initial weights
and batches, so one wide product serves them all.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lrlab.problems import Problem
from lrlab.training.ensemble.block import Block
from lrlab.training.ensemble.packing import arrange_by_seed, group_compatible_runs
from lrlab.training.ensemble.packing import split_into_blocks as split_into_blocks
from lrlab.training.result import Result
from lrlab.training.run import Run


def train(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", torch_compile: bool = False
) -> list[Result]:
    """Train runs together, in this process, and return their results in the same order.

    Each result is that of ``loop.train``, up to rounding: in float64 to a relative 1e-10.

    Args:
        problem: the problem to train on.
        runs: runs of any settings, schedules and seeds; runs whose settings differ in more than
            numbers are trained group after group.
        device: device to train on, as torch names it.
        torch_compile: whether to use ``torch.compile``; its first call takes half a minute and
            needs a C++ compiler.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: runs of this problem cannot train together: the network draws random numbers
            (dropout), or its operations depend on the values of its tensors.
    """
    return [result for _, result in train_and_get_weights(problem, runs, device, torch_compile)]


def train_and_get_weights(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", torch_compile: bool = False
) -> list[tuple[dict[str, Tensor], Result]]:
    """Train like ``train``, and return the final parameters and buffers of each run, too.

    They are given by name; a diverged run has none.
    """
    trained: dict[int, tuple[dict[str, Tensor], Result]] = {}
    with torch.no_grad():
        for group in group_compatible_runs(runs):
            run_indices = arrange_by_seed(runs, group)
            block = Block(
                problem, [[runs[i] for i in row] for row in run_indices], device, torch_compile
            )
            results = block.train()
            flat = [i for row in run_indices for i in row]
            trained |= dict(zip(flat, zip(block.get_weights(), results, strict=True), strict=True))
    return [trained[i] for i in range(len(runs))]
