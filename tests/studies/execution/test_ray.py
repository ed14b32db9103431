"""Runs on a real Ray cluster of two nodes are the runs of this machine, whatever dies meanwhile."""

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
from typing import Any

import psutil
import pytest
import ray
import torch
from ray.cluster_utils import Cluster as Nodes

import lrlab
from lrlab import Cosine, Linear
from lrlab.errors import MissingExtra, StudyError, TrainingError
from lrlab.problems import Problem, load_problem
from lrlab.studies import Machine, Protocol, RayCluster, build_plan, plan_first_phase, train_blocks
from lrlab.studies.execution import ray as ray_backend
from lrlab.studies.execution.ray import get_value, put_value
from lrlab.studies.execution.runner import Block, open_backend, plan_blocks
from lrlab.training import Result, Run, Settings
from lrlab.training.engines import Engine
from tests.raising import raises

LOOP, ENSEMBLE = Engine("loop"), Engine("ensemble")

# Ray forks to start its processes, which JAX warns of where another test has imported it.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning"),
]


@pytest.fixture(scope="module")
def iris() -> Problem:
    return load_problem("iris")


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """A head that trains nothing, and two nodes of a core."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    started.add_node(num_cpus=1)
    started.add_node(num_cpus=1)
    yield started
    started.shutdown()
    assert _children() == []


@pytest.fixture(scope="module")
def place(nodes: Nodes) -> Iterator[RayCluster]:
    there = RayCluster(nodes.address)
    with open_backend(there):
        yield there
    assert not ray.is_initialized()


def plan_runs(problem: Problem, epochs: int = 5, seeds: int = 4) -> dict[str, Run]:
    schedules = [Cosine(), Linear(1, 0)]
    return dict(
        plan_first_phase(
            build_plan(problem, schedules, Settings(epochs=epochs), Protocol(seeds))
        ).runs
    )


def make_single_blocks(runs: Mapping[str, Run]) -> list[Block]:
    return [{id: run} for id, run in runs.items()]


def train(problem: Problem, blocks: list[Block], engine: Engine, place: Any) -> dict[str, Result]:
    found: dict[str, Result] = {}
    for together in train_blocks(problem, blocks, engine, place):
        assert not found.keys() & together.keys()
        found |= together
    return found


def _children() -> list[psutil.Process]:
    """Those of this process, but for that of Python's which outlives all other tests."""
    children = psutil.Process().children(recursive=True)
    return [one for one in children if "resource_tracker" not in " ".join(one.cmdline())]


def assert_same(ours: Mapping[str, Result], theirs: Mapping[str, Result]) -> None:
    """Bit for bit, but for the seconds they took."""
    assert ours.keys() == theirs.keys()
    for id, result in ours.items():
        assert replace(result, seconds=0) == replace(theirs[id], seconds=0)


# Before anything is connected.


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1"),
        ("head", "such as 10.0.0.1:6379, got head"),
        ("ray://head:10001", "run lrlab on one of the machines"),
    ],
)
def test_where_no_cluster_is(iris: Problem, address: str, said: str) -> None:
    with raises(StudyError, said):
        train(iris, make_single_blocks(plan_runs(iris)), LOOP, RayCluster(address))


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lrlab.studies.execution.ray")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"pip install 'lrlab\[ray\]'"):
        open_backend(RayCluster())


