"""Training on a Ray cluster: the connection, its nodes, and one task per block."""

import os
import pickle
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import packages_distributions
from types import ModuleType
from typing import Any

import numpy as np

from lrlab.errors import LrlabError, StudyError, pluralize, require_package
from lrlab.problems import Trainable
from lrlab.studies.execution.backends import Machine, RayCluster, count_cores
from lrlab.studies.execution.local import pickle_out_of_band, reduce_tensor
from lrlab.training import Result, Run
from lrlab.training.engines import Engine, keep_freed_memory, use_one_thread

with require_package("'lrlab[ray]'"):
    import ray
    from ray import cloudpickle, exceptions
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

Node = dict[str, Any]

_CONNECT_TIMEOUT = 5
"""Seconds that the head of a cluster may take to accept a connection."""

_POLL_SECONDS = 5
"""Seconds between two looks at the nodes of the cluster."""

_BLOCKS_PER_SLOT = 2
"""Blocks handed to Ray for each core: one trains, one waits for its end."""

_MAX_TRIES = 4
_LOSS_ERRORS = (
    exceptions.NodeDiedError,
    exceptions.ObjectLostError,
    exceptions.OutOfMemoryError,
    exceptions.WorkerCrashedError,
)
_START_HINT = (
    "`ray start --head` starts one, and `ray start --address=HOST:6379` adds a machine to it"
)
_RESUME_HINT = "finished runs are stored: repeat the command to do the others"


def to_machine(cluster: RayCluster) -> Machine:
    """Return the cluster as one machine: a worker per core, and the memory of all of them.

    Raises:
        StudyError: the cluster does not exist, or has no cores.
    """
    with connect_to_cluster(cluster):
        return pool_nodes(cluster.memory)


def train_on_ray(
    problem: Trainable, blocks: Sequence[Mapping[str, Run]], engine: Engine, cluster: RayCluster
) -> Generator[tuple[int, list[Result]], None, None]:
    """Train every block and yield its index in ``blocks`` and its results.

    A block is a task for one core. If a node or a worker dies, only its current block runs again,
    on another node if there is one. An early end cancels all tasks and leaves the cluster running.

    Args:
        problem: what is trained; sent once, and shared by the tasks of a node.
        blocks: they start in this order.
        engine: what trains them; on a device, every block has one GPU of the cluster.
        cluster: where.

    Raises:
        StudyError: the cluster does not exist or was lost, its nodes have other versions of torch
            or lrlab, or a block lost its worker several times.
        LrlabError: raised by a task.
    """
    resources = _get_block_resources(engine, cluster)
    with connect_to_cluster(cluster):
        count_slots(resources)
        check_versions()
        tasks = _TaskPool(blocks, engine, resources, put_value(problem))
        try:
            yield from tasks.iter_results()
        except exceptions.LocalRayletDiedError:
            raise StudyError(f"the Ray cluster was lost; {_RESUME_HINT}.") from None
        finally:
            tasks.cancel()


@dataclass
class _TaskPool:
    """The tasks of a study: waiting and running ones, and how often each block was lost."""

    blocks: Sequence[Mapping[str, Run]]
    engine: Engine
    resources: "BlockResources"
    problem_ref: "ray.ObjectRef[Any]"
    running: dict["ray.ObjectRef[Any]", int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.blocks)))
        self.loss_counts = Counter[int]()
        # Ray would repeat a task that runs out of memory forever, so retries are counted here.
        self.remote_task = ray.remote(
            num_cpus=self.resources.cpus, num_gpus=self.resources.gpus, max_retries=0
        )(_train_task)

    def iter_results(self) -> Generator[tuple[int, list[Result]], None, None]:
        capacity, last_poll = _BLOCKS_PER_SLOT * count_slots(self.resources), time.monotonic()
        while self.waiting or self.running:
            if time.monotonic() - last_poll > _POLL_SECONDS:
                capacity = _BLOCKS_PER_SLOT * count_slots(self.resources)
                last_poll = time.monotonic()
            while self.waiting and len(self.running) < capacity:
                self._start(self.waiting.popleft())
            for reference in _wait_for_ended(list(self.running)):
                block_index = self.running.pop(reference)
                try:
                    results = ray.get(reference)
                except exceptions.RayTaskError as error:
                    raise _get_cause(error) from None
                except _LOSS_ERRORS:
                    self._requeue(block_index)
                else:
                    yield block_index, results

    def cancel(self) -> None:
        for reference in self.running:
            ray.cancel(reference, force=True)

    def _start(self, block_index: int) -> None:
        runs = list(self.blocks[block_index].values())
        # Ray sends a reference in a list as it is, and would replace a plain one by its value.
        reference = self.remote_task.remote([self.problem_ref], runs, self.engine)
        self.running[reference] = block_index

    def _requeue(self, block_index: int) -> None:
        self.loss_counts[block_index] += 1
        if self.loss_counts[block_index] == _MAX_TRIES:
            raise StudyError(
                f"a block of {len(self.blocks[block_index])} runs lost its worker or its node "
                f"{_MAX_TRIES} times; {_RESUME_HINT}. If it is lost again, memory may be short: "
                "delete the study (lrlab delete) and start it with less --memory, for smaller "
                "blocks."
            )
        self.waiting.appendleft(block_index)


