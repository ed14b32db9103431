"""Carrying out runs with one single-threaded process per core, this one among them."""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from lrlab.problems import Problem
from lrlab.studies.plan import LOOP
from lrlab.studies.sharing import Shared, opened, shared
from lrlab.studies.workers import cores as cores
from lrlab.studies.workers import spread
from lrlab.training import Result, Run, ensemble, loop
from lrlab.training.engines import Engine
from lrlab.training.threads import one_thread


def half_of_memory() -> int:
    """Half of this machine's memory in bytes; 4 GiB where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 << 30


def execute(
    problem: Problem,
    runs: Mapping[str, Run],
    engine: Engine = LOOP,
    workers: int | None = None,
    memory: int | None = None,
) -> Generator[dict[str, Result], None, None]:
    """Trains all runs and yields those that ended together, by their ids.

    The loop trains one run after the other, the ensemble blocks of them.

    Args:
        problem: what is trained.
        runs: by id; they start in this order.
        engine: what trains them.
        workers: how many processes, this one among them; see ``workers_for`` for how many when
            left out.
        memory: bytes that the ensemble may fill, all workers together; half of this machine's
            when left out.

    Raises:
        StudyError: a worker process died, or the problem cannot be sent to one.
        TrainingError: the engine cannot train this problem.
    """
    if not runs:
        return
    most, limit = limits(engine, workers, memory)
    blocks = _blocks(problem, runs, engine, most, limit)

    def here(place: int) -> list[Result]:
        with one_thread():
            return _train(problem, [runs[id] for id in blocks[place]], engine)

    if min(most, len(blocks)) == 1:
        for place, ids in enumerate(blocks):
            yield dict(zip(ids, here(place), strict=True))
        return
    with shared(problem) as handle:
        calls = [(handle, [runs[id] for id in ids], engine) for ids in blocks]
        # Closed before the file is removed that the workers have open.
        with closing(spread(_train_shared, calls, here, min(most, len(blocks)))) as ended:
            for place, results in ended:
                yield dict(zip(blocks[place], results, strict=True))


def limits(engine: Engine, workers: int | None, memory: int | None) -> tuple[int, int]:
    """How many processes train, and how many bytes they may fill, where either may be left out."""
    limit = memory or half_of_memory()
    return workers_for(engine, workers, limit), limit


def workers_for(engine: Engine, workers: int | None, memory: int) -> int:
    """How many processes train: those asked for, else one for each core, or one for a device.

    Of the ensemble no more than the memory has GiB: a process takes half of one for itself.
    """
    if workers or engine.kind == "loop":
        return workers or cores()
    return max(1, min(cores(), memory >> 30)) if engine.device == "cpu" else 1


def _blocks(
    problem: Problem, runs: Mapping[str, Run], engine: Engine, workers: int, memory: int
) -> list[list[str]]:
    """The ids of the runs that are trained together."""
    ids = list(runs)
    if engine.kind == "loop":
        return [[id] for id in ids]
    blocks = ensemble.blocks(problem, list(runs.values()), workers, memory)
    return [[ids[place] for place in block] for block in blocks]


def _train(problem: Problem, runs: Sequence[Run], engine: Engine) -> list[Result]:
    if engine.kind == "loop":
        return [loop.train(problem, run, device=engine.device) for run in runs]
    return ensemble.train(problem, runs, engine.device, engine.compiled)


def _train_shared(problem: Shared, runs: Sequence[Run], engine: Engine) -> list[Result]:
    return _train(opened(problem), runs, engine)
