"""Measures the overhead of a Ray cluster, for ``docs/scaling.md``.

Starts Ray clusters on this machine, with one and with two nodes of one core, and prints the time of
the connection and of the first block, the time of a block beyond its training, the bytes of a run
when it is sent and in the driver, and the bytes of pending blocks and the time of a poll of them.
The nodes share the cores of this machine with the driver. Writes
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

import psutil
import ray
from ray.cluster_utils import Cluster as Nodes

from lrlab.problems import Problem, load_problem
from lrlab.studies import Protocol, RayCluster, build_plan, plan_first_phase, train_blocks
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
                found["pending blocks"] = measure_pending_blocks(problem, cluster)
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
        wall, training = min(measure_overheads(problem, cluster, BLOCKS) for _ in range(TURNS))
        return {
            "seconds once": once,
            "µs of an empty block": 1e6 * time_empty_tasks(problem),
            "µs of a block": {"wall": 1e6 * wall, "of it training": 1e6 * training},
        }


def time_empty_tasks(problem: Problem) -> float:
    """Return the seconds per block of blocks that train nothing."""

    @ray.remote(num_cpus=1, max_retries=3)
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


def measure_pending_blocks(problem: Problem, cluster: RayCluster) -> dict[str, object]:
    """Return bytes per pending block in the driver, and microseconds by their number.

    Of these blocks none has ended. The times are those of submitting a block, of a poll of all, and
    of cancelling a block.
    """
    run = next(iter(plan_first_phase(build_plan(problem, [], SHORT, Protocol(1))).runs.values()))
    with cluster.open():

        @ray.remote(num_cpus=1, max_retries=3)
        def sleep(*args: object) -> None:
            time.sleep(600)

        arguments, driver = [put_value(problem)], psutil.Process()
        found: dict[str, object] = {}
        for count in (10_000, 1000, 100):
            before, began = driver.memory_info().rss, time.perf_counter()
            references = [sleep.remote([run], arguments, LOOP) for _ in range(count)]
            submitted = time.perf_counter()
            # Later, smaller numbers take memory that these have freed.
            found.setdefault("bytes of a block", (driver.memory_info().rss - before) / count)
            polls = []
            for _ in range(5):
                poll_began = time.perf_counter()
                ray.wait(references, timeout=0)
                polls.append(time.perf_counter() - poll_began)
            cancel_began = time.perf_counter()
            for reference in references:
                ray.cancel(reference, force=True)
            found[f"µs with {count}"] = {
                "submit": 1e6 * (submitted - began) / count,
                "poll": 1e6 * min(polls),
                "cancel": 1e6 * (time.perf_counter() - cancel_began) / count,
            }
        return found


if __name__ == "__main__":
    main()
