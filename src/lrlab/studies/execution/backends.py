"""``Backend``: where the runs of a study are trained, which is this machine or a Ray cluster."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import StudyError
from lrlab.problems import Trainable
from lrlab.studies.execution.local import count_cores, train_locally
from lrlab.training import Result, Run
from lrlab.training.engines import Engine

_PREFIX_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE_PATTERN = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class ClusterInfo:
    """A connected cluster: the address of its head, and its numbers of nodes and cores."""

    address: str
    node_count: int
    core_count: int


class Backend(ABC):
    """Where the runs of a study are trained."""

    is_this_machine: ClassVar[bool] = False
    """Whether nothing but this machine trains them, so that a forecast for it holds."""

    def open(self) -> AbstractContextManager[None]:
        """Return the connection in which a study trains all its phases; this machine needs none.

        Raises:
            StudyError: there is no such cluster, or it has another version of Ray or Python.
            MissingExtra: Ray is not installed.
        """
        return nullcontext()

    def get_cluster_info(self) -> ClusterInfo | None:
        """Return what the cluster has; None for this machine."""
        return None

    @property
    def arguments(self) -> dict[str, object]:
        """The arguments of ``compare`` without which a study is not continued there."""
        return {}

    @property
    @abstractmethod
    def driver(self) -> "Machine":
        """The machine of this process, which times the engines before a study."""

    @property
    @abstractmethod
    def memory_bytes(self) -> int:
        """Bytes that the ensemble may use, all workers together."""

    @abstractmethod
    def count_workers(self, engine: Engine) -> int:
        """Return the number of blocks that an engine trains at the same time."""

    @abstractmethod
    def train_blocks(
        self, problem: Trainable, blocks: Sequence[Sequence[Run]], engine: Engine
    ) -> Generator[tuple[int, list[Result]], None, None]:
        """Train every block; yield its index and the results of its runs when it has ended.

        Args:
            problem: what is trained; sent once, and shared by all workers of a machine.
            blocks: they start in this order.
            engine: what trains them.

        Raises:
            StudyError: the problem cannot be sent to workers, workers died, or the cluster does not
                exist or was lost.
            LrlabError: the engine cannot train this problem or a run.
        """


@dataclass(frozen=True)
class Machine(Backend):
    """This machine: one single-threaded process per core, including the main process.

    Args:
        workers: number of processes; if omitted, the best one for the engine.
        memory: bytes that the ensemble may use, all workers together; half of this machine's
            memory if omitted.
    """

    is_this_machine: ClassVar[bool] = True

    workers: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        _check_count("workers", self.workers)
        _check_count("memory", self.memory)

    @property
    def driver(self) -> "Machine":
        """This machine."""
        return self

    @property
    def memory_bytes(self) -> int:
        """``memory``, or its default."""
        return self.memory or compute_default_memory()

    def count_workers(self, engine: Engine) -> int:
        """Return the number of training processes: ``workers``, or the best one for the engine."""
        return self.workers or engine.count_workers(count_cores(), self.memory_bytes)

    def train_blocks(
        self, problem: Trainable, blocks: Sequence[Sequence[Run]], engine: Engine
    ) -> Generator[tuple[int, list[Result]], None, None]:
        """Train blocks in this process and in workers; see ``Backend.train_blocks``."""
        engine.check_available()
        return train_locally(problem, blocks, engine, self.count_workers(engine))


@dataclass(frozen=True)
class RayCluster(Backend):
    """A Ray cluster: one task per block, on one core and possibly a GPU.

    Args:
        address: of its head, such as ``"10.0.0.1:6379"``; None for the cluster that this machine
            belongs to or, if there is none, for a new one of this machine alone.
        gpus_per_run: GPUs that a training function needs; may be a fraction, such as 0.5.
        memory: bytes that the ensemble may use, all workers together; the memory that Ray counts
            for tasks if omitted.
    """

    address: str | None = None
    gpus_per_run: float = 0.0
    memory: int | None = None

    def __post_init__(self) -> None:
        _check_count("memory", self.memory)
        gpus_per_run = to_finite_float(self.gpus_per_run)
        if gpus_per_run is None or gpus_per_run < 0 or (gpus_per_run > 1 and gpus_per_run % 1):
            raise StudyError(
                "`gpus_per_run` must be a whole number or a fraction of one GPU, got "
                f"{self.gpus_per_run}; try 1."
            )

    def open(self) -> AbstractContextManager[None]:
        """Return a connection; one that the process already has is used and left open."""
        from lrlab.studies.execution.ray import connect

        return connect(self.address)

    def get_cluster_info(self) -> ClusterInfo:
        """Return the address and the size of the cluster."""
        from lrlab.studies.execution.ray import get_cluster_info

        with self.open():
            return ClusterInfo(*get_cluster_info())

    @property
    def arguments(self) -> dict[str, object]:
        """The engine, and what differs from the defaults."""
        address = {"address": self.address} if self.address else {}
        gpus = {"gpus_per_run": self.gpus_per_run} if self.gpus_per_run else {}
        return {"engine": "ray", **address, **gpus}

    @property
    def driver(self) -> Machine:
        """This machine."""
        return THIS_MACHINE

    @property
    def memory_bytes(self) -> int:
        """``memory``, or for every core as much as one has on the node with the least."""
        from lrlab.studies.execution.ray import list_slots

        if self.memory:
            return self.memory
        with self.open():
            slots = list_slots()
        return int(len(slots) * min(slots))

    def count_workers(self, engine: Engine) -> int:
        """Return the number of blocks for which the nodes have cores and GPUs."""
        from lrlab.studies.execution.ray import list_slots

        with self.open():
            return len(list_slots(self._count_gpus(engine)))

    def train_blocks(
        self, problem: Trainable, blocks: Sequence[Sequence[Run]], engine: Engine
    ) -> Generator[tuple[int, list[Result]], None, None]:
        """Train blocks as tasks of the cluster; see ``Backend.train_blocks``."""
        from lrlab.studies.execution.ray import train_on_ray

        gpus = self._count_gpus(engine)
        with self.open():
            yield from train_on_ray(problem, blocks, engine, gpus)

    def _count_gpus(self, engine: Engine) -> float:
        """Return the GPUs of a block: ``gpus_per_run``, or one on a device."""
        if ":" in engine.device:
            raise StudyError(
                "Ray assigns the GPU of a block, so `device` must be cuda without a number, got "
                f"{engine.device}."
            )
        return self.gpus_per_run or float(engine.device != "cpu")


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``2GB`` (two times 10^9) or ``2GiB`` (two times 2^30).

    >>> parse_size("500MB"), parse_size("1.5 kib")
    (500000000, 1536)
    """
    match = _SIZE_PATTERN.fullmatch(text.strip())
    size = 0.0
    if match:
        unit = 1024 if match[3] else 1000
        size = float(match[1]) * unit ** _PREFIX_POWERS[match[2].lower()]
    if not 1 <= size < 2**63:
        raise StudyError(
            "`memory` must be a size with a unit (B, KB, MB, GB, KiB, MiB, GiB), got "
            f"{text or 'nothing'}; try 2GB."
        )
    return int(size)


def compute_default_memory() -> int:
    """Return half of this machine's memory in bytes; 4 GiB if the system does not report it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 << 30


def _check_count(name: str, value: int | None) -> None:
    number = None if value is None else to_integer(value)
    if value is not None and (number is None or number < 1):
        raise StudyError(
            f"`{name}` must be a positive whole number, got {value}; omit it for what this "
            "machine has."
        )


THIS_MACHINE = Machine()
