"""``Engine``: what trains the runs of a study; the loop and the ensemble; threads and memory."""

import ctypes
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import ClassVar

import torch

from lrlab.errors import TrainingError
from lrlab.problems import Problem, Trainable
from lrlab.training import dispatch, ensemble
from lrlab.training.result import Result
from lrlab.training.run import Run


@dataclass(frozen=True)
class Engine(ABC):
    """What trains the runs of a study, and on which device.

    Args:
        device: device to train on, as torch names it; this machine may lack it, see
            ``check_available``.
    """

    kind: ClassVar[str]
    """The name by which users select it."""

    device: str = "cpu"

    def check_available(self) -> None:
        """Check that this machine can train with it.

        Raises:
            TrainingError: it lacks the device, or a compiler for ``torch_compile``.
        """
        try:
            torch.empty(0, device=self.device)
        except (RuntimeError, AssertionError):
            raise TrainingError(
                f"`device` must be one that torch can use here, got {self.device}; use cpu, or "
                "cuda on a machine with a GPU and a torch that is built for it."
            ) from None

    @abstractmethod
    def train(self, problem: Trainable, runs: Sequence[Run]) -> list[Result]:
        """Train runs in this process, and return their results in the same order.

        Args:
            problem: what is trained.
            runs: one block of ``split_into_blocks``.

        Raises:
            ScheduleError, SchedulerError, TrainingError: a run cannot be trained.
        """

    @abstractmethod
    def split_into_blocks(
        self, problem: Trainable, runs: Sequence[Run], workers: int, memory: int
    ) -> list[list[int]]:
        """Split runs into blocks that train together: lists of indices into ``runs``.

        Digits of float32 may depend on which runs train together. The same arguments give the same
        blocks on the same machine.

        Args:
            problem: what is trained.
            runs: runs of any settings, schedules and seeds.
            workers: number of processes that train blocks at the same time.
            memory: bytes for all workers together, of this machine's memory whatever the device.

        Raises:
            TrainingError: the engine cannot train this problem, or the memory does not hold one run
                per worker.
        """

    @abstractmethod
    def count_workers(self, cores: int, memory: int) -> int:
        """Return the best number of training processes on a machine.

        Args:
            cores: that the processes may use.
            memory: bytes for all of them together.
        """

    def __str__(self) -> str:
        """Return ``kind`` and what differs from the defaults; see ``Engine.from_text``."""
        device = [] if self.device == "cpu" else [self.device]
        switches = [name for name in _list_switches(type(self)) if getattr(self, name)]
        return ", ".join([self.kind, *device, *switches])

    @staticmethod
    def from_text(text: str) -> "Engine":
        """Build the engine whose ``str`` is ``text``.

        >>> Engine.from_text("loop"), str(Engine.from_text("ensemble, meta"))
        (LoopEngine(device='cpu'), 'ensemble, meta')
        """
        kind, *options = text.split(", ")
        devices = [option for option in options if option != "torch_compile"]
        return create_engine(kind, devices[0] if devices else "cpu", "torch_compile" in options)


@dataclass(frozen=True)
class LoopEngine(Engine):
    """The loop: one run at a time; it trains everything, and defines the numbers of a run.

    >>> str(LoopEngine())
    'loop'
    """

    kind: ClassVar[str] = "loop"

    def train(self, problem: Trainable, runs: Sequence[Run]) -> list[Result]:
        """Train runs one after the other; see ``Engine.train``."""
        return [dispatch.train(problem, run, device=self.device) for run in runs]

    def split_into_blocks(
        self, problem: Trainable, runs: Sequence[Run], workers: int, memory: int
    ) -> list[list[int]]:
        """Return one block per run; see ``Engine.split_into_blocks``."""
        return [[i] for i in range(len(runs))]

    def count_workers(self, cores: int, memory: int) -> int:
        """Return one process per core; see ``Engine.count_workers``."""
        return cores


@dataclass(frozen=True)
class EnsembleEngine(Engine):
    """The ensemble: many runs together, with the loop's numbers; see ``training/ensemble``.

    Args:
        torch_compile: whether steps use ``torch.compile``.

    >>> str(EnsembleEngine("meta"))
    'ensemble, meta'
    """

    kind: ClassVar[str] = "ensemble"

    torch_compile: bool = False

    def check_available(self) -> None:
        """Check that this machine can train with it; see ``Engine.check_available``."""
        super().check_available()
        compilers = (os.environ.get("CXX", "g++"), "g++", "clang++", "c++")
        if self.torch_compile and self.device == "cpu" and not any(map(shutil.which, compilers)):
            raise TrainingError(
                "`torch_compile` needs a C++ compiler such as g++, and this machine has none; "
                "leave it out."
            )

    def train(self, problem: Trainable, runs: Sequence[Run]) -> list[Result]:
        """Train runs together; see ``Engine.train``."""
        return ensemble.train(
            _require_ensemble_problem(problem), runs, self.device, self.torch_compile
        )

    def split_into_blocks(
        self, problem: Trainable, runs: Sequence[Run], workers: int, memory: int
    ) -> list[list[int]]:
        """Return blocks that fit the cache and the memory; see ``Engine.split_into_blocks``."""
        return ensemble.split_into_blocks(_require_ensemble_problem(problem), runs, workers, memory)

    def count_workers(self, cores: int, memory: int) -> int:
        """Return one process on a device; on the CPU at most one per GiB, of which it takes half.

        See ``Engine.count_workers``.
        """
        return max(1, min(cores, memory >> 30)) if self.device == "cpu" else 1


ENGINES: dict[str, type[Engine]] = {
    engine_class.kind: engine_class for engine_class in (LoopEngine, EnsembleEngine)
}
"""The engines by the names that users give."""


def create_engine(kind: str, device: str = "cpu", torch_compile: bool = False) -> Engine:
    """Create the engine of a kind.

    It is not checked whether this machine can train with it.

    Raises:
        TrainingError: the kind is unknown, or its engine does not compile.

    >>> create_engine("ensemble", "meta")
    EnsembleEngine(device='meta', torch_compile=False)
    """
    if kind not in ENGINES:
        raise TrainingError(f"`engine` must be {' or '.join(ENGINES)}, got {kind}.")
    if not torch_compile:
        return ENGINES[kind](device)
    if "torch_compile" not in _list_switches(ENGINES[kind]):
        raise TrainingError(
            f"`torch_compile` is for the ensemble, not for the {kind}; leave it out."
        )
    return ENGINES[kind](device, **{"torch_compile": True})


def _list_switches(engine_class: type[Engine]) -> list[str]:
    """Return the names of the options of an engine other than its device."""
    return [field.name for field in fields(engine_class) if field.name != "device"]


def _require_ensemble_problem(problem: Trainable) -> Problem:
    if problem.loop_only_reason:
        raise TrainingError(f'{problem.loop_only_reason}; use `engine="loop"`.')
    return dispatch.require_rows(problem)


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