def _wait_for_ended(references: list["ray.ObjectRef[Any]"]) -> list["ray.ObjectRef[Any]"]:
    """Wait for the first task to end, and return all that have; none after a timeout."""
    ended, running = ray.wait(references, timeout=_POLL_SECONDS)
    if ended and running:
        ended += ray.wait(running, num_returns=len(running), timeout=0)[0]
    return list(ended)


def _get_block_resources(engine: Engine, cluster: RayCluster) -> "BlockResources":
    if ":" in engine.device:
        raise StudyError(
            f"Ray assigns the GPU of a block, so device must be cuda without a number, got "
            f"{engine.device}."
        )
    return BlockResources(gpus=cluster.gpus_per_run or float(engine.device != "cpu"))


def _train_task(
    problem_refs: list["ray.ObjectRef[Any]"], runs: Sequence[Run], engine: Engine
) -> list[Result]:
    """Train one block in a worker process of a node."""
    keep_freed_memory()
    with use_one_thread():
        try:
            return engine.train(get_value(problem_refs[0]), runs)
        except LrlabError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise StudyError(
                f"training failed with {type(error).__name__}: {error} ({last.filename}, line "
                f"{last.lineno}, on node {ray.util.get_node_ip_address()})."
            ) from None


def _get_cause(error: exceptions.RayTaskError) -> Exception:
    cause = error.cause
    if isinstance(cause, LrlabError):
        return cause
    return StudyError(
        f"a task failed before training began, with {type(cause).__name__}: {cause}; install on "
        "all nodes what this machine has."
    )


@contextmanager
def connect_to_cluster(cluster: RayCluster) -> Iterator[None]:
    """Connect this process to a cluster as a driver, for as long as the context lasts.

    An existing connection is used and left open. Without an address and without a cluster on this
    machine, a cluster of this machine alone is started, and stopped at the end.

    Raises:
        StudyError: the cluster does not exist, or has another version of Ray or Python.
        MissingExtra: Ray is not installed.
    """
    if ray.is_initialized():
        _check_same_cluster(cluster.address, ray.get_runtime_context().gcs_address)
        yield
        return
    with _restore_sigterm():
        _init_ray(cluster.address)
        try:
            yield
        finally:
            ray.shutdown()


def is_reachable(address: str) -> bool:
    """Return whether an address accepts connections; Ray would wait for minutes, then exit."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_CONNECT_TIMEOUT):
            return True
    except OSError:
        return False


def _init_ray(address: str | None) -> None:
    resolved = address or os.environ.get("RAY_ADDRESS") or "auto"
    if resolved not in ("auto", "local"):
        _check_address(resolved)
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    try:
        if resolved != "local":
            try:
                ray.init(resolved, **quiet)
                return
            except ConnectionError:
                if resolved != "auto" or address == "auto":
                    raise
        with _disable_usage_stats():
            ray.init("local", num_cpus=count_cores(), **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:  # Ray explains these
        raise StudyError(
            f"the Ray cluster cannot be used: {_to_one_line(error)}; {_START_HINT}."
        ) from None


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise StudyError(
            f"address must be that of the head of a Ray cluster, such as 10.0.0.1:6379, got "
            f"{address}; run lrlab on one of the machines of the cluster."
        )
    if not is_reachable(address):
        raise StudyError(f"no Ray cluster answers at {address}; {_START_HINT}.")


def _check_same_cluster(address: str | None, current_address: str) -> None:
    if address not in (None, "auto", "local", current_address):
        raise StudyError(
            f"this process is connected to the Ray cluster at {current_address} and cannot use the "
            f"one at {address}, too; call ray.shutdown() first."
        )


@contextmanager
def _restore_sigterm() -> Iterator[None]:
    """Restore the SIGTERM handler, which Ray replaces in its driver."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _disable_usage_stats() -> Iterator[None]:
    """Disable the usage reports of a cluster that is started here."""
    name = "RAY_USAGE_STATS_ENABLED"
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _to_one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")


@dataclass(frozen=True)
class BlockResources:
    """The resources that a block needs on a node: cores, and GPUs or a fraction of one."""

    gpus: float = 0.0
    cpus: int = 1

    def count_blocks(self, node: Node) -> int:
        """Return the number of blocks that a node can train at a time."""
        resources = node["Resources"]
        cores = int(resources.get("CPU", 0)) // self.cpus
        return min(cores, int(resources.get("GPU", 0) / self.gpus)) if self.gpus else cores


