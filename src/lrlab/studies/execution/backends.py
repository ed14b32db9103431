"""Where the runs of a study are trained: on this machine, or on a cluster of many."""

import os
from dataclasses import dataclass

from lrlab._checks import to_finite_float, to_integer
from lrlab.errors import StudyError
from lrlab.training.engines import Engine


@dataclass(frozen=True)
class Machine:
    """This machine: one single-threaded process per core, the one that was started among them.

    Args:
        workers: how many processes; see ``count_workers`` for how many when left out.
        memory: bytes that the ensemble may fill, all workers together; half of this machine's when
            left out.
    """

    workers: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        _check_count("workers", self.workers)
        _check_count("memory", self.memory)

    @property
    def memory_bytes(self) -> int:
        """``memory``, or what stands for it."""
        return self.memory or compute_default_memory()

    def count_workers(self, engine: Engine) -> int:
        """How many processes train: those asked for, else one for each core, or one for a device.

        Of the ensemble no more than the memory has GiB: a process takes half of one for itself.
        """
        if self.workers or engine.kind == "loop":
            return self.workers or count_cores()
        return max(1, min(count_cores(), self.memory_bytes >> 30)) if engine.device == "cpu" else 1


@dataclass(frozen=True)
class RayCluster:
    """A Ray cluster.

    Args:
        address: of its head, such as ``"10.0.0.1:6379"``; None for the one that this machine is a
            part of, or, where there is none, one of this machine alone.
        gpus_per_run: that a training function needs; may be a part of one, such as 0.5.
        memory: bytes that the ensemble may fill, all workers together; what Ray counts for tasks
            when left out.
    """

    address: str | None = None
    gpus_per_run: float = 0.0
    memory: int | None = None

    def __post_init__(self) -> None:
        _check_count("memory", self.memory)
        gpus = to_finite_float(self.gpus_per_run)
        if gpus is None or gpus < 0:
            raise StudyError(f"gpus must be a number of 0 or more, got {self.gpus_per_run}; try 1.")


def count_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute_default_memory() -> int:
    """Half of this machine's memory in bytes; 4 GiB where it does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):  # Windows
        return 4 << 30


def _check_count(name: str, value: int | None) -> None:
    number = None if value is None else to_integer(value)
    if value is not None and (number is None or number < 1):
        raise StudyError(
            f"{name} must be a whole number of 1 or more, got {value}; leave it out for what this "
            "machine has."
        )


Backend = Machine | RayCluster

THIS_MACHINE = Machine()
