"""The engines that execute runs, and the choice of the faster one for a problem."""

import math
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import median
from typing import Self

import numpy as np
import torch

from lrlab.errors import TrainingError
from lrlab.problems import AnyProblem, Problem, Split, TrainingFunction
from lrlab.training import ensemble, functions, loop
from lrlab.training.result import Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings

KINDS = ("loop", "ensemble")


@dataclass(frozen=True)
class Engine:
    """What executes runs.

    Args:
        kind: ``"loop"``, one run at a time, or ``"ensemble"``, many at once.
        device: where, by torch's name.
        compiled: whether the ensemble's steps go through ``torch.compile``.

    Raises:
        TrainingError: there is no such kind, or this machine has no such device, or no compiler.

    >>> str(Engine("loop")), str(Engine("ensemble", "meta"))
    ('loop', 'ensemble, meta')
    """

    kind: str
    device: str = "cpu"
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TrainingError(f"the engine must be {' or '.join(KINDS)}, got {self.kind}.")
        if self.compiled and self.kind == "loop":
            raise TrainingError("only the ensemble can be compiled; leave out --compile.")
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError):
            raise TrainingError(
                f"the device must be one that torch can use here, got {self.device}; use cpu, or "
                "cuda where there is a GPU and torch is built for it."
            ) from None
        compilers = (os.environ.get("CXX", "g++"), "g++", "clang++", "c++")
        if self.compiled and self.device == "cpu" and not any(map(shutil.which, compilers)):
            raise TrainingError(
                "torch.compile needs a C++ compiler such as g++, and there is none; leave out "
                "--compile."
            )

    @classmethod
    def read(cls, text: str) -> Self:
        """The engine that ``str`` gives this text of.

        >>> Engine.read("loop")
        Engine(kind='loop', device='cpu', compiled=False)
        """
        kind, *more = text.split(", ")
        devices = [word for word in more if word != "compiled"]
        return cls(kind, devices[0] if devices else "cpu", "compiled" in more)

    def __str__(self) -> str:
        device = [] if self.device == "cpu" else [self.device]
        return ", ".join([self.kind, *device, *(["compiled"] if self.compiled else [])])


@dataclass(frozen=True)
class Choice:
    """The engine that was found to be faster.

    Args:
        engine: which.
        reason: the sentence that says why.
        seconds: what a step of a run takes in it, in one process; NaN where that is not known.
    """

    engine: Engine
    reason: str
    seconds: float


def pace(
    problem: Problem,
    runs: Sequence[Run],
    engine: Engine,
    workers: int = 1,
    memory: int = 2 << 30,
) -> float:
    """Seconds that a step of a run takes in an engine, in one process, probed as by ``choose``."""
    short, more, steps = _short_of(problem, runs[0].settings)
    some = list(runs[:1])
    if engine.kind == "ensemble":
        some = [runs[i] for i in ensemble.blocks(problem, runs, workers, memory)[0]]
    train = _trainer(short, engine)
    train(_constant(some, 1 + more))  # by which what follows is traced
    taken = [_more(train, some, more) for _ in range(_TURNS)]
    return median(taken) / steps / len(some)


_BATCHES, _STEPS, _TURNS = 8, 32, 3
_LONG = 2
"""Seconds of the ensemble, after which one turn tells enough."""

_CALM = 1e-3


