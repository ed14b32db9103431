"""Worker processes: single-threaded, stopped in order, and gone as soon as their parent is."""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

import torch

from lrlab.errors import StudyError

R = TypeVar("R")


def in_workers(
    task: Callable[..., R], calls: Sequence[tuple[Any, ...]], workers: int
) -> Generator[tuple[int, R], None, None]:
    """Calls a function with each tuple of arguments; yields its place and what came as it ends.

    Args:
        task: a function at the top of a module.
        calls: its arguments; they start in this order.
        workers: how many processes.

    Raises:
        StudyError: a worker process died.
    """
    others, ours = set(active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        with _interrupts_ignored_by_children():
            places = {pool.submit(task, *call): place for place, call in enumerate(calls)}
        ours = set(active_children()) - others  # all are started by now
        for future in as_completed(places):
            yield places.pop(future), future.result()
    except BrokenProcessPool:
        raise StudyError(
            "a worker process died; the runs that ended are kept: repeat the command to do the "
            "others. If it dies again, memory may be short (fewer --workers, less --memory), or a "
            'script of yours that calls lrlab lacks its `if __name__ == "__main__":`.'
        ) from None
    except BaseException:
        # Interrupted: what the workers are at would be thrown away, so nobody waits for it.
        for worker in ours:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare() -> None:
    """Makes a worker: one thread, and gone as soon as its parent is."""
    torch.set_num_threads(1)  # threads of small products only wait for each other
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _interrupts_ignored_by_children() -> Iterator[None]:
    """Lets Ctrl-C reach the parent alone, which stops its workers in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
