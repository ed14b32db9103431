"""Many runs trained at once, with the loop's numbers."""

from collections.abc import Sequence

from lrlab.problems import Problem
from lrlab.training import loop
from lrlab.training.result import Result
from lrlab.training.run import Run


def train(
    problem: Problem, runs: Sequence[Run], device: str = "cpu", compiled: bool = False
) -> list[Result]:
    """Trains all runs together and gives their results in the same order."""
    return [loop.train(problem, run, device=device) for run in runs]


def blocks(
    problem: Problem, runs: Sequence[Run], workers: int = 1, memory: int = 2 << 30
) -> list[list[int]]:
    """Which runs are trained together: lists of places in ``runs``, each place once."""
    return [[i] for i in range(len(runs))]
