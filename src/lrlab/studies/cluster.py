"""Blocks of runs on a Ray cluster: the driver alone writes, a node that dies costs its block."""

import time
import traceback
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrlab.errors import LrlabError, StudyError, require_package
from lrlab.problems import Trainable
from lrlab.studies.connecting import connect_to_cluster
from lrlab.studies.nodes import BlockResources, pool_nodes, check_versions, count_slots
from lrlab.studies.places import RayCluster, Machine
from lrlab.training import Result, Run
from lrlab.training.engines import Engine
from lrlab.training.threads import keep_freed_memory, use_one_thread

with require_package("'lrlab[ray]'"):
    import ray
    from ray import exceptions

    from lrlab.studies.sending import get_value, put_value

_BLOCKS_PER_SLOT = 2
"""Blocks for each core that Ray holds: one is trained, one waits for its end."""

_MAX_TRIES = 4
_POLL_SECONDS = 5
"""Seconds between two looks at which nodes there are."""

_LOSS_ERRORS = (
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.OutOfMemoryError,
    exceptions.WorkerCrashedError,
)
_RESUME_HINT = "the runs that ended are kept: repeat the command to do the others"


def to_machine(cluster: RayCluster) -> Machine:
    """The cluster as one machine: as many workers as it has cores, and what memory they have.

    Raises:
        StudyError: there is no such cluster, or it has no cores.
    """
    with connect_to_cluster(cluster):
        return pool_nodes(cluster.memory)


def train_on_ray(
    problem: Trainable, blocks: Sequence[Mapping[str, Run]], engine: Engine, cluster: RayCluster
) -> Generator[tuple[int, list[Result]], None, None]:
    """Does every block once, and yields its place in ``blocks`` and what came of it.

    A block is a task of one core. When its worker or node dies it is done again, on another where
    there is one. Whatever ends this early cancels the tasks and leaves the cluster as it was.

    Args:
        problem: what is trained; sent once, and shared by the tasks of a node.
        blocks: they start in this order.
        engine: what trains them; on a device, every block has one of the cluster's GPUs.
        cluster: where.

    Raises:
        StudyError: there is no such cluster, its nodes have other versions of torch or lrlab, it
            was lost, or a block killed its worker several times.
        LrlabError: what a task raised.
    """
    resources = _get_block_resources(engine, cluster)
    with connect_to_cluster(cluster):
        count_slots(resources)
        check_versions()
        tasks = _TaskPool(blocks, engine, resources, put_value(problem))
        try:
            yield from tasks.iter_results()
        except exceptions.LocalRayletDiedError:
            raise StudyError(f"the Ray cluster was lost; {_RESUME_HINT}.") from None
        finally:
            tasks.cancel()


@dataclass
class _TaskPool:
    """The tasks of a study: which wait, which are under way, and how often each was lost."""

    blocks: Sequence[Mapping[str, Run]]
    engine: Engine
    resources: BlockResources
    problem_ref: "ray.ObjectRef[Any]"
    running: dict["ray.ObjectRef[Any]", int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.blocks)))
        self.loss_counts = Counter[int]()
        # Ray would repeat a task that ran out of memory for ever: here they are counted.
        self.remote_task = ray.remote(num_cpus=self.resources.cpus, num_gpus=self.resources.gpus, max_retries=0)(
            _train_task
        )

    def iter_results(self) -> Generator[tuple[int, list[Result]], None, None]:
        capacity, last_poll = _BLOCKS_PER_SLOT * count_slots(self.resources), time.monotonic()
        while self.waiting or self.running:
            if time.monotonic() - last_poll > _POLL_SECONDS:
                capacity, last_poll = _BLOCKS_PER_SLOT * count_slots(self.resources), time.monotonic()
            while self.waiting and len(self.running) < capacity:
                self._start(self.waiting.popleft())
            for reference in _wait_for_ended(list(self.running)):
                block_index = self.running.pop(reference)
                try:
                    results = ray.get(reference)
                except exceptions.RayTaskError as error:
                    raise _get_cause(error) from None
                except _LOSS_ERRORS:
                    self._requeue(block_index)
                else:
                    yield block_index, results

    def cancel(self) -> None:
        for reference in self.running:
            ray.cancel(reference, force=True)

    def _start(self, block_index: int) -> None:
        runs = list(self.blocks[block_index].values())
        # In a list Ray sends a reference as it is; else each task would be given its own value.
        reference = self.remote_task.remote([self.problem_ref], runs, self.engine)
        self.running[reference] = block_index

    def _requeue(self, block_index: int) -> None:
        self.loss_counts[block_index] += 1
        if self.loss_counts[block_index] == _MAX_TRIES:
            raise StudyError(
                f"a block of {len(self.blocks[block_index])} runs lost its worker or its node {_MAX_TRIES} "
                f"times; {_RESUME_HINT}. If it is lost again, memory may be short: give the ensemble less "
                "(lrlab delete, then again with a smaller --memory, which makes smaller blocks)."
            )
        self.waiting.appendleft(block_index)


def _wait_for_ended(references: list["ray.ObjectRef[Any]"]) -> list["ray.ObjectRef[Any]"]:
    """Those that have ended, after the first has; none where none has for a while."""
    ended, others = ray.wait(references, timeout=_POLL_SECONDS)
    if ended and others:
        ended += ray.wait(others, num_returns=len(others), timeout=0)[0]
    return list(ended)


def _get_block_resources(engine: Engine, cluster: RayCluster) -> BlockResources:
    if ":" in engine.device:
        raise StudyError(
            f"Ray says which GPU a block has, so the device must be cuda, got {engine.device}."
        )
    return BlockResources(gpus=cluster.gpus_per_run or float(engine.device != "cpu"))


def _train_task(
    problem_refs: list["ray.ObjectRef[Any]"], runs: Sequence[Run], engine: Engine
) -> list[Result]:
    """One block, in a worker process of a node."""
    from lrlab.studies.execution import train_block

    keep_freed_memory()
    with use_one_thread():
        try:
            return train_block(get_value(problem_refs[0]), runs, engine)
        except LrlabError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise StudyError(
                f"training failed with {type(error).__name__}: {error} ({last.filename}, line "
                f"{last.lineno}, on node {ray.util.get_node_ip_address()})."
            ) from None


def _get_cause(error: exceptions.RayTaskError) -> Exception:
    cause = error.cause
    if isinstance(cause, LrlabError):
        return cause
    return StudyError(
        f"a task failed before it began to train, with {type(cause).__name__}: {cause}; the nodes "
        "need what this machine has installed."
    )
