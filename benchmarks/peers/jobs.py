"""What is trained, what every peer gives back, and whether that is what the loop gives."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from torch import nn

from lrlab import Constant, Exponential, InverseTime, Linear
from lrlab.problems import Problem, load_problem
from lrlab.training import Result, Run, Settings, train

SCHEDULES = (Constant(1.0), Linear(1.0, 0.5, over=30), Exponential(0.99), InverseTime(0.01))
RATES = (0.01, 0.03, 0.1, 0.2)
EACH = len(SCHEDULES) * len(RATES)  # runs of a seed
CLOSE = 1e-3  # what final losses may differ by, as single precision adds up in another order
ROWS = 2  # by how many test rows scores may differ, where an output lies at the boundary


class Final(NamedTuple):
    """The last epoch of a run: mean training loss, and score on the test rows."""

    loss: float
    score: float

    @staticmethod
    def from_result(result: Result) -> "Final":
        """What lrlab gives for a run."""
        last = result.curve[-1]
        return Final(last.loss, last.test_score)


Job = Callable[[], Iterable[tuple[float, float]]]
"""Trains runs and gives the last epoch of each, in their order."""


@dataclass(frozen=True)
class Peer:
    """One way to train runs.

    Args:
        name: as the table shows it.
        cores: how many it uses.
        runs: what it trains.
        job: trains them all.
        turns: how many turns it takes.
    """

    name: str
    cores: int
    runs: Sequence[Run]
    job: Job
    turns: int = 3


def make_runs(problem: Problem, count: int, epochs: int) -> list[Run]:
    """So many runs, a multiple of 16: every schedule at every rate, over as many seeds as fit."""
    settings = [Settings(lr=lr, epochs=epochs, shuffle=problem.shuffle) for lr in RATES]
    seeds = range(count // EACH)
    return [Run(s, each, seed) for s in SCHEDULES for each in settings for seed in seeds]


def shorten(problem: Problem, epochs: int) -> list[Run]:
    """Eight of the runs of every study of 64 or more: all schedules, all rates, four seeds."""
    return make_runs(problem, 4 * EACH, epochs)[::9]


def train_in_loop(problem: Problem, runs: Sequence[Run]) -> Job:
    """The loop of lrlab, one run after another in this process."""
    return lambda: [Final.from_result(train(problem, run)) for run in runs]


def count_run_steps(problem: Problem, runs: Sequence[Run]) -> int:
    """Steps of the optimizer that all these runs take together."""
    rows = problem.train_rows
    return sum(run.settings.epochs * run.settings.count_batches_per_epoch(rows) for run in runs)


def check_finals(
    peer: Peer, finals: Iterable[tuple[float, float]], right: Mapping[Run, Final], rows: int
) -> None:
    """Ends the benchmark where a peer does not train what the loop trains, so that nobody times a
    wrong program.

    Args:
        peer: who trained.
        finals: what it gave.
        right: what the loop gives for some of its runs.
        rows: how many test rows there are.
    """
    trained = dict(zip(peer.runs, finals, strict=True))
    theirs = np.array([trained[run] for run in right])
    loss, score = np.abs(theirs - np.array(list(right.values()))).max(axis=0)
    if not (loss <= CLOSE and score * rows <= ROWS + 1e-3):
        raise SystemExit(
            f"{peer.name} trains another thing than the loop: losses differ by up to {loss:.2g}, "
            f"scores by up to {score:.2g}."
        )


@cache
def load(name: str) -> Problem:
    """What is trained, by name; a process loads it once, as ``lrlab compare`` does.

    Beside lrlab's own there is ``"convolutions"``: the digits as pictures of 8 x 8, and a small
    network of convolutions with BatchNorm.
    """
    if name == "convolutions":
        return replace(load_problem("digits"), name=name, model=_make_convolutions)
    return load_problem(name)


def _make_convolutions() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 4 * 4, 10),
    )
