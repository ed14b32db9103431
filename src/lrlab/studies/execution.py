"""Carrying out runs block by block: here and in other processes, or on a cluster."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext

from lrlab.errors import TrainingError
from lrlab.problems import AnyProblem, TrainingFunction
from lrlab.studies.places import HERE, Cluster, Machine, Place
from lrlab.studies.sharing import Shared, opened, shared
from lrlab.studies.workers import others_can_start, spread
from lrlab.training import Result, Run, ensemble, functions, loop
from lrlab.training.engines import Engine
from lrlab.training.threads import one_thread

Block = Mapping[str, Run]
"""Runs that are trained together and end together, by their ids."""


def held(place: Place) -> AbstractContextManager[None]:
    """Keeps a cluster connected, so that a study of several phases connects once; else nothing."""
    if isinstance(place, Cluster):
        from lrlab.studies.connecting import connected

        return connected(place)
    return nullcontext()


def blocks_of(
    problem: AnyProblem, runs: Mapping[str, Run], engine: Engine, place: Place = HERE
) -> list[list[str]]:
    """The ids of the runs that are trained together: one each in the loop.

    Digits of float32 depend on what is trained together, so that whoever goes on with a study
    keeps to these.

    Args:
        problem: what is trained.
        runs: by id, one or more.
        engine: what trains them.
        place: where; it says how many blocks are trained at a time.

    Raises:
        TrainingError: the ensemble cannot train this problem.
        StudyError: there is no such cluster.
    """
    ids = list(runs)
    if engine.kind == "loop":
        return [[id] for id in ids]
    if isinstance(problem, TrainingFunction):
        raise TrainingError(functions.ALONE)
    if isinstance(place, Cluster):
        from lrlab.studies import cluster

        place = cluster.as_machine(place)
    blocks = ensemble.blocks(problem, list(runs.values()), place.workers_for(engine), place.bytes)
    return [[ids[i] for i in block] for block in blocks]


def execute(
    problem: AnyProblem, blocks: Sequence[Block], engine: Engine, place: Place = HERE
) -> Generator[dict[str, Result], None, None]:
    """Trains all blocks and yields what came of each when it has ended, by the ids of its runs.

    Args:
        problem: what is trained.
        blocks: they start in this order.
        engine: what trains them.
        place: where.

    Raises:
        StudyError: a worker process died, or the problem cannot be sent to one; there is no such
            cluster, or it was lost.
        TrainingError: the engine cannot train this problem.
    """
    if not blocks:
        return
    if isinstance(place, Cluster):
        from lrlab.studies import cluster

        ended = cluster.spread(problem, blocks, engine, place)
    else:
        ended = _here(problem, blocks, engine, place)
    with closing(ended):
        for i, results in ended:
            yield dict(zip(blocks[i], results, strict=True))


def _here(
    problem: AnyProblem, blocks: Sequence[Block], engine: Engine, machine: Machine
) -> Generator[tuple[int, list[Result]], None, None]:
    def here(i: int) -> list[Result]:
        with one_thread():
            return train(problem, list(blocks[i].values()), engine)

    workers = min(machine.workers_for(engine), len(blocks)) if others_can_start() else 1
    if workers == 1:
        for i in range(len(blocks)):
            yield i, here(i)
        return
    with shared(problem) as handle:
        calls = [(handle, list(block.values()), engine) for block in blocks]
        # Closed before the file is removed that the workers have open.
        with closing(spread(_train_shared, calls, here, workers)) as ended:
            yield from ended


def train(problem: AnyProblem, runs: Sequence[Run], engine: Engine) -> list[Result]:
    """One block, in this process."""
    if isinstance(problem, TrainingFunction):
        return [functions.train(problem, run, device=engine.device) for run in runs]
    if engine.kind == "loop":
        return [loop.train(problem, run, device=engine.device) for run in runs]
    return ensemble.train(problem, runs, engine.device, engine.compiled)


def _train_shared(problem: Shared, runs: Sequence[Run], engine: Engine) -> list[Result]:
    return train(opened(problem), runs, engine)
