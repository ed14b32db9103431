"""``lrlab compare --engine ray`` on a real cluster of two nodes, one of which dies meanwhile."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from lrlab.studies import Store
from lrlab.training import probing
from lrlab.training.engines import LoopEngine
from lrlab.training.probing import EngineChoice, EngineReason
from tests.cli.conftest import Lrlab
from tests.cli.database import query, read_numbers

pytestmark = pytest.mark.integration

STUDY = [
    "compare", "iris", "--schedule", "Cosine()", "--lr", "0.03,0.3", "--momentum", "0",
    "--tuning-seeds", "4", "--grid-extensions", "1", "--seeds", "4", "--epochs", "3",
]  # fmt: skip


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A head that trains nothing, and two nodes of one core each."""
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    started.add_node(num_cpus=1)
    started.add_node(num_cpus=1)
    yield started
    started.shutdown()


def test_the_report_is_that_of_this_machine(
    lrlab: Lrlab, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = lrlab(*STUDY, "--engine", "loop", "--workers", 1, "--db", "local.db")
    assert local.code == 0

    add_results, stored = Store.add_results, []

    def add_results_and_kill(store: Store, *arguments: object) -> None:
        add_results(store, *arguments)
        stored.append(arguments)
        if len(stored) == 10:  # of 16 tuning runs
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    monkeypatch.setattr(Store, "add_results", add_results_and_kill)
    # The loop, whatever is faster here: its runs are bit for bit the same, and stored one by one.
    choice = EngineChoice(LoopEngine(), EngineReason.REQUESTED, seconds_per_run_step=1e-3)
    monkeypatch.setattr(probing, "select_faster_engine", lambda *arguments: choice)
    remote = lrlab(*STUDY, "--engine", "ray", "--address", cluster.address)
    assert remote.code == 0, remote.err
    assert len(cluster.worker_nodes) == 1
    assert not ray.is_initialized()

    assert "engine: loop (as requested)" in remote.err
    assert f"training on the Ray cluster at {cluster.address}: 3 nodes, 2 cores" in remote.err
    assert remote.out.splitlines()[:-1] == local.out.splitlines()[:-1]
    assert read_numbers(tmp_path / "lrlab.db") == read_numbers(tmp_path / "local.db")
    planned = "SELECT phase, position, run FROM planned_run ORDER BY phase, position"
    assert query(tmp_path / "lrlab.db", planned) == query(tmp_path / "local.db", planned)
    assert len(stored) == len(read_numbers(tmp_path / "lrlab.db"))  # each of them once
