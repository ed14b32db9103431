"""Training on a Ray cluster of two nodes: the numbers of this machine, even if a node dies."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import psutil
import pytest
import ray
import torch
from ray.cluster_utils import Cluster as Nodes

from lrlab import Cosine, Linear
from lrlab.errors import MissingExtra, StudyError, TrainingError
from lrlab.problems import Problem, TrainingFunction, load_problem
from lrlab.studies import Machine, Protocol, RayCluster, build_plan, plan_first_phase, train_blocks
from lrlab.studies.execution import ray as ray_backend
from lrlab.studies.execution.backends import Backend
from lrlab.studies.execution.ray import get_value, put_value
from lrlab.studies.execution.runner import Block, plan_blocks
from lrlab.training import Result, Run, Settings
from lrlab.training.engines import Engine, EnsembleEngine, LoopEngine
from tests.raising import raises
from tests.schedules.definitions import DEFINITION

LOOP, ENSEMBLE = LoopEngine(), EnsembleEngine()

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head that trains nothing, and two nodes with one core each."""
    cluster = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.add_node(num_cpus=1)
    cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()
    assert list_child_processes() == []


@pytest.fixture(scope="module")
def cluster(nodes: Nodes) -> Iterator[RayCluster]:
    """A connection to these nodes."""
    cluster = RayCluster(nodes.address)
    with cluster.open():
        yield cluster
    assert not ray.is_initialized()


def plan_runs(problem: Problem, epochs: int = 5, seeds: int = 4) -> dict[str, Run]:
    schedules = [Cosine(), Linear(1, 0)]
    return dict(
        plan_first_phase(
            build_plan(problem, schedules, Settings(epochs=epochs), Protocol(seeds))
        ).runs
    )


def make_single_blocks(runs: Mapping[str, Run]) -> list[Block]:
    return [{run_id: run} for run_id, run in runs.items()]


def train(
    problem: Problem, blocks: list[Block], engine: Engine, backend: Backend
) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for block_results in train_blocks(problem, blocks, engine, backend):
        assert not results.keys() & block_results.keys()
        results |= block_results
    return results


def list_child_processes() -> list[psutil.Process]:
    """Return the child processes without Python's resource tracker, which lasts for all tests."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "resource_tracker" not in " ".join(child.cmdline())]


def assert_same_results(results: Mapping[str, Result], expected: Mapping[str, Result]) -> None:
    """Assert that results are equal bit for bit, except for their seconds."""
    assert results.keys() == expected.keys()
    for run_id, result in results.items():
        assert replace(result, seconds=0) == replace(expected[run_id], seconds=0)


# Without a connection.


@pytest.mark.parametrize(
    ("address", "mention"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("head", "such as 10.0.0.1:6379"),
        ("ray://head:10001", "run on one of its machines"),
    ],
)
def test_addresses_without_a_cluster_are_rejected(
    iris: Problem, address: str, mention: str
) -> None:
    with raises(StudyError, mention):
        train(iris, make_single_blocks(plan_runs(iris)), LOOP, RayCluster(address))


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lrlab.studies.execution.ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    with raises(MissingExtra, "pip install 'lrlab[ray]'"):
        RayCluster().open()


def test_a_lost_head_is_an_error_and_leaves_no_process(
    iris: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_backend, "_POLL_SECONDS", 1)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    blocks = make_single_blocks(
        {**plan_runs(iris, epochs=1, seeds=1), **plan_runs(iris, epochs=10**6)}
    )
    running = train_blocks(
        iris, blocks, LOOP, RayCluster("local")
    )  # its head is a child of this process
    next(running)
    (head,) = (child for child in list_child_processes() if child.name() == "gcs_server")
    head.kill()
    with raises(StudyError, "Ray cluster was lost", "repeat the study"):
        list(running)
    assert list_child_processes() == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_block_without_enough_memory_is_an_error(
    iris: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_memory_usage_threshold", "0")  # so that Ray kills every task
    monkeypatch.setenv("RAY_memory_monitor_refresh_ms", "100")
    blocks = make_single_blocks(plan_runs(iris, epochs=10**6))[:1]
    with raises(StudyError, "4 times", "OutOfMemoryError", "`memory`"):
        train(iris, blocks, LOOP, RayCluster("local"))
    assert "RAY_task_oom_retries" not in os.environ


# With one connection to the cluster.


@pytest.mark.parametrize("engine", [LOOP, ENSEMBLE], ids=str)
def test_two_nodes_give_the_same_bits_as_this_machine(
    iris: Problem, cluster: RayCluster, engine: Engine
) -> None:
    runs = plan_runs(iris)
    blocks = [
        {run_id: runs[run_id] for run_id in run_ids}
        for run_ids in plan_blocks(iris, runs, engine, cluster)
    ]
    assert len(blocks) >= 2
    results = train(iris, blocks, engine, cluster)
    assert results.keys() == runs.keys()
    assert_same_results(results, train(iris, blocks, engine, Machine(1)))


def test_a_node_that_dies_costs_only_its_block(
    iris: Problem, nodes: Nodes, cluster: RayCluster
) -> None:
    blocks = make_single_blocks(plan_runs(iris, epochs=30, seeds=4))
    counts: Counter[str] = Counter()
    results: dict[str, Result] = {}
    for block_results in train_blocks(iris, blocks, LOOP, cluster):
        if not results:
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
        counts.update(block_results.keys())
        results |= block_results
    assert len(nodes.worker_nodes) == 1
    nodes.add_node(num_cpus=1)
    assert set(counts.values()) == {1}
    assert_same_results(results, train(iris, blocks, LOOP, Machine(1)))


@dataclass
class DeadlyModel:
    """Builds a network; kills its process first, as often as there are files in a folder."""

    folder: Path
    model: Any

    def __call__(self) -> Any:
        for file in self.folder.iterdir():
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.model()


def test_a_killed_worker_costs_only_its_block(
    iris: Problem, cluster: RayCluster, tmp_path: Path
) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    (tmp_path / "once").touch()
    deadly = replace(iris, model=DeadlyModel(tmp_path, iris.model))
    results = train(deadly, blocks, LOOP, cluster)
    assert not list(tmp_path.iterdir())
    assert_same_results(results, train(iris, blocks, LOOP, Machine(1)))


def test_a_block_that_kills_all_its_workers_is_an_error(
    iris: Problem, cluster: RayCluster, tmp_path: Path
) -> None:
    for i in range(9):
        (tmp_path / str(i)).touch()
    deadly = replace(iris, model=DeadlyModel(tmp_path, iris.model))
    with raises(StudyError, "block of 1 runs", "4 times", "`memory`"):
        train(deadly, make_single_blocks(plan_runs(iris))[:1], LOOP, cluster)
    assert len(list(tmp_path.iterdir())) == 5


def test_a_problem_that_cannot_be_pickled_is_an_error(iris: Problem, cluster: RayCluster) -> None:
    unpicklable = replace(iris, model=partial(iris.model, Lock()))
    with raises(StudyError, "picklable", "lock"):
        train(unpicklable, make_single_blocks(plan_runs(iris)), LOOP, cluster)


def raise_error(error: Exception) -> None:
    raise error


def test_errors_of_tasks_are_raised_here(iris: Problem, cluster: RayCluster) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    invalid = replace(iris, model=partial(raise_error, TrainingError("the rule.")))
    with raises(TrainingError, "the rule."):
        train(invalid, blocks, LOOP, cluster)
    line = raise_error.__code__.co_firstlineno + 1
    failing = replace(iris, model=partial(raise_error, ValueError("no")))
    with raises(StudyError, "ValueError: no", f"test_ray.py:{line}", "on node"):
        train(failing, blocks, LOOP, cluster)


SCRIPT = f"""
from torch import nn
{DEFINITION}

