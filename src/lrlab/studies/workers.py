"""Worker processes: single-threaded, stopped in order, and gone as soon as their parent is."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from math import ceil
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import torch

from lrlab.errors import StudyError
from lrlab.training.threads import keep_freed_memory

R = TypeVar("R")


def run_in_workers(
    task: Callable[..., R],
    calls: Sequence[tuple[Any, ...]],
    run_here: Callable[[int], R],
    workers: int,
) -> Generator[tuple[int, R], None, None]:
    """Does every call once, in this process and in others; yields its place and what came of it.

    This process is one of the workers and has its share of the calls. The others take seconds to
    start: when it has done its share before they are there, it goes on with theirs. What has ended
    in them is noticed between its own calls.

    Args:
        task: a function at the top of a module, for the other processes.
        calls: its arguments.
        run_here: does the call of a place in this process.
        workers: how many processes, this one among them.

    Raises:
        StudyError: a worker process died.
    """
    context = get_context("spawn")
    workers_started, done_queue = context.Event(), SimpleQueue[Future[R]]()
    other_children, worker_processes = set(active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(
        max(1, workers - 1), mp_context=context, initializer=_init_worker, initargs=(workers_started,)
    )
    own_count = ceil(len(calls) / workers)
    try:
        with _ignore_interrupts_in_children():
            index_of = {pool.submit(task, *call): own_count + i for i, call in enumerate(calls[own_count:])}
        worker_processes = set(active_children()) - other_children  # all are started by now
        for future in index_of:
            future.add_done_callback(done_queue.put)
        for index in range(own_count):
            yield index, run_here(index)
            while not done_queue.empty():
                future = done_queue.get()
                yield index_of.pop(future), future.result()
        while index_of and not workers_started.is_set():
            future, index = index_of.popitem()
            future.cancel()
            yield index, run_here(index)
        while index_of:
            future = done_queue.get()
            if future in index_of:
                yield index_of.pop(future), future.result()
    except BrokenProcessPool:
        raise StudyError(
            "a worker process died; the runs that ended are kept: repeat the command to do the "
            "others. If it dies again, memory may be short (fewer --workers; less --memory makes "
            "smaller blocks of a study that is begun anew), or a "
            'script of yours that calls lrlab lacks its `if __name__ == "__main__":`.'
        ) from None
    finally:
        # They are idle, or at what would be thrown away: nobody waits for that.
        for worker in worker_processes:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def can_start_workers() -> bool:
    """Whether a new process can import what this one runs: it cannot where that is no file, as in
    ``python - < script``.
    """
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    return file is None or getattr(main, "__spec__", None) is not None or Path(file).exists()


def _init_worker(workers_started: Event) -> None:
    """Makes a worker: one thread, and gone as soon as its parent is."""
    torch.set_num_threads(1)
    keep_freed_memory()
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    workers_started.set()


def _exit_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _ignore_interrupts_in_children() -> Iterator[None]:
    """Lets Ctrl-C reach the parent alone, which stops its workers in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