def test_a_lost_head_ends_the_study_and_leaves_nothing(
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
    (head,) = (child for child in _children() if child.name() == "gcs_server")
    head.kill()
    with raises(StudyError, "Ray cluster was lost", "repeat the command"):
        list(running)
    assert _children() == []
    assert signal.getsignal(signal.SIGTERM) == before


# On one cluster, connected once.


@pytest.mark.parametrize("engine", [LOOP, ENSEMBLE], ids=str)
def test_two_nodes_give_the_bits_of_this_machine(
    iris: Problem, place: RayCluster, engine: Engine
) -> None:
    runs = plan_runs(iris)
    blocks = [{id: runs[id] for id in ids} for ids in plan_blocks(iris, runs, engine, place)]
    assert len(blocks) >= 2
    there = train(iris, blocks, engine, place)
    assert there.keys() == runs.keys()
    assert_same(there, train(iris, blocks, engine, Machine(1)))


def test_a_node_that_dies_costs_only_its_block(
    iris: Problem, nodes: Nodes, place: RayCluster
) -> None:
    blocks = make_single_blocks(plan_runs(iris, epochs=30, seeds=4))
    found: Counter[str] = Counter()
    results: dict[str, Result] = {}
    for together in train_blocks(iris, blocks, LOOP, place):
        if not results:
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
        found.update(together.keys())
        results |= together
    assert len(nodes.worker_nodes) == 1
    nodes.add_node(num_cpus=1)
    assert set(found.values()) == {1}
    assert_same(results, train(iris, blocks, LOOP, Machine(1)))


@dataclass
class Deadly:
    """Builds a network, but kills its process first as often as there are files to remove."""

    folder: Path
    model: Any

    def __call__(self) -> Any:
        for file in self.folder.iterdir():
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.model()


def test_a_killed_worker_costs_only_its_block(
    iris: Problem, place: RayCluster, tmp_path: Path
) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    (tmp_path / "once").touch()
    deadly = replace(iris, model=Deadly(tmp_path, iris.model))
    there = train(deadly, blocks, LOOP, place)
    assert not list(tmp_path.iterdir())
    assert_same(there, train(iris, blocks, LOOP, Machine(1)))


def test_a_block_that_kills_every_worker_is_given_up(
    iris: Problem, place: RayCluster, tmp_path: Path
) -> None:
    for i in range(9):
        (tmp_path / str(i)).touch()
    deadly = replace(iris, model=Deadly(tmp_path, iris.model))
    with raises(StudyError, "block of 1 runs", "4 times", "--memory"):
        train(deadly, make_single_blocks(plan_runs(iris))[:1], LOOP, place)
    assert len(list(tmp_path.iterdir())) == 5


def raise_error(error: Exception) -> None:
    raise error


def test_errors_of_a_task_are_raised_here(iris: Problem, place: RayCluster) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    ours = replace(iris, model=partial(raise_error, TrainingError("the rule.")))
    with pytest.raises(TrainingError, match=r"^the rule\.$"):
        train(ours, blocks, LOOP, place)
    line = raise_error.__code__.co_firstlineno + 1
    theirs = replace(iris, model=partial(raise_error, ValueError("no")))
    where = rf"ValueError: no \(.*test_ray\.py, line {line}, on node [\d.]+\)\.$"
    with pytest.raises(StudyError, match=where):
        train(theirs, blocks, LOOP, place)


def test_code_of_a_script_goes_with_the_problem(
    iris: Problem, place: RayCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a_users_script.py"
    script.write_text(
        "from torch import nn\n"
        "def layer():\n    return nn.Linear(4, 3)\n"
        "def model():\n    return nn.Sequential(layer())\n"
    )
    spec = spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, script.stem, module)
    spec.loader.exec_module(module)
    theirs = replace(iris, model=module.model)
    blocks = make_single_blocks(plan_runs(iris, seeds=1))
    assert_same(train(theirs, blocks, LOOP, place), train(theirs, blocks, LOOP, Machine(1)))


def test_a_task_reads_the_arrays_where_they_lie(place: RayCluster) -> None:
    data = torch.arange(1e6)
    reference = put_value({"x": data})
    once, again = get_value(reference)["x"], get_value.__wrapped__(reference)["x"]
    assert once.equal(data)
    assert once.data_ptr() == again.data_ptr() != data.data_ptr()


def test_stopping_early_cancels_the_tasks(iris: Problem, place: RayCluster) -> None:
    blocks = make_single_blocks(
        {**plan_runs(iris, epochs=1, seeds=1), **plan_runs(iris, epochs=10**6)}
    )
    running = train_blocks(iris, blocks, LOOP, place)
    next(running)
    running.close()
    assert ray.is_initialized()  # the connection was there before
    deadline = time.monotonic() + 30
    while ray.available_resources().get("CPU", 0) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nodes_with_another_version_are_refused(
    iris: Problem, place: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lrlab, "__version__", "0.0.1")
    with raises(StudyError, "lrlab", "0.0.1", "node"):
        train(iris, make_single_blocks(plan_runs(iris)), LOOP, place)


def test_what_the_cluster_has_not_is_not_waited_for(iris: Problem, place: RayCluster) -> None:
    blocks = make_single_blocks(plan_runs(iris))
    with raises(StudyError, "a core and 0.5 of a GPU"):
        train(iris, blocks, LOOP, replace(place, gpus_per_run=0.5))
    with raises(StudyError, "ray.shutdown()"):
        train(iris, blocks, LOOP, RayCluster("10.0.0.1:6379"))