def choose(
    problem: AnyProblem,
    runs: Sequence[Run],
    device: str = "cpu",
    compiled: bool = False,
    workers: int = 1,
    memory: int = 2 << 30,
) -> Choice:
    """Probes both ways for a few steps on this very problem, and takes the faster.

    The first block is trained by the ensemble and its first run by the loop, at a small constant
    rate, on eight batches at most, for one epoch and for so many more that these have 32 steps, in
    turns; the medians of what those more have taken are compared, so that nothing counts that is
    done once a run. Where the two disagree on the loss of that run, the network does what the
    ensemble cannot repeat, and the loop is taken. It is for a training function too, unprobed.

    Args:
        problem: what is to be trained.
        runs: all of them.
        device, compiled: of the ensemble.
        workers, memory: as blocks are made for, see ``ensemble.blocks``.
    """
    loop_engine, many_engine = Engine("loop", device), Engine("ensemble", device, compiled)
    if isinstance(problem, TrainingFunction):
        return Choice(loop_engine, functions.ALONE.partition(";")[0], math.nan)
    short, more, steps = _short_of(problem, runs[0].settings)
    one_by_one, at_once = _trainer(short, loop_engine), _trainer(short, many_engine)
    try:
        block = [runs[i] for i in ensemble.blocks(problem, runs, workers, memory)[0]]
        ours = at_once(_constant(block, 1 + more))[0]  # by which what follows is traced
    except TrainingError as error:
        reason = str(error).partition(";")[0]  # without the remedy, which is taken here
        return Choice(loop_engine, reason, _more(one_by_one, runs[:1], more) / steps)
    alone: list[float] = []
    together: list[float] = []
    while len(alone) < _TURNS and sum(together) < _LONG:
        alone.append(_more(one_by_one, block[:1], more))
        together.append(_more(at_once, block, more))
    one, each = median(alone) / steps, median(together) / steps / len(block)
    if not _agree(ours, one_by_one(_constant(block[:1], 1 + more))[0]):
        reason = "the ensemble gives another loss: the network keeps something beside its buffers"
        return Choice(loop_engine, reason, one)
    reason = (
        f"a step of a run takes {_short(one)} in the loop, {_short(each)} among {len(block)} in "
        "the ensemble"
    )
    return Choice(loop_engine, reason, one) if one < each else Choice(many_engine, reason, each)


def _short_of(problem: Problem, settings: Settings) -> tuple[Problem, int, int]:
    """The problem with rows for eight batches at most, and the epochs, and steps, to be timed."""
    rows = _BATCHES * settings.batch_size / (1 - settings.validation)
    short = _shortened(problem, ceil(rows) + 1)
    epochs = ceil(_STEPS / settings.steps_of_optimizer(short.train_rows))
    return short, epochs, epochs * settings.steps_of_optimizer(short.train_rows)


def _trainer(problem: Problem, engine: Engine) -> Callable[[Sequence[Run]], list[Result]]:
    if engine.kind == "loop":
        return lambda runs: [loop.train(problem, run, device=engine.device) for run in runs]
    return lambda runs: ensemble.train(problem, runs, engine.device, engine.compiled)


def _short(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


def _more(train: Callable[[Sequence[Run]], object], runs: Sequence[Run], epochs: int) -> float:
    """Seconds that so many epochs more than one take.

    Other work may hold up the shorter training longer than the other one takes: then it is their
    share of all that this one has taken.
    """
    seconds = []
    for some in (_constant(runs, 1), _constant(runs, 1 + epochs)):
        started = time.perf_counter()
        train(some)
        seconds.append(time.perf_counter() - started)
    more = seconds[1] - seconds[0]
    return more if more > 0 else seconds[1] * epochs / (1 + epochs)


def _constant(runs: Sequence[Run], epochs: int) -> list[Run]:
    """The runs for so many epochs without their schedules, which may need more, and at a rate at
    which none diverges.
    """
    return [
        Run(None, replace(run.settings, epochs=epochs, lr=min(run.settings.lr, _CALM)), run.seed)
        for run in runs
    ]


def _shortened(problem: Problem, rows: int) -> Problem:
    """The problem with no more than so many training rows, and test rows in proportion."""
    kept = min(rows, problem.train_rows)

    def split(seed: int) -> Split:
        whole = problem.split(seed)
        tested = max(1, round(len(whole.x_test) * kept / problem.train_rows))
        return replace(
            whole,
            x_train=whole.x_train[:kept],
            y_train=whole.y_train[:kept],
            x_test=whole.x_test[:tested],
            y_test=whole.y_test[:tested],
        )

    return replace(problem, split=split, train_rows=kept)


def _agree(ours: Result, theirs: Result) -> bool:
    if ours.diverged or theirs.diverged:
        return ours.diverged == theirs.diverged
    return np.allclose(ours.epochs.column("loss"), theirs.epochs.column("loss"), rtol=1e-3)