def layer():
    return nn.Linear(4, 3)


def model():
    return nn.Sequential(layer())


def train(run):
    for epoch in range(run.epochs):
        level = run.schedule(epoch, run.lr)
        run.report(epoch, accuracy=compute_score(level), lr=level)


def compute_score(level):
    return 1 / (1.5 + level)
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A user's script, imported here, that the nodes do not find."""
    path = tmp_path / "a_users_script.py"
    path.write_text(SCRIPT)
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)
    return module


def test_the_code_of_a_script_is_sent_with_problem_and_schedules(
    iris: Problem, cluster: RayCluster, script: ModuleType
) -> None:
    problem = replace(iris, model=script.model)
    runs = plan_runs(iris, seeds=1)
    runs["own"] = replace(next(iter(runs.values())), schedule=script.MyDecay(0.3))
    blocks = make_single_blocks(runs)
    assert_same_results(
        train(problem, blocks, LOOP, cluster), train(problem, blocks, LOOP, Machine(1))
    )


def test_a_training_function_and_a_schedule_of_a_script_are_sent(
    cluster: RayCluster, script: ModuleType
) -> None:
    problem = TrainingFunction(script.train, metric="accuracy")
    settings = Settings(epochs=3, validation_size=0)
    schedules = [script.MyDecay(0.3), script.MyDecay(0.1) * Linear(1, 0, over=3)]
    plan = build_plan(problem, schedules, settings, Protocol(3))
    blocks = make_single_blocks(plan_first_phase(plan).runs)
    results = train(problem, blocks, LOOP, cluster)
    assert_same_results(results, train(problem, blocks, LOOP, Machine(1)))
    assert len({result.test_score for result in results.values()}) == len(plan.schedules)


def test_tasks_read_arrays_in_place(cluster: RayCluster) -> None:
    data = torch.arange(1e6)
    reference = put_value({"x": data})
    first, second = get_value(reference)["x"], get_value.__wrapped__(reference)["x"]
    assert first.equal(data)
    assert first.data_ptr() == second.data_ptr() != data.data_ptr()


def test_an_early_end_cancels_the_tasks(iris: Problem, cluster: RayCluster) -> None:
    blocks = make_single_blocks(
        {**plan_runs(iris, epochs=1, seeds=1), **plan_runs(iris, epochs=10**6)}
    )
    running = train_blocks(iris, blocks, LOOP, cluster)
    next(running)
    running.close()
    assert ray.is_initialized()  # the connection was there before
    deadline = time.monotonic() + 30
    while ray.available_resources().get("CPU", 0) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nodes_with_another_version_are_rejected(
    iris: Problem, cluster: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_backend, "_VERSIONS", "torch 2.0 and lrlab 0.0.1")
    with raises(StudyError, "lrlab", "0.0.1", "node"):
        train(iris, make_single_blocks(plan_runs(iris)), LOOP, cluster)


def test_it_does_not_wait_for_missing_resources(iris: Problem, cluster: RayCluster) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    with raises(StudyError, "a core and 0.5 of a GPU"):
        train(iris, blocks, LOOP, replace(cluster, gpus_per_run=0.5))
    with raises(StudyError, "ray.shutdown()"):
        train(iris, blocks, LOOP, RayCluster("10.0.0.1:6379"))
