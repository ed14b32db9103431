"""Training on a Ray cluster: the connection, its nodes, and one task per block.

Ray itself repeats the tasks of nodes and workers that die, and keeps the problem in its object
store, once on each node.
"""

import os
import pickle
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any

import torch

from lrlab._version import __version__
from lrlab.errors import LrlabError, StudyError, require_package
from lrlab.problems import Trainable
from lrlab.studies.execution.local import count_cores, reduce_tensor
from lrlab.training import Result, Run
from lrlab.training.engines import Engine, keep_freed_memory, use_one_thread
from lrlab.user_code import describe_error, is_library_file, locate_error

with require_package("'lrlab[ray]'"):
    import ray
    from ray import cloudpickle, exceptions

_POLL_SECONDS = 5
"""Seconds between two looks at the cluster, and for its head to accept a connection."""

_MAX_PENDING = 1000
"""Blocks that Ray has at a time; each takes 6 kB here, and every wait looks at all of them."""

_VERSIONS = f"torch {torch.__version__.partition('+')[0]} and lrlab {__version__}"
"""What results depend on; Ray compares its own version and Python's."""

_MAX_RETRIES, _OOM_RETRIES = 3, "RAY_task_oom_retries"
_RESUME_HINT = "repeat the study: runs that are stored are not trained again"


def train_on_ray(
    problem: Trainable, blocks: Sequence[Sequence[Run]], engine: Engine, gpus: float
) -> Generator[tuple[int, list[Result]], None, None]:
    """Train every block on the connected cluster; see ``Backend.train_blocks``.

    A block is a task for one core and ``gpus`` GPUs, which may be a fraction. If a node or a worker
    dies, only its current block runs again, on another node if there is one. An early end cancels
    all tasks. All nodes need the versions of this machine.
    """
    list_slots(gpus)  # raises if the cluster cannot train a block
    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=_MAX_RETRIES)(_train_block)
    waiting, last_poll = enumerate(blocks), time.monotonic()
    pending: dict[ray.ObjectRef[list[Result]], int] = {}
    with _send_user_code():
        # Ray sends a reference in a list as it is, and would replace a plain one by its value.
        arguments = [put_value(problem)], engine, _VERSIONS
        try:
            while True:
                for index, runs in islice(waiting, _MAX_PENDING - len(pending)):
                    pending[task.remote(runs, *arguments)] = index
                if not pending:
                    return
                for reference in ray.wait(list(pending), timeout=_POLL_SECONDS)[0]:
                    index = pending.pop(reference)
                    yield index, _get_results(reference, len(blocks[index]))
                if time.monotonic() - last_poll > _POLL_SECONDS:
                    list_slots(gpus)
                    last_poll = time.monotonic()
        finally:
            for reference in pending:
                ray.cancel(reference, force=True)


def _get_results(reference: "ray.ObjectRef[list[Result]]", run_count: int) -> list[Result]:
    try:
        return list(ray.get(reference))
    except exceptions.RayTaskError as error:
        if isinstance(error.cause, LrlabError):
            raise error.cause from None
        raise StudyError(
            f"a task failed before training began, with {describe_error(error.cause)}; install on "
            "all nodes what this machine has."
        ) from None
    except exceptions.LocalRayletDiedError:
        raise StudyError(f"the Ray cluster was lost; {_RESUME_HINT}.") from None
    except exceptions.RayError as error:
        raise StudyError(
            f"a block of {run_count} runs lost its worker or its node {1 + _MAX_RETRIES} times, "
            f"the last time by {type(error).__name__}; {_RESUME_HINT}. If it is lost again, memory "
            "may be short: start a new study with less `memory`, for smaller blocks."
        ) from None


def _train_block(
    runs: Sequence[Run], problem: "list[ray.ObjectRef[Trainable]]", engine: Engine, versions: str
) -> list[Result]:
    """Train a block in a worker process of a node; the task that Ray calls."""
    node = ray.util.get_node_ip_address()
    if versions != _VERSIONS:
        raise StudyError(
            f"all nodes need the same versions for equal results: the driver has {versions}, the "
            f"node {node} has {_VERSIONS}; install there what the driver has."
        )
    engine.check_available()
    keep_freed_memory()
    try:
        with use_one_thread():
            return engine.train(get_value(problem[0]), runs)
    except LrlabError:
        raise
    except Exception as error:
        raise StudyError(
            f"training failed at {locate_error(error)} on node {node} with {describe_error(error)}."
        ) from None


