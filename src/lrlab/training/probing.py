"""Probing: times the engines on a few steps of a problem, and selects the faster one."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, auto
from functools import partial
from math import ceil
from statistics import median

import numpy as np

from lrlab.errors import TrainingError
from lrlab.problems import AnySplit, Problem, Trainable
from lrlab.training.dispatch import require_rows
from lrlab.training.engines import Engine, LoopEngine
from lrlab.training.result import Result
from lrlab.training.run import Run
from lrlab.training.settings import Settings


class EngineReason(StrEnum):
    """Why an engine was selected for a study."""

    REQUESTED = auto()
    """The user named it."""
    STUDY_BEGAN = auto()
    """The study began with it."""
    RUNS_STORED = auto()
    """It trained most of the stored runs."""
    FASTER = auto()
    """It took less time per run-step."""
    LOOP_ONLY = auto()
    """The other engine cannot train the problem."""
    LOSS_DIFFERS = auto()
    """The other engine gives another loss than the loop, which defines what a run is."""


@dataclass(frozen=True)
class EngineTimes:
    """The times of the loop and of another engine on the same problem.

    Args:
        loop_seconds, engine_seconds: seconds per step of one run, in one process.
        engine_kind: kind of the other engine.
        run_count: number of runs that the other engine trained together.
    """

    loop_seconds: float
    engine_seconds: float
    engine_kind: str
    run_count: int


@dataclass(frozen=True)
class EngineChoice:
    """The engine selected for a study, and why.

    Args:
        engine: the engine.
        reason: why it was selected.
        seconds_per_run_step: seconds per step of one run, in one process; None if not measured.
        times: what was compared, if it is the faster one.
        obstacle: why the other engine cannot train the problem, for ``LOOP_ONLY``.
        stored_count: number of runs that it trained already, for ``RUNS_STORED``.
    """

    engine: Engine
    reason: EngineReason
    seconds_per_run_step: float | None = None
    times: EngineTimes | None = None
    obstacle: str | None = None
    stored_count: int = 0


def select_faster_engine(
    problem: Trainable,
    runs: Sequence[Run],
    engine: Engine,
    workers: int = 1,
    memory: int = 2 << 30,
) -> EngineChoice:
    """Time a few steps of the loop and of another engine on this problem, and select the faster.

    The engine trains its first block, the loop the first run of it, in turns, at a small constant
    learning rate and on at most eight batches. Each trains for one epoch, then for that and so many
    more that these take at least 32 steps; the medians of the difference are compared, so that what
    is done once per run does not count. If the losses of the first run differ, the engine cannot
    repeat what the network does, and the loop is selected. A problem that only the loop can train
    gets it without being timed.

    Args:
        problem: what is trained.
        runs: all runs of the study.
        engine: the engine to compare with the loop on the same device.
        workers, memory: options of the blocks, see ``Engine.split_into_blocks``.
    """
    loop_engine = LoopEngine(engine.device)
    if problem.loop_only_reason:
        seconds = measure_seconds_per_run_step(problem, runs, loop_engine)
        return EngineChoice(
            loop_engine, EngineReason.LOOP_ONLY, seconds, obstacle=problem.loop_only_reason
        )
    probe, extra_epochs, steps = _make_probe(require_rows(problem), runs[0].settings)
    train_in_loop, train_in_engine = partial(loop_engine.train, probe), partial(engine.train, probe)
    try:
        block = [runs[i] for i in engine.split_into_blocks(problem, runs, workers, memory)[0]]
        # This traces the programs, which the timed trainings below then have.
        engine_result = train_in_engine(_make_probe_runs(block, 1 + extra_epochs))[0]
    except TrainingError as error:
        obstacle = str(error).partition(";")[0]  # without the remedy, which is applied here
        seconds = _time_extra_epochs(train_in_loop, runs[:1], extra_epochs)
        return EngineChoice(loop_engine, EngineReason.LOOP_ONLY, seconds / steps, obstacle=obstacle)
    loop_seconds: list[float] = []
    engine_seconds: list[float] = []
    while len(loop_seconds) < _PROBE_REPEATS and sum(engine_seconds) < _MAX_PROBE_SECONDS:
        loop_seconds.append(_time_extra_epochs(train_in_loop, block[:1], extra_epochs))
        engine_seconds.append(_time_extra_epochs(train_in_engine, block, extra_epochs))
    times = EngineTimes(
        median(loop_seconds) / steps,
        median(engine_seconds) / steps / len(block),
        engine.kind,
        len(block),
    )
    loop_result = train_in_loop(_make_probe_runs(block[:1], 1 + extra_epochs))[0]
    if not _losses_agree(engine_result, loop_result):
        return EngineChoice(loop_engine, EngineReason.LOSS_DIFFERS, times.loop_seconds)
    if times.loop_seconds < times.engine_seconds:
        return EngineChoice(loop_engine, EngineReason.FASTER, times.loop_seconds, times)
    return EngineChoice(engine, EngineReason.FASTER, times.engine_seconds, times)


def measure_seconds_per_run_step(
    problem: Trainable,
    runs: Sequence[Run],
    engine: Engine,
    workers: int = 1,
    memory: int = 2 << 30,
) -> float | None:
    """Measure the seconds per step of one run in an engine, as ``select_faster_engine`` does.

    None if lrlab does not have the rows of the problem, and so cannot train on a few of them.
    """
    if not problem.has_rows:
        return None
    probe, extra_epochs, steps = _make_probe(require_rows(problem), runs[0].settings)
    block = [runs[i] for i in engine.split_into_blocks(problem, runs, workers, memory)[0]]
    train = partial(engine.train, probe)
    train(_make_probe_runs(block, 1 + extra_epochs))  # traces the programs
    seconds = [_time_extra_epochs(train, block, extra_epochs) for _ in range(_PROBE_REPEATS)]
    return median(seconds) / steps / len(block)


_PROBE_BATCHES, _PROBE_STEPS, _PROBE_REPEATS = 8, 32, 3
_MAX_PROBE_SECONDS = 2
"""Seconds of the engine after which the probe is not repeated."""

_PROBE_LR = 1e-3


def _make_probe(problem: Problem, settings: Settings) -> tuple[Problem, int, int]:
    """Return the problem with rows for eight batches, the epochs to time, and their steps."""
    batch_rows = _PROBE_BATCHES * settings.batch_size
    rows = ceil(batch_rows / (1 - settings.validation_size)) + 1
    # Whole batches: a model may refuse a smaller one that its training does not have.
    while rows - settings.count_validation_rows(rows) > batch_rows:
        rows -= 1
    probe = _truncate_problem(problem, rows)
    epochs = ceil(_PROBE_STEPS / settings.count_batches_per_epoch(probe.train_rows))
    return probe, epochs, epochs * settings.count_batches_per_epoch(probe.train_rows)


def _truncate_problem(problem: Problem, max_rows: int) -> Problem:
    """Return the problem with at most ``max_rows`` training rows, and test rows in proportion."""
    train_rows = min(max_rows, problem.train_rows)

    def split(seed: int) -> AnySplit:
        full_split = problem.split(seed)
        test_rows = max(1, round(full_split.test_rows * train_rows / problem.train_rows))
        return full_split.truncate(train_rows, test_rows)

    return replace(problem, split=split, train_rows=train_rows)


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


def _losses_agree(engine_result: Result, loop_result: Result) -> bool:
    if engine_result.diverged or loop_result.diverged:
        return engine_result.diverged == loop_result.diverged
    return np.allclose(
        engine_result.curve.get_column("loss"), loop_result.curve.get_column("loss"), rtol=1e-3
    )
