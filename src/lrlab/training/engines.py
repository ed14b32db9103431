"""How a process trains: in one thread, and with the memory of one step kept for the next."""

import ctypes
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil
from statistics import median
from typing import Self

import numpy as np
import torch

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Split, Trainable, TrainingFunction
from lrlab.training import context, ensemble, loop
from lrlab.training.result import Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt's names for these, from malloc.h
_MAX_FREED_BYTES = 64 << 20


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Trains what is trained inside in one thread: threads of small products only wait for each
    other.
    """
    previous = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


def keep_freed_memory() -> None:
    """Has this process keep up to 64 MiB of freed memory.

    The C library of Linux gives a few MiB back to the system at every step and asks for them again
    at the next, which costs a tenth to a fourth of the time of a block. Elsewhere nothing is done.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(_M_TRIM_THRESHOLD, _MAX_FREED_BYTES)
    set_option(_M_MMAP_THRESHOLD, _MAX_FREED_BYTES // 2)


ENGINE_KINDS = ("loop", "ensemble")


@dataclass(frozen=True)
class Engine:
    """What executes runs.

    Args:
        kind: ``"loop"``, one run at a time, or ``"ensemble"``, many at once.
        device: where, by torch's name.
        torch_compile: whether the ensemble's steps go through ``torch.compile``.

    Raises:
        TrainingError: there is no such kind, or this machine has no such device, or no compiler.

    >>> str(Engine("loop")), str(Engine("ensemble", "meta"))
    ('loop', 'ensemble, meta')
    """

    kind: str
    device: str = "cpu"
    torch_compile: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ENGINE_KINDS:
            raise TrainingError(f"the engine must be {' or '.join(ENGINE_KINDS)}, got {self.kind}.")
        if self.torch_compile and self.kind == "loop":
            raise TrainingError("only the ensemble can be compiled; leave out --torch-compile.")
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError):
            raise TrainingError(
                f"the device must be one that torch can use here, got {self.device}; use cpu, or "
                "cuda where there is a GPU and torch is built for it."
            ) from None
        compilers = (os.environ.get("CXX", "g++"), "g++", "clang++", "c++")
        if self.torch_compile and self.device == "cpu" and not any(map(shutil.which, compilers)):
            raise TrainingError(
                "torch.compile needs a C++ compiler such as g++, and there is none; leave out "
                "--torch-compile."
            )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The engine that ``str`` gives this text of.

        >>> Engine.from_text("loop")
        Engine(kind='loop', device='cpu', torch_compile=False)
        """
        kind, *more = text.split(", ")
        devices = [word for word in more if word != "torch_compile"]
        return cls(kind, devices[0] if devices else "cpu", "torch_compile" in more)

    def __str__(self) -> str:
        device = [] if self.device == "cpu" else [self.device]
        return ", ".join([self.kind, *device, *(["torch_compile"] if self.torch_compile else [])])


@dataclass(frozen=True)
class EngineChoice:
    """The engine that was found to be faster.

    Args:
        engine: which.
        reason: the sentence that says why.
        seconds_per_run_step: what a step of a run takes in it, in one process; NaN where that is not known.
    """

    engine: Engine
    reason: str
    seconds_per_run_step: float


def measure_seconds_per_run_step(
    problem: Problem,
    runs: Sequence[Run],
    engine: Engine,
    workers: int = 1,
    memory: int = 2 << 30,
) -> float:
    """Seconds that a step of a run takes in an engine, in one process, probed as by ``select_faster_engine``."""
    probe, extra_epochs, steps = _make_probe(problem, runs[0].settings)
    probe_runs = list(runs[:1])
    if engine.kind == "ensemble":
        probe_runs = [
            runs[i] for i in ensemble.split_into_blocks(problem, runs, workers, memory)[0]
        ]
    train = _create_trainer(probe, engine)
    train(_make_probe_runs(probe_runs, 1 + extra_epochs))  # by which what follows is traced
    seconds = [_time_extra_epochs(train, probe_runs, extra_epochs) for _ in range(_PROBE_REPEATS)]
    return median(seconds) / steps / len(probe_runs)


_PROBE_BATCHES, _PROBE_STEPS, _PROBE_REPEATS = 8, 32, 3
_MAX_PROBE_SECONDS = 2
"""Seconds of the ensemble, after which one turn tells enough."""

_PROBE_LR = 1e-3


def select_faster_engine(
    problem: Trainable,
    runs: Sequence[Run],
    device: str = "cpu",
    torch_compile: bool = False,
    workers: int = 1,
    memory: int = 2 << 30,
) -> EngineChoice:
    """Probes both ways for a few steps on this very problem, and takes the faster.

    The first block is trained by the ensemble and its first run by the loop, at a small constant
    rate, on eight batches at most, for one epoch and for so many more that these have 32 steps, in
    turns; the medians of what those more have taken are compared, so that nothing counts that is
    done once a run. Where the two disagree on the loss of that run, the network does what the
    ensemble cannot repeat, and the loop is taken. It is for a training function too, unprobed.

    Args:
        problem: what is to be trained.
        runs: all of them.
        device, torch_compile: of the ensemble.
        workers, memory: as blocks are made for, see ``ensemble.blocks``.
    """
    loop_engine, ensemble_engine = Engine("loop", device), Engine("ensemble", device, torch_compile)
    if isinstance(problem, TrainingFunction):
        return EngineChoice(loop_engine, context.ENSEMBLE_UNSUPPORTED.partition(";")[0], math.nan)
    probe, extra_epochs, steps = _make_probe(problem, runs[0].settings)
    train_in_loop, train_in_ensemble = (
        _create_trainer(probe, loop_engine),
        _create_trainer(probe, ensemble_engine),
    )
    try:
        block = [runs[i] for i in ensemble.split_into_blocks(problem, runs, workers, memory)[0]]
        ensemble_result = train_in_ensemble(_make_probe_runs(block, 1 + extra_epochs))[
            0
        ]  # by which what follows is traced
    except TrainingError as error:
        reason = str(error).partition(";")[0]  # without the remedy, which is taken here
        return EngineChoice(
            loop_engine, reason, _time_extra_epochs(train_in_loop, runs[:1], extra_epochs) / steps
        )
    loop_seconds: list[float] = []
    ensemble_seconds: list[float] = []
    while len(loop_seconds) < _PROBE_REPEATS and sum(ensemble_seconds) < _MAX_PROBE_SECONDS:
        loop_seconds.append(_time_extra_epochs(train_in_loop, block[:1], extra_epochs))
        ensemble_seconds.append(_time_extra_epochs(train_in_ensemble, block, extra_epochs))
    loop_step_seconds, ensemble_step_seconds = (
        median(loop_seconds) / steps,
        median(ensemble_seconds) / steps / len(block),
    )
    if not _losses_agree(
        ensemble_result, train_in_loop(_make_probe_runs(block[:1], 1 + extra_epochs))[0]
    ):
        reason = "the ensemble gives another loss: the network keeps something beside its buffers"
        return EngineChoice(loop_engine, reason, loop_step_seconds)
    reason = (
        f"a step of a run takes {_format_seconds(loop_step_seconds)} in the loop, {_format_seconds(ensemble_step_seconds)} among {len(block)} in "
        "the ensemble"
    )
    return (
        EngineChoice(loop_engine, reason, loop_step_seconds)
        if loop_step_seconds < ensemble_step_seconds
        else EngineChoice(ensemble_engine, reason, ensemble_step_seconds)
    )


def _make_probe(problem: Problem, settings: Settings) -> tuple[Problem, int, int]:
    """The problem with rows for eight batches at most, and the epochs, and steps, to be timed."""
    rows = _PROBE_BATCHES * settings.batch_size / (1 - settings.validation_size)
    probe = _truncate_problem(problem, ceil(rows) + 1)
    epochs = ceil(_PROBE_STEPS / settings.count_batches_per_epoch(probe.train_rows))
    return probe, epochs, epochs * settings.count_batches_per_epoch(probe.train_rows)


def _create_trainer(problem: Problem, engine: Engine) -> Callable[[Sequence[Run]], list[Result]]:
    if engine.kind == "loop":
        return lambda runs: [loop.train(problem, run, device=engine.device) for run in runs]
    return lambda runs: ensemble.train(problem, runs, engine.device, engine.torch_compile)


def _format_seconds(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


def _time_extra_epochs(
    train: Callable[[Sequence[Run]], object], runs: Sequence[Run], extra_epochs: int
) -> float:
    """Seconds that so many epochs more than one take.

    Other work may hold up the shorter training longer than the other one takes: then it is their
    share of all that this one has taken.
    """
    seconds = []
    for probe_runs in (_make_probe_runs(runs, 1), _make_probe_runs(runs, 1 + extra_epochs)):
        started = time.perf_counter()
        train(probe_runs)
        seconds.append(time.perf_counter() - started)
    extra_seconds = seconds[1] - seconds[0]
    return extra_seconds if extra_seconds > 0 else seconds[1] * extra_epochs / (1 + extra_epochs)


def _make_probe_runs(runs: Sequence[Run], epochs: int) -> list[Run]:
    """The runs for so many epochs without their schedules, which may need more, and at a rate at
    which none diverges.
    """
    return [
        Run(
            None, replace(run.settings, epochs=epochs, lr=min(run.settings.lr, _PROBE_LR)), run.seed
        )
        for run in runs
    ]


def _truncate_problem(problem: Problem, max_rows: int) -> Problem:
    """The problem with no more than so many training rows, and test rows in proportion."""
    train_rows = min(max_rows, problem.train_rows)

    def split(seed: int) -> Split:
        full_split = problem.split(seed)
        test_rows = max(1, round(len(full_split.x_test) * train_rows / problem.train_rows))
        return replace(
            full_split,
            x_train=full_split.x_train[:train_rows],
            y_train=full_split.y_train[:train_rows],
            x_test=full_split.x_test[:test_rows],
            y_test=full_split.y_test[:test_rows],
        )

    return replace(problem, split=split, train_rows=train_rows)


def _losses_agree(ensemble_result: Result, loop_result: Result) -> bool:
    if ensemble_result.diverged or loop_result.diverged:
        return ensemble_result.diverged == loop_result.diverged
    return np.allclose(
        ensemble_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3
    )
