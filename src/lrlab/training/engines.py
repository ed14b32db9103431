"""The engines that execute runs, and the choice of the faster one for a problem."""

from collections.abc import Sequence
from dataclasses import dataclass

from lrlab.problems import Problem
from lrlab.training.run import Run


@dataclass(frozen=True)
class Engine:
    """What executes runs.

    Args:
        kind: ``"loop"``, one run at a time, or ``"ensemble"``, many at once.
        device: where, by torch's name.
        compiled: whether the ensemble's steps go through ``torch.compile``.

    >>> str(Engine("ensemble")), str(Engine("ensemble", "cuda", compiled=True))
    ('ensemble', 'ensemble, cuda, compiled')
    """

    kind: str
    device: str = "cpu"
    compiled: bool = False

    def __str__(self) -> str:
        device = [] if self.device == "cpu" else [self.device]
        return ", ".join([self.kind, *device, *(["compiled"] if self.compiled else [])])


@dataclass(frozen=True)
class Choice:
    """The engine that was found to be faster, and the sentence that says why."""

    engine: Engine
    reason: str


def choose(
    problem: Problem,
    runs: Sequence[Run],
    device: str = "cpu",
    compiled: bool = False,
    memory: int = 2 << 30,
) -> Choice:
    """Probes both ways for a few steps on this very problem."""
    return Choice(Engine("loop", device), "the loop is the only engine so far")
