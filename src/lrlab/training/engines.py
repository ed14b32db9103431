"""Engines: the loop or the ensemble, on a device; selects the faster; threads and memory."""

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

ENGINE_KINDS = ("loop", "ensemble")


@dataclass(frozen=True)
class Engine:
    """An engine: what trains runs, and on which device.

    Args:
        kind: ``"loop"``, one run at a time, or ``"ensemble"``, many runs together.
        device: device to train on, as torch names it.
        torch_compile: whether the ensemble uses ``torch.compile``.

    Raises:
        TrainingError: the kind is unknown, or this machine lacks the device or a compiler.

    >>> str(Engine("loop")), str(Engine("ensemble", "meta"))
    ('loop', 'ensemble, meta')
    """

    kind: str
    device: str = "cpu"
    torch_compile: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ENGINE_KINDS:
            raise TrainingError(f"engine must be {' or '.join(ENGINE_KINDS)}, got {self.kind}.")
        if self.torch_compile and self.kind == "loop":
            raise TrainingError(
                "torch_compile is for the ensemble, not for the loop; leave out torch_compile "
                "(--torch-compile)."
            )
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError):
            raise TrainingError(
                f"device must be one that torch can use here, got {self.device}; use cpu, or cuda "
                "on a machine with a GPU and a torch that is built for it."
            ) from None
        compilers = (os.environ.get("CXX", "g++"), "g++", "clang++", "c++")
        if self.torch_compile and self.device == "cpu" and not any(map(shutil.which, compilers)):
            raise TrainingError(
                "torch_compile needs a C++ compiler such as g++, and this machine has none; leave "
                "out torch_compile (--torch-compile)."
            )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Build the engine whose ``str`` is ``text``.

        >>> Engine.from_text("loop")
        Engine(kind='loop', device='cpu', torch_compile=False)
        """
        kind, *options = text.split(", ")
        devices = [option for option in options if option != "torch_compile"]
        return cls(kind, devices[0] if devices else "cpu", "torch_compile" in options)

    def __str__(self) -> str:
        device = [] if self.device == "cpu" else [self.device]
        return ", ".join([self.kind, *device, *(["torch_compile"] if self.torch_compile else [])])


@dataclass(frozen=True)
class EngineChoice:
    """The faster engine for a study.

    Args:
        engine: the engine.
        reason: why it was selected, as a sentence without a full stop.
        seconds_per_run_step: seconds per step of one run, in one process; NaN if not measured.
    """

    engine: Engine
    reason: str
    seconds_per_run_step: float


def select_faster_engine(
    problem: Trainable,
    runs: Sequence[Run],
    device: str = "cpu",
    torch_compile: bool = False,
    workers: int = 1,
    memory: int = 2 << 30,
) -> EngineChoice:
    """Time a few steps of the loop and of the ensemble on this problem, and select the faster.

    The ensemble trains the first block, the loop its first run, in turns, at a small constant
    learning rate and on at most eight batches. Each trains for one epoch, then for that and so many
    more that these take at least 32 steps; the medians of the difference are compared, so that what
    is done once per run does not count. If the losses of the first run differ, the ensemble cannot
    repeat what the network does, and the loop is selected. A training function always gets the
    loop, without timing.

    Args:
        problem: the problem to train on.
        runs: all runs of the study.
        device, torch_compile: options of the ensemble.
        workers, memory: options of the blocks, see ``ensemble.split_into_blocks``.
    """
    loop_engine, ensemble_engine = Engine("loop", device), Engine("ensemble", device, torch_compile)
    if isinstance(problem, TrainingFunction):
        return EngineChoice(loop_engine, context.ENSEMBLE_UNSUPPORTED.partition(";")[0], math.nan)
    probe, extra_epochs, steps = _make_probe(problem, runs[0].settings)
    train_in_loop = _create_trainer(probe, loop_engine)
    train_in_ensemble = _create_trainer(probe, ensemble_engine)
    try:
        block = [runs[i] for i in ensemble.split_into_blocks(problem, runs, workers, memory)[0]]
        # This traces the programs, which the timed trainings below then have.
        ensemble_result = train_in_ensemble(_make_probe_runs(block, 1 + extra_epochs))[0]
    except TrainingError as error:
        reason = str(error).partition(";")[0]  # without the remedy, which is applied here
        seconds = _time_extra_epochs(train_in_loop, runs[:1], extra_epochs)
        return EngineChoice(loop_engine, reason, seconds / steps)
    loop_seconds: list[float] = []
    ensemble_seconds: list[float] = []
    while len(loop_seconds) < _PROBE_REPEATS and sum(ensemble_seconds) < _MAX_PROBE_SECONDS:
        loop_seconds.append(_time_extra_epochs(train_in_loop, block[:1], extra_epochs))
        ensemble_seconds.append(_time_extra_epochs(train_in_ensemble, block, extra_epochs))
    loop_step_seconds = median(loop_seconds) / steps
    ensemble_step_seconds = median(ensemble_seconds) / steps / len(block)
    loop_result = train_in_loop(_make_probe_runs(block[:1], 1 + extra_epochs))[0]
    if not _losses_agree(ensemble_result, loop_result):
        reason = (
            "the ensemble gives another loss than the loop, because the network keeps state "
            "outside its parameters and buffers"
        )
        return EngineChoice(loop_engine, reason, loop_step_seconds)
    reason = (
        f"time per run-step: loop {_format_seconds(loop_step_seconds)}, ensemble "
        f"{_format_seconds(ensemble_step_seconds)} ({len(block)} runs)"
    )
    if loop_step_seconds < ensemble_step_seconds:
        return EngineChoice(loop_engine, reason, loop_step_seconds)
    return EngineChoice(ensemble_engine, reason, ensemble_step_seconds)


def measure_seconds_per_run_step(
    problem: Problem,
    runs: Sequence[Run],
    engine: Engine,
    workers: int = 1,
    memory: int = 2 << 30,
) -> float:
    """Measure the seconds per step of one run in an engine, as ``select_faster_engine`` does."""
    probe, extra_epochs, steps = _make_probe(problem, runs[0].settings)
    probe_runs = list(runs[:1])
    if engine.kind == "ensemble":
        probe_runs = [
            runs[i] for i in ensemble.split_into_blocks(problem, runs, workers, memory)[0]
        ]
    train = _create_trainer(probe, engine)
    train(_make_probe_runs(probe_runs, 1 + extra_epochs))  # traces the programs
    seconds = [_time_extra_epochs(train, probe_runs, extra_epochs) for _ in range(_PROBE_REPEATS)]
    return median(seconds) / steps / len(probe_runs)


_PROBE_BATCHES, _PROBE_STEPS, _PROBE_REPEATS = 8, 32, 3
_MAX_PROBE_SECONDS = 2
"""Seconds of the ensemble after which the probe is not repeated."""

_PROBE_LR = 1e-3


def _make_probe(problem: Problem, settings: Settings) -> tuple[Problem, int, int]:
    """Return the problem with rows for eight batches, the epochs to time, and their steps."""
    rows = _PROBE_BATCHES * settings.batch_size / (1 - settings.validation_size)
    probe = _truncate_problem(problem, ceil(rows) + 1)
    epochs = ceil(_PROBE_STEPS / settings.count_batches_per_epoch(probe.train_rows))
    return probe, epochs, epochs * settings.count_batches_per_epoch(probe.train_rows)


def _truncate_problem(problem: Problem, max_rows: int) -> Problem:
    """Return the problem with at most ``max_rows`` training rows, and test rows in proportion."""
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


def _create_trainer(problem: Problem, engine: Engine) -> Callable[[Sequence[Run]], list[Result]]:
    if engine.kind == "loop":
        return lambda runs: [loop.train(problem, run, device=engine.device) for run in runs]
    return lambda runs: ensemble.train(problem, runs, engine.device, engine.torch_compile)


def _make_probe_runs(runs: Sequence[Run], epochs: int) -> list[Run]:
    """Return the runs with other epochs, and a learning rate at which none diverges.

    They have no schedules, since those may need more epochs.
    """
    return [
        Run(
            None, replace(run.settings, epochs=epochs, lr=min(run.settings.lr, _PROBE_LR)), run.seed
        )
        for run in runs
    ]


def _time_extra_epochs(
    train: Callable[[Sequence[Run]], object], runs: Sequence[Run], extra_epochs: int
) -> float:
    """Return the seconds that ``extra_epochs`` take after the first epoch.

    If other processes delay the short training so much that it takes longer than the long one, the
    time of the long one is divided by its epochs.
    """
    seconds = []
    for probe_runs in (_make_probe_runs(runs, 1), _make_probe_runs(runs, 1 + extra_epochs)):
        started = time.perf_counter()
        train(probe_runs)
        seconds.append(time.perf_counter() - started)
    extra_seconds = seconds[1] - seconds[0]
    return extra_seconds if extra_seconds > 0 else seconds[1] * extra_epochs / (1 + extra_epochs)


def _losses_agree(ensemble_result: Result, loop_result: Result) -> bool:
    if ensemble_result.diverged or loop_result.diverged:
        return ensemble_result.diverged == loop_result.diverged
    return np.allclose(
        ensemble_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3
    )


def _format_seconds(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # options of mallopt, from malloc.h
_MAX_FREED_BYTES = 64 << 20


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Let torch use one thread inside: more only wait for each other when products are small."""
    previous = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


def keep_freed_memory() -> None:
    """Let this process keep up to 64 MiB of freed memory; does nothing without glibc.

    By default glibc returns a few MiB to the system after every step and requests them again at the
    next, which takes a tenth to a quarter of the time of a block.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(_M_TRIM_THRESHOLD, _MAX_FREED_BYTES)
    set_option(_M_MMAP_THRESHOLD, _MAX_FREED_BYTES // 2)
