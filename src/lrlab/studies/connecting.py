"""The connection to a Ray cluster: made quietly, checked, and closed by whoever made it."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lrlab.errors import StudyError, needs
from lrlab.studies.places import Cluster, cores

with needs("'lrlab[ray]'"):
    import ray

_PATIENCE = 5
"""Seconds that the head of a cluster may take to accept a connection."""

_HOW = "`ray start --head` starts one, and `ray start --address=HOST:6379` adds a machine to it"


@contextmanager
def connected(cluster: Cluster) -> Iterator[None]:
    """This process as a driver on a cluster, for as long as the context lasts.

    A connection that this process has already is used and left open. Where there is neither an
    address nor a cluster on this machine, one of this machine alone is started, and ended.

    Raises:
        StudyError: there is no such cluster, or it has another version of Ray or Python.
        MissingExtra: Ray is not installed.
    """
    if ray.is_initialized():
        _checked_same(cluster.address, ray.get_runtime_context().gcs_address)
        yield
        return
    with _terminated_as_before():
        _connect(cluster.address)
        try:
            yield
        finally:
            ray.shutdown()


def reachable(address: str) -> bool:
    """Whether somebody listens there; Ray itself waits for minutes, and then ends this process."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _connect(address: str | None) -> None:
    known = address or os.environ.get("RAY_ADDRESS") or "auto"
    if known not in ("auto", "local"):
        _check_address(known)
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    try:
        if known != "local":
            try:
                ray.init(known, **quiet)
                return
            except ConnectionError:
                if known != "auto" or address == "auto":
                    raise
        with _no_usage_statistics():
            ray.init("local", num_cpus=cores(), **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:  # what Ray refuses, it explains
        raise StudyError(f"the Ray cluster cannot be used: {_one_line(error)}; {_HOW}.") from None


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise StudyError(
            f"the address of a Ray cluster must be that of its head, such as 10.0.0.1:6379, got "
            f"{address}; run lrlab on one of its machines."
        )
    if not reachable(address):
        raise StudyError(f"no Ray cluster answers at {address}; {_HOW}.")


def _checked_same(address: str | None, joined: str) -> None:
    if address not in (None, "auto", "local", joined):
        raise StudyError(
            f"this process is connected to the Ray cluster at {joined} already, and cannot use "
            f"that at {address} too; call ray.shutdown() first."
        )


@contextmanager
def _terminated_as_before() -> Iterator[None]:
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
def _no_usage_statistics() -> Iterator[None]:
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


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
