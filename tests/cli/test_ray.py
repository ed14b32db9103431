"""``lrlab compare --engine ray`` on a real cluster of two nodes, one of which dies in mid-study."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster as Nodes

from lrlab.studies import Store
from lrlab.training import engines
from lrlab.training.engines import Engine, EngineChoice
from tests.cli.stopping import numbers, query

# Ray forks to start its processes, which JAX warns of where another test has imported it.
pytestmark = pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")

STUDY = [
    "compare", "iris", "--schedule", "Cosine()", "--lr", "0.03,0.3", "--momentum", "0",
    "--tuning-seeds", "4", "--widen", "1", "--seeds", "4", "--epochs", "3",
]  # fmt: skip


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """A head that trains nothing, and two nodes of a core."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    started.add_node(num_cpus=1)
    started.add_node(num_cpus=1)
    yield started
    started.shutdown()


def test_the_table_is_that_of_this_machine(
    lrlab: Callable, nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = lrlab(*STUDY, "--engine", "loop", "--workers", 1, "--db", "here.db", "--png", "here.png")
    assert here.code == 0

    add, stored = Store.add_results, []

    def adding(store: Store, *words: object) -> None:
        add(store, *words)
        stored.append(words)
        if len(stored) == 10:  # in the tuning, of 16 runs
            nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)

    monkeypatch.setattr(Store, "add", adding)
    # The loop, whatever is faster here: its runs are bit for bit the same, and one by one.
    choice = EngineChoice(Engine("loop"), "as this test has it", seconds_per_run_step=1e-3)
    monkeypatch.setattr(engines, "select_faster_engine", lambda *words: choice)
    there = lrlab(*STUDY, "--engine", "ray", "--address", nodes.address)
    assert there.code == 0, there.err
    assert len(nodes.worker_nodes) == 1
    assert not ray.is_initialized()

    assert "engine: loop (as this test has it)" in there.err
    where = f"training on the Ray cluster at {nodes.address}: 3 nodes, 2 cores"
    assert where in there.err.splitlines()
    assert there.out.splitlines()[:-1] == here.out.splitlines()[:-1]
    assert numbers(tmp_path / "lrlab.db") == numbers(tmp_path / "here.db")
    planned = "SELECT phase, position, run FROM planned_run ORDER BY phase, position"
    assert query(tmp_path / "lrlab.db", planned) == query(tmp_path / "here.db", planned)
    assert len(stored) == len(numbers(tmp_path / "lrlab.db"))  # each of them once
