"""What spreading a study over nodes costs, for docs/scaling.md.

Starts Ray clusters of this machine alone, with one and with two nodes of one core, and prints: how
long a connection, a look at the nodes and the first block take; what a block costs beyond its
training, by how many are held ahead; the bytes of a run on its way and in the driver; and how long
the driver looks through what is under way. Two nodes share this machine's cores with the driver,
so that they are two of four processes that want them. Writes ``benchmarks/results/scaling.json``:

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
from lrlab.studies.execution.runner import open_backend
from lrlab.training import Settings, loop
from lrlab.training.engines import Engine

LOOP = Engine("loop")
BLOCKS, TURNS = 120, 3
SHORT, USUAL = Settings(epochs=1), Settings(epochs=50)
RESULTS = Path(__file__).parent / "results" / "scaling.json"


def main() -> None:
    problem = load_problem("iris")
    found: dict[str, object] = {"sizes": measure_sizes(problem)}
    for count in (1, 2):
        with start_nodes(count) as place:
            found[f"{count} nodes"] = time_spreading(problem, place)
            if count == 1:
                found["µs of a look at tasks under way"] = measure_waiting(place)
    RESULTS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps(found, indent=1, ensure_ascii=False))


@contextmanager
def start_nodes(count: int) -> Iterator[RayCluster]:
    """A head that trains nothing, and so many nodes of one core."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        for _ in range(count):
            started.add_node(num_cpus=1)
        yield RayCluster(started.address)
    finally:
        started.shutdown()


def time_spreading(problem: Problem, place: RayCluster) -> dict[str, object]:
    """Seconds of what comes once, and microseconds of the cluster's wall time per block."""
    began = time.perf_counter()
    with open_backend(place):
        connected = time.perf_counter()
        measure_overheads(problem, place, 20)
        warm = time.perf_counter()
        once = {"connection": connected - began, "until workers are warm": warm - connected}
        usual, ahead = ray_backend._BLOCKS_PER_SLOT, {}
        for held_ahead in (1, usual, 4 * usual):
            ray_backend._BLOCKS_PER_SLOT = held_ahead
            turns = [measure_overheads(problem, place, BLOCKS) for _ in range(TURNS)]
            ahead[held_ahead] = min(turns)
        ray_backend._BLOCKS_PER_SLOT = usual
        return {
            "seconds once": once,
            "µs of an empty block": 1e6 * time_empty_tasks(problem),
            "per block, by blocks ahead of a core": {
                k: {"wall": 1e6 * wall, "of it training": 1e6 * training}
                for k, (wall, training) in ahead.items()
            },
        }


def time_empty_tasks(problem: Problem) -> float:
    """Seconds per block of those that are sent, do nothing and come back."""

    @ray.remote(num_cpus=1, max_retries=0)
    def nothing(*args: object) -> None:
        pass

    runs = list(plan_first_phase(build_plan(problem, [], SHORT, Protocol(BLOCKS))).runs.values())
    reference, turns = put_value(problem), []
    for _ in range(TURNS + 1):  # the first starts workers
        began = time.perf_counter()
        ray.get([nothing.remote([reference], [run], LOOP) for run in runs])
        turns.append((time.perf_counter() - began) / len(runs))
    return min(turns)


def measure_overheads(problem: Problem, place: RayCluster, blocks: int) -> tuple[float, float]:
    """Wall time per block, and the mean time that a block was trained."""
    runs = plan_first_phase(build_plan(problem, [], SHORT, Protocol(blocks))).runs
    each = [{run_id: run} for run_id, run in runs.items()][:blocks]
    began = time.perf_counter()
    ended = list(train_blocks(problem, each, LOOP, place))
    wall = time.perf_counter() - began
    trained = statistics.fmean(r.seconds for results in ended for r in results.values())
    return wall / len(each), trained


def measure_sizes(problem: Problem) -> dict[str, float]:
    """Bytes per run: on its way to a node and back, and of the driver's memory."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    runs = plan_first_phase(build_plan(problem, [], USUAL, Protocol(5000))).runs
    planned = (tracemalloc.get_traced_memory()[0] - before) / len(runs)
    result = pickle.dumps(loop.train(problem, next(iter(runs.values()))))
    before = tracemalloc.get_traced_memory()[0]
    results = [pickle.loads(result) for _ in range(5000)]
    kept = (tracemalloc.get_traced_memory()[0] - before) / len(results)
    tracemalloc.stop()
    some = list(runs.values())[:100]
    return {
        "planned in the driver": planned,
        "result in the driver": kept,
        "sent to a node, alone": len(pickle.dumps(some[:1])),
        "sent to a node, among 100": len(pickle.dumps(some)) / len(some),
        "sent back": len(result),
    }


def measure_waiting(place: RayCluster) -> dict[int, float]:
    """Microseconds of one look through so many tasks under way, none of which has ended."""
    with open_backend(place):

        @ray.remote(num_cpus=1)
        def never() -> None:
            time.sleep(600)

        found = {}
        for count in (100, 1000, 10_000):
            under_way = [never.remote() for _ in range(count)]
            turns = []
            for _ in range(5):
                began = time.perf_counter()
                ray.wait(under_way, num_returns=count, timeout=0)
                turns.append(time.perf_counter() - began)
            found[count] = 1e6 * min(turns)
            for reference in under_way:
                ray.cancel(reference, force=True)
        return found


if __name__ == "__main__":
    main()
