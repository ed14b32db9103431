"""Measures the overhead of a Ray cluster, for ``docs/scaling.md``.

Starts Ray clusters on this machine, with one and with two nodes of one core, and prints the time of
the connection and of the first block, the time of a block beyond its training by the number of
blocks per core, the bytes of a run when it is sent and in the driver, and the time of a poll of
running blocks. The nodes share the cores of this machine with the driver. Writes
``benchmarks/results/scaling.json``:

    python benchmarks/scaling.py
"""

import json
import pickle
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.cluster_utils import Cluster as Nodes

from lrlab.problems import Problem, load_problem
from lrlab.studies import Protocol, RayCluster, build_plan, plan_first_phase, train_blocks
from lrlab.studies.execution import ray as ray_backend
from lrlab.studies.execution.ray import put_value
from lrlab.training import Settings, loop
from lrlab.training.engines import LoopEngine

LOOP = LoopEngine()
BLOCKS, TURNS = 120, 3
SHORT, USUAL = Settings(epochs=1), Settings(epochs=50)
RESULTS = Path(__file__).parent / "results" / "scaling.json"


def main() -> None:
    problem = load_problem("iris")
    found: dict[str, object] = {"sizes": measure_sizes(problem)}
    for count in (1, 2):
        with start_nodes(count) as cluster:
            found[f"{count} nodes"] = time_spreading(problem, cluster)
            if count == 1:
                found["µs of a look at tasks under way"] = measure_poll(cluster)
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(found, indent=1, ensure_ascii=False))


@contextmanager
def start_nodes(count: int) -> Iterator[RayCluster]:
    """Start a head that trains nothing, and ``count`` nodes of one core."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(count):
            started.add_node(num_cpus=1)
        yield RayCluster(started.address)
    finally:
        started.shutdown()


def time_spreading(problem: Problem, cluster: RayCluster) -> dict[str, object]:
    """Return the seconds of connecting and warming up, and microseconds of wall time per block."""
    began = time.perf_counter()
    with cluster.open():
        connected = time.perf_counter()
        measure_overheads(problem, cluster, 20)
        warm = time.perf_counter()
        once = {"connection": connected - began, "until workers are warm": warm - connected}
        default, by_blocks_per_slot = ray_backend._BLOCKS_PER_SLOT, {}
        for blocks_per_slot in (1, default, 4 * default):
            ray_backend._BLOCKS_PER_SLOT = blocks_per_slot
            turns = [measure_overheads(problem, cluster, BLOCKS) for _ in range(TURNS)]
            by_blocks_per_slot[blocks_per_slot] = min(turns)
        ray_backend._BLOCKS_PER_SLOT = default
        return {
            "seconds once": once,
            "µs of an empty block": 1e6 * time_empty_tasks(problem),
            "per block, by blocks ahead of a core": {
                k: {"wall": 1e6 * wall, "of it training": 1e6 * training}
                for k, (wall, training) in by_blocks_per_slot.items()
            },
        }


def time_empty_tasks(problem: Problem) -> float:
    """Return the seconds per block of blocks that train nothing."""

    @ray.remote(num_cpus=1, max_retries=0)
    def do_nothing(*args: object) -> None:
        pass

    runs = list(plan_first_phase(build_plan(problem, [], SHORT, Protocol(BLOCKS))).runs.values())
    reference, turns = put_value(problem), []
    for _ in range(TURNS + 1):  # the first starts workers
        began = time.perf_counter()
        ray.get([do_nothing.remote([reference], [run], LOOP) for run in runs])
        turns.append((time.perf_counter() - began) / len(runs))
    return min(turns)


def measure_overheads(problem: Problem, cluster: RayCluster, blocks: int) -> tuple[float, float]:
    """Return the wall time per block, and the mean training time of a block."""
    runs = plan_first_phase(build_plan(problem, [], SHORT, Protocol(blocks))).runs
    blocks_to_train = [{run_id: run} for run_id, run in runs.items()][:blocks]
    began = time.perf_counter()
    ended = list(train_blocks(problem, blocks_to_train, LOOP, cluster))
    wall = time.perf_counter() - began
    trained = statistics.fmean(r.seconds for results in ended for r in results.values())
    return wall / len(blocks_to_train), trained


def measure_sizes(problem: Problem) -> dict[str, float]:
    """Return the bytes per run: sent to a node and back, and in the memory of the driver."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    runs = plan_first_phase(build_plan(problem, [], USUAL, Protocol(5000))).runs
    planned = (tracemalloc.get_traced_memory()[0] - before) / len(runs)
    result = pickle.dumps(loop.train(problem, next(iter(runs.values()))))
    before = tracemalloc.get_traced_memory()[0]
    results = [pickle.loads(result) for _ in range(5000)]
    result_bytes = (tracemalloc.get_traced_memory()[0] - before) / len(results)
    tracemalloc.stop()
    sent_runs = list(runs.values())[:100]
    return {
        "planned in the driver": planned,
        "result in the driver": result_bytes,
        "sent to a node, alone": len(pickle.dumps(sent_runs[:1])),
        "sent to a node, among 100": len(pickle.dumps(sent_runs)) / len(sent_runs),
        "sent back": len(result),
    }


def measure_poll(cluster: RayCluster) -> dict[int, float]:
    """Return the microseconds of a poll by the number of running tasks, none of which has ended."""
    with cluster.open():

        @ray.remote(num_cpus=1)
        def sleep() -> None:
            time.sleep(600)

        found = {}
        for count in (100, 1000, 10_000):
            references = [sleep.remote() for _ in range(count)]
            turns = []
            for _ in range(5):
                began = time.perf_counter()
                ray.wait(references, num_returns=count, timeout=0)
                turns.append(time.perf_counter() - began)
            found[count] = 1e6 * min(turns)
            for reference in references:
                ray.cancel(reference, force=True)
        return found


if __name__ == "__main__":
    main()
