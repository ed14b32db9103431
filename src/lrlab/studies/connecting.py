"""The connection to a Ray cluster: made quietly, checked, and closed by whoever made it."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lrlab.errors import StudyError, require_package
from lrlab.studies.places import RayCluster, count_cores

with require_package("'lrlab[ray]'"):
    import ray

_CONNECT_TIMEOUT = 5
"""Seconds that the head of a cluster may take to accept a connection."""

_START_HINT = "`ray start --head` starts one, and `ray start --address=HOST:6379` adds a machine to it"


@contextmanager
def connect_to_cluster(cluster: RayCluster) -> Iterator[None]:
    """This process as a driver on a cluster, for as long as the context lasts.

    A connection that this process has already is used and left open. Where there is neither an
    address nor a cluster on this machine, one of this machine alone is started, and ended.

    Raises:
        StudyError: there is no such cluster, or it has another version of Ray or Python.
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
    """Whether somebody listens there; Ray itself waits for minutes, and then ends this process."""
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
    except (ConnectionError, RuntimeError, ValueError) as error:  # what Ray refuses, it explains
        raise StudyError(f"the Ray cluster cannot be used: {_to_one_line(error)}; {_START_HINT}.") from None


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise StudyError(
            f"the address of a Ray cluster must be that of its head, such as 10.0.0.1:6379, got "
            f"{address}; run lrlab on one of its machines."
        )
    if not is_reachable(address):
        raise StudyError(f"no Ray cluster answers at {address}; {_START_HINT}.")


def _check_same_cluster(address: str | None, current_address: str) -> None:
    if address not in (None, "auto", "local", current_address):
        raise StudyError(
            f"this process is connected to the Ray cluster at {current_address} already, and cannot use "
            f"that at {address} too; call ray.shutdown() first."
        )


@contextmanager
def _restore_sigterm() -> Iterator[None]:
    """Ray has SIGTERM raise SystemExit in its driver; what the caller had is set again."""
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
    """A cluster started here reports nothing to anybody; others do as they were told."""
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
