"""Blocks of runs on a Ray cluster: the driver alone writes, a node that dies costs its block."""

import time
import traceback
from collections import Counter, deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lrlab.errors import LrlabError, StudyError, needs
from lrlab.problems import AnyProblem
from lrlab.studies.connecting import connected
from lrlab.studies.nodes import Need, as_one, check_versions, places_for
from lrlab.studies.places import Cluster, Machine
from lrlab.training import Result, Run
from lrlab.training.engines import Engine
from lrlab.training.threads import keep_memory, one_thread

with needs("'lrlab[ray]'"):
    import ray
    from ray import exceptions

    from lrlab.studies.sending import received, sent

_AHEAD = 2
"""Blocks for each core that Ray holds: one is trained, one waits for its end."""

_TRIES = 4
_LOOK = 5
"""Seconds between two looks at which nodes there are."""

_LOST = (
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.OutOfMemoryError,
    exceptions.WorkerCrashedError,
)
_KEPT = "the runs that ended are kept: repeat the command to do the others"


def as_machine(cluster: Cluster) -> Machine:
    """The cluster as one machine: as many workers as it has cores, and what memory they have.

    Raises:
        StudyError: there is no such cluster, or it has no cores.
    """
    with connected(cluster):
        return as_one(cluster.memory)


def spread(
    problem: AnyProblem, blocks: Sequence[Mapping[str, Run]], engine: Engine, cluster: Cluster
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
    need = _need(engine, cluster)
    with connected(cluster):
        places_for(need)
        check_versions()
        tasks = _Tasks(blocks, engine, need, sent(problem))
        try:
            yield from tasks.results()
        except exceptions.LocalRayletDiedError:
            raise StudyError(f"the Ray cluster was lost; {_KEPT}.") from None
        finally:
            tasks.cancel()


@dataclass
class _Tasks:
    """The tasks of a study: which wait, which are under way, and how often each was lost."""

    blocks: Sequence[Mapping[str, Run]]
    engine: Engine
    need: Need
    problem: "ray.ObjectRef[Any]"
    under_way: dict["ray.ObjectRef[Any]", int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.blocks)))
        self.lost = Counter[int]()
        # Ray would repeat a task that ran out of memory for ever: here they are counted.
        self.task = ray.remote(num_cpus=self.need.cpus, num_gpus=self.need.gpus, max_retries=0)(
            _train
        )

    def results(self) -> Generator[tuple[int, list[Result]], None, None]:
        room, looked = _AHEAD * places_for(self.need), time.monotonic()
        while self.waiting or self.under_way:
            if time.monotonic() - looked > _LOOK:
                room, looked = _AHEAD * places_for(self.need), time.monotonic()
            while self.waiting and len(self.under_way) < room:
                self._start(self.waiting.popleft())
            for reference in _ended(list(self.under_way)):
                place = self.under_way.pop(reference)
                try:
                    results = ray.get(reference)
                except exceptions.RayTaskError as error:
                    raise _cause(error) from None
                except _LOST:
                    self._lose(place)
                else:
                    yield place, results

    def cancel(self) -> None:
        for reference in self.under_way:
            ray.cancel(reference, force=True)

    def _start(self, place: int) -> None:
        runs = list(self.blocks[place].values())
        # In a list Ray sends a reference as it is; else each task would be given its own value.
        reference = self.task.remote([self.problem], runs, self.engine)
        self.under_way[reference] = place

    def _lose(self, place: int) -> None:
        self.lost[place] += 1
        if self.lost[place] == _TRIES:
            raise StudyError(
                f"a block of {len(self.blocks[place])} runs lost its worker or its node {_TRIES} "
                f"times; {_KEPT}. If it is lost again, memory may be short: give the ensemble less "
                "(lrlab delete, then again with a smaller --memory, which makes smaller blocks)."
            )
        self.waiting.appendleft(place)


def _ended(references: list["ray.ObjectRef[Any]"]) -> list["ray.ObjectRef[Any]"]:
    """Those that have ended, after the first has; none where none has for a while."""
    ended, others = ray.wait(references, timeout=_LOOK)
    if ended and others:
        ended += ray.wait(others, num_returns=len(others), timeout=0)[0]
    return list(ended)


def _need(engine: Engine, cluster: Cluster) -> Need:
    if ":" in engine.device:
        raise StudyError(
            f"Ray says which GPU a block has, so the device must be cuda, got {engine.device}."
        )
    return Need(gpus=cluster.gpus or float(engine.device != "cpu"))


def _train(
    problem: list["ray.ObjectRef[Any]"], runs: Sequence[Run], engine: Engine
) -> list[Result]:
    """One block, in a worker process of a node."""
    from lrlab.studies.execution import train

    keep_memory()
    with one_thread():
        try:
            return train(received(problem[0]), runs, engine)
        except LrlabError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise StudyError(
                f"training failed with {type(error).__name__}: {error} ({last.filename}, line "
                f"{last.lineno}, on node {ray.util.get_node_ip_address()})."
            ) from None


def _cause(error: exceptions.RayTaskError) -> Exception:
    cause = error.cause
    if isinstance(cause, LrlabError):
        return cause
    return StudyError(
        f"a task failed before it began to train, with {type(cause).__name__}: {cause}; the nodes "
        "need what this machine has installed."
    )
