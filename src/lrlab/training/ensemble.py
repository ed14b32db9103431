"""Many runs trained at once, with the loop's numbers: what one run costs is nearly all overhead.

Runs of a seed share their split, initial weights and batches, so one wide product serves them all.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from lrlab.problems import Problem
from lrlab.training.block import Block
from lrlab.training.packing import alike, rectangle
from lrlab.training.result import Result
from lrlab.training.run import Run


def train(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", compiled: bool = False
) -> list[Result]:
    """Trains all runs together, in this process, and gives their results in the same order.

    Each is what ``loop.train`` gives for the run, up to rounding: in float64 to 1e-10 of it.

    Args:
        problem: what is trained.
        runs: of any settings, schedules and seeds; those whose settings differ in more than
            numbers are trained one group after another.
        device: where, by torch's name.
        compiled: whether steps go through ``torch.compile``, which takes half a minute and a C++
            compiler the first time.

    Raises:
        ScheduleError, SchedulerError, TrainingError: what the loop raises for one of the runs.
        TrainingError: the problem cannot be trained for many runs at once: its network draws
            random numbers (dropout), or looks at a number to decide what to do next.
    """
    return [result for _, result in fit(problem, runs, device, compiled)]


def fit(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", compiled: bool = False
) -> list[tuple[dict[str, Tensor], Result]]:
    """``train``, and the final parameters and buffers of every run by name; none of those that have
    diverged.
    """
    found: dict[int, tuple[dict[str, Tensor], Result]] = {}
    with torch.no_grad():
        for group in alike(runs):
            places = rectangle(runs, group)
            block = Block(problem, [[runs[i] for i in row] for row in places], device, compiled)
            results = block.train()
            flat = [i for row in places for i in row]
            found |= dict(zip(flat, zip(block.weights(), results, strict=True), strict=True))
    return [found[i] for i in range(len(runs))]
