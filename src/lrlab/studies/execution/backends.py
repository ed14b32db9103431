"""Where the runs of a study are trained: on this machine, or on a Ray cluster."""

import os
import re
from dataclasses import dataclass

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import StudyError
from lrlab.training.engines import Engine

_PREFIX_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE_PATTERN = re.compile(r"(\d+(?:\.\d+)?) ?([kmgt]?)(i?)b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Machine:
    """This machine: one single-threaded process per core, including the main process.

    Args:
        workers: number of processes; if omitted, see ``count_workers``.
        memory: bytes that the ensemble may use, all workers together; half of this machine's
            memory if omitted.
    """

    workers: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        _check_count("workers", self.workers)
        _check_count("memory", self.memory)

    @property
    def memory_bytes(self) -> int:
        """``memory``, or its default."""
        return self.memory or compute_default_memory()

    def count_workers(self, engine: Engine) -> int:
        """Return the number of training processes: ``workers``, or the best one for the engine."""
        return self.workers or engine.count_workers(count_cores(), self.memory_bytes)


@dataclass(frozen=True)
class RayCluster:
    """A Ray cluster.

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
        if gpus_per_run is None or gpus_per_run < 0:
            raise StudyError(
                f"gpus_per_run must be a non-negative number, got {self.gpus_per_run}; try 1."
            )


Backend = Machine | RayCluster


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
            "memory must be a size with a unit (B, KB, MB, GB, KiB, MiB, GiB), got "
            f"{text or 'nothing'}; try 2GB."
        )
    return int(size)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
            f"{name} must be a positive whole number, got {value}; omit it for what this "
            "machine has."
        )


THIS_MACHINE = Machine()
