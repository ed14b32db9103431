"""Ray core tasks: the tutorial's program, one run per task, one core per task."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import ray

from lrlab.problems import Problem
from lrlab.training import Run

from . import plain
from .jobs import Job


@contextmanager
def train_in_tasks(problem: Problem, runs: Sequence[Run], cores: int) -> Iterator[Job]:
    """Ray and its workers stay up between the turns; the problem is put into its store once."""
    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False, logging_level="error")
    try:
        train = ray.remote(num_cpus=1)(plain.train)
        shared = ray.put(problem)
        yield lambda: ray.get([train.remote(shared, run) for run in runs])
    finally:
        ray.shutdown()
