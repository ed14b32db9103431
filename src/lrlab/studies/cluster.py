"""Blocks of runs on a Ray cluster: the driver alone writes, a node that dies costs its block."""

from collections.abc import Generator, Mapping, Sequence

from lrlab.errors import StudyError
from lrlab.problems import AnyProblem
from lrlab.studies.places import Cluster, Machine
from lrlab.training import Result, Run
from lrlab.training.engines import Engine


def as_machine(cluster: Cluster) -> Machine:
    """The cluster as one machine: as many workers as it has cores, and what memory they have."""
    raise StudyError("no cluster yet")


def spread(
    problem: AnyProblem, blocks: Sequence[Mapping[str, Run]], engine: Engine, cluster: Cluster
) -> Generator[tuple[int, list[Result]], None, None]:
    """Does every block once, and yields its place in ``blocks`` and what came of it."""
    raise StudyError("no cluster yet")
    yield
