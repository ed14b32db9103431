"""Backends: what they refuse, and what they need no cluster for."""

import pytest

from lrlab.errors import StudyError
from lrlab.studies import Machine, RayCluster
from lrlab.studies.execution.backends import THIS_MACHINE, Backend
from lrlab.training.engines import EnsembleEngine
from tests.raising import raises


@pytest.mark.parametrize("gpus", [-1, 1.5, float("nan"), "two"])
def test_gpus_of_a_run_are_whole_or_a_fraction_of_one(gpus: float) -> None:
    with raises(StudyError, "`gpus_per_run`", gpus):
        RayCluster(gpus_per_run=gpus)
    for valid in (0, 0.5, 1, 2):
        assert RayCluster(gpus_per_run=valid).gpus_per_run == valid


@pytest.mark.parametrize("backend", [Machine, RayCluster])
def test_memory_is_a_positive_number_of_bytes(backend: type[Machine | RayCluster]) -> None:
    with raises(StudyError, "`memory`", 0):
        backend(memory=0)


def test_ray_assigns_the_gpu() -> None:
    running = RayCluster().train_blocks(None, [], EnsembleEngine("cuda:1"))
    with raises(StudyError, "`device`", "cuda:1"):
        next(running)


@pytest.mark.parametrize(
    ("backend", "arguments"),
    [
        (Machine(workers=2, memory=10**9), {}),
        (RayCluster(), {"engine": "ray"}),
        (
            RayCluster("10.0.0.1:6379", gpus_per_run=0.5),
            {"engine": "ray", "address": "10.0.0.1:6379", "gpus_per_run": 0.5},
        ),
    ],
    ids=["machine", "own cluster", "another cluster"],
)
def test_arguments_select_the_same_backend(backend: Backend, arguments: dict[str, object]) -> None:
    assert backend.arguments == arguments


def test_engines_are_timed_on_this_machine() -> None:
    assert RayCluster("10.0.0.1:6379").driver == THIS_MACHINE
    assert Machine(2).driver == Machine(2)
    assert Machine().get_cluster_info() is None
