"""Carrying out runs block by block: here and in other processes, or on a cluster."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext

from lrlab.errors import TrainingError
from lrlab.problems import Trainable, TrainingFunction
from lrlab.studies.places import THIS_MACHINE, RayCluster, Machine, Backend
from lrlab.studies.sharing import SharedFile, load_shared, write_shared
from lrlab.studies.workers import can_start_workers, run_in_workers
from lrlab.training import Result, Run, ensemble, functions, loop
from lrlab.training.engines import Engine
from lrlab.training.threads import use_one_thread

Block = Mapping[str, Run]
"""Runs that are trained together and end together, by their ids."""


def open_backend(backend: Backend) -> AbstractContextManager[None]:
    """Keeps a cluster connected, so that a study of several phases connects once; else nothing."""
    if isinstance(backend, RayCluster):
        from lrlab.studies.connecting import connect_to_cluster

        return connect_to_cluster(backend)
    return nullcontext()


def plan_blocks(
    problem: Trainable, runs: Mapping[str, Run], engine: Engine, backend: Backend = THIS_MACHINE
) -> list[list[str]]:
    """The ids of the runs that are trained together: one each in the loop.

    Digits of float32 depend on what is trained together, so that whoever goes on with a study
    keeps to these.

    Args:
        problem: what is trained.
        runs: by id, one or more.
        engine: what trains them.
        backend: where; it says how many blocks are trained at a time.

    Raises:
        TrainingError: the ensemble cannot train this problem.
        StudyError: there is no such cluster.
    """
    run_ids = list(runs)
    if engine.kind == "loop":
        return [[run_id] for run_id in run_ids]
    if isinstance(problem, TrainingFunction):
        raise TrainingError(functions.ENSEMBLE_UNSUPPORTED)
    if isinstance(backend, RayCluster):
        from lrlab.studies import cluster

        backend = cluster.to_machine(backend)
    blocks = ensemble.split_into_blocks(problem, list(runs.values()), backend.count_workers(engine), backend.memory_bytes)
    return [[run_ids[i] for i in block] for block in blocks]


def train_blocks(
    problem: Trainable, blocks: Sequence[Block], engine: Engine, backend: Backend = THIS_MACHINE
) -> Generator[dict[str, Result], None, None]:
    """Trains all blocks and yields what came of each when it has ended, by the ids of its runs.

    Args:
        problem: what is trained.
        blocks: they start in this order.
        engine: what trains them.
        backend: where.

    Raises:
        StudyError: a worker process died, or the problem cannot be sent to one; there is no such
            cluster, or it was lost.
        TrainingError: the engine cannot train this problem.
    """
    if not blocks:
        return
    if isinstance(backend, RayCluster):
        from lrlab.studies import cluster

        trained = cluster.train_on_ray(problem, blocks, engine, backend)
    else:
        trained = train_locally(problem, blocks, engine, backend)
    with closing(trained):
        for i, results in trained:
            yield dict(zip(blocks[i], results, strict=True))


def train_locally(
    problem: Trainable, blocks: Sequence[Block], engine: Engine, machine: Machine
) -> Generator[tuple[int, list[Result]], None, None]:
    def train_here(i: int) -> list[Result]:
        with use_one_thread():
            return train_block(problem, list(blocks[i].values()), engine)

    workers = min(machine.count_workers(engine), len(blocks)) if can_start_workers() else 1
    if workers == 1:
        for i in range(len(blocks)):
            yield i, train_here(i)
        return
    with write_shared(problem) as handle:
        calls = [(handle, list(block.values()), engine) for block in blocks]
        # Closed before the file is removed that the workers have open.
        with closing(run_in_workers(_train_shared_block, calls, train_here, workers)) as ended:
            yield from ended


def train_block(problem: Trainable, runs: Sequence[Run], engine: Engine) -> list[Result]:
    """One block, in this process."""
    if isinstance(problem, TrainingFunction):
        return [functions.run_training_function(problem, run, device=engine.device) for run in runs]
    if engine.kind == "loop":
        return [loop.train(problem, run, device=engine.device) for run in runs]
    return ensemble.train(problem, runs, engine.device, engine.torch_compile)


def _train_shared_block(shared_problem: SharedFile, runs: Sequence[Run], engine: Engine) -> list[Result]:
    return train_block(load_shared(shared_problem), runs, engine)