def count_slots(resources: BlockResources) -> int:
    """Return the number of blocks that all nodes can train at a time.

    Raises:
        StudyError: the cluster was lost, or no node has what a block needs.
    """
    slots = sum(map(resources.count_blocks, _list_alive_nodes()))
    if not slots:
        gpu = f" and {resources.gpus:g} of a GPU" if resources.gpus else ""
        raise StudyError(
            f"a block needs a core{gpu}, but no node of the Ray cluster has that; add a node with "
            f"`ray start --address=...`; {_RESUME_HINT}."
        )
    return slots


def describe_cluster() -> str:
    """Return the address and the size of the connected cluster in words."""
    nodes, cores = len(_list_alive_nodes()), count_slots(BlockResources())
    address = ray.get_runtime_context().gcs_address
    return f"the Ray cluster at {address}: {pluralize(nodes, 'node')}, {pluralize(cores, 'core')}"


def pool_nodes(memory: int | None) -> Machine:
    """Return all nodes as one machine.

    Args:
        memory: bytes for all cores together; if omitted, the smallest memory per core of any node,
            as Ray counts it for tasks, times the number of cores.
    """
    workers = count_slots(BlockResources())
    memory_per_core = [
        node["Resources"].get("memory", 0) / BlockResources().count_blocks(node)
        for node in _list_alive_nodes()
        if BlockResources().count_blocks(node)
    ]
    return Machine(workers, memory or int(workers * min(memory_per_core)))


def check_versions() -> None:
    """Check that all nodes have this machine's versions of torch and lrlab.

    Ray itself compares the versions of Python and Ray.

    Raises:
        StudyError: a node has another version, or none.
    """

    # A nested function is sent by value: a node may lack lrlab.
    def get_versions() -> dict[str, str]:
        from importlib import import_module, metadata

        versions = {"torch": "none", "lrlab": "none"}
        try:
            versions["torch"] = metadata.version("torch").partition("+")[0]
            versions["lrlab"] = import_module("lrlab").__version__
        except (metadata.PackageNotFoundError, ImportError):
            pass
        return versions

    own_versions = get_versions()
    for node, node_versions in _run_on_nodes(get_versions).items():
        for name in own_versions:
            if node_versions[name] != own_versions[name]:
                raise StudyError(
                    f"all nodes need the same {name} for equal results: this machine has version "
                    f"{own_versions[name]}, the node {node} has {node_versions[name]}; install "
                    f"{own_versions[name]} there."
                )


def _run_on_nodes(function: Any) -> dict[str, dict[str, str]]:
    """Run a function on all nodes; return the results by address, without nodes that died."""
    node_addresses = {}
    for node in _list_alive_nodes():
        if BlockResources().count_blocks(node):
            strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = ray.remote(num_cpus=0, scheduling_strategy=strategy)(function)
            node_addresses[task.remote()] = node["NodeManagerAddress"]
    results = {}
    for reference, address in node_addresses.items():
        try:
            results[address] = ray.get(reference)
        except exceptions.RayError:  # the node died meanwhile
            continue
    return results


def _list_alive_nodes() -> list[Node]:
    """Return the nodes that are alive.

    It checks the head first: Ray would wait a minute for a lost one, and then exit this process.
    """
    if not is_reachable(ray.get_runtime_context().gcs_address):
        raise StudyError(f"the Ray cluster was lost; {_RESUME_HINT}.")
    return [node for node in ray.nodes() if node["Alive"]]


def put_value(value: object) -> "ray.ObjectRef[Any]":
    """Put a value into Ray's object store, its arrays apart, so that no task copies them.

    Code of modules that are not installed, such as a user's script, is sent with it.

    Raises:
        StudyError: the value cannot be pickled.
    """
    with _pickle_scripts_by_value():
        parts = pickle_out_of_band(value, _CloudTensorPickler)
    return ray.put([np.frombuffer(part, np.uint8) for part in parts])


@lru_cache(maxsize=1)
def get_value(reference: "ray.ObjectRef[Any]") -> Any:
    """Return the value in a task; each worker process unpickles it once."""
    code, *arrays = ray.get(reference)
    with warnings.catch_warnings():
        # Torch has no read-only tensors; training never writes to data.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return pickle.loads(code, buffers=arrays)


class _CloudTensorPickler(cloudpickle.CloudPickler):
    def reducer_override(self, value: object) -> Any:
        array = reduce_tensor(value)
        return super().reducer_override(value) if array is NotImplemented else array


@contextmanager
def _pickle_scripts_by_value() -> Iterator[None]:
    registered = [module for module in _list_script_modules() if not _is_pickled_by_value(module)]
    for module in registered:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def _is_pickled_by_value(module: ModuleType) -> bool:
    return module.__name__ in cloudpickle.list_registry_pickle_by_value()


def _list_script_modules() -> list[ModuleType]:
    """Return the modules of this process that belong to no installed distribution."""
    installed = {*sys.stdlib_module_names, *packages_distributions(), "lrlab", "__main__"}
    return [
        module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] not in installed
        and getattr(module, "__file__", None)
        and getattr(module, "__name__", None) == name
    ]