@contextmanager
def connect(address: str | None) -> Iterator[None]:
    """Connect this process to a cluster as its driver; see ``Backend.open``.

    An existing connection is used and left open. Without an address and without a cluster on this
    machine, a cluster of this machine alone is started, and stopped at the end.
    """
    if ray.is_initialized():
        current = ray.get_runtime_context().gcs_address
        if address not in (None, "auto", "local", current):
            raise StudyError(
                f"this process is connected to the Ray cluster at {current} and cannot use the one "
                f"at {address}, too; call ray.shutdown() first."
            )
        yield
        return
    with ExitStack() as at_exit:
        if threading.current_thread() is threading.main_thread():  # Ray replaces the handler
            at_exit.callback(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        if _OOM_RETRIES not in os.environ:  # then Ray repeats a task that lacks memory forever
            os.environ[_OOM_RETRIES] = str(_MAX_RETRIES)
            at_exit.callback(os.environ.pop, _OOM_RETRIES, None)
        at_exit.callback(ray.shutdown)
        _init_ray(address or os.environ.get("RAY_ADDRESS"))
        yield


def _init_ray(address: str | None) -> None:
    if address and address not in ("auto", "local") and not _is_reachable(address):
        raise StudyError(
            f"no Ray cluster answers at {address}; `address` must be that of its head, such as "
            "10.0.0.1:6379, and lrlab must run on one of its machines: `ray start --head` starts a "
            "cluster, and `ray start --address=HOST:6379` adds a machine to it."
        )
    options: dict[str, Any] = {"num_cpus": count_cores()} if address == "local" else {}
    options |= {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    try:
        ray.init(address or "auto", **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        if isinstance(error, ConnectionError) and not address:  # this machine has no cluster
            return _init_ray("local")
        reason = " ".join(str(error).split()).rstrip(".")
        raise StudyError(f"the Ray cluster cannot be used: {reason}.") from None


def _is_reachable(address: str) -> bool:
    """Return whether an address accepts connections; Ray would wait for minutes, then exit."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_POLL_SECONDS):
            return True
    except (OSError, ValueError, OverflowError):
        return False


def list_slots(gpus: float = 0.0) -> list[float]:
    """Return the bytes of memory for each block that the cluster can train at the same time.

    Raises:
        StudyError: the cluster was lost, or no node has what a block needs.
    """
    if not _is_reachable(ray.get_runtime_context().gcs_address):
        raise StudyError(f"the Ray cluster was lost; {_RESUME_HINT}.")
    slots: list[float] = []
    for resources in (node["Resources"] for node in ray.nodes() if node["Alive"]):
        count = int(resources.get("CPU", 0))
        if gpus:
            count = min(count, int(resources.get("GPU", 0) / gpus))
        slots += [resources.get("memory", 0) / max(count, 1)] * count
    if not slots:
        gpu = f" and {gpus:g} of a GPU" if gpus else ""
        raise StudyError(
            f"a block needs a core{gpu}, but no node of the Ray cluster has that; add a node with "
            "`ray start --address=...`."
        )
    return slots


def get_cluster_info() -> tuple[str, int, int]:
    """Return the address of the connected cluster, and its numbers of nodes and cores."""
    node_count = sum(node["Alive"] for node in ray.nodes())
    return ray.get_runtime_context().gcs_address, node_count, len(list_slots())


def put_value(value: object) -> "ray.ObjectRef[Any]":
    """Put a value into Ray's object store, where tasks read its arrays and tensors in place.

    Raises:
        StudyError: the value cannot be pickled.
    """
    ray.util.register_serializer(
        torch.Tensor, serializer=reduce_tensor, deserializer=lambda call: call[0](*call[1])
    )
    try:
        return ray.put(value)
    except (TypeError, pickle.PicklingError) as error:
        raise StudyError(
            f"the problem must be picklable to reach the nodes, but {error.__cause__ or error}; "
            "create that inside a function of the problem."
        ) from None
    finally:
        ray.util.deregister_serializer(torch.Tensor)


@lru_cache(maxsize=1)
def get_value(reference: "ray.ObjectRef[Any]") -> Any:
    """Return the value in a task; each worker process unpickles it once."""
    with warnings.catch_warnings():
        # Torch has no read-only tensors; training never writes to data.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return ray.get(reference)


@contextmanager
def _send_user_code() -> Iterator[None]:
    """Let Ray send the code of modules that are not installed, such as a user's script."""
    with ExitStack() as at_exit:
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            is_sent = name == "__main__" or name in cloudpickle.list_registry_pickle_by_value()
            if file and name == module.__name__ and not is_sent and not is_library_file(file):
                cloudpickle.register_pickle_by_value(module)
                at_exit.callback(cloudpickle.unregister_pickle_by_value, module)
        yield
