"""Carrying out runs in parallel processes, one single-threaded run per core."""

import os
import signal
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.process import BaseProcess

import torch

from lrlab.errors import StudyError
from lrlab.problems import Problem
from lrlab.training import Result, Run, train


def execute(
    problem: Problem, runs: Mapping[str, Run], workers: int | None = None
) -> Iterator[tuple[str, Result]]:
    """Trains all runs and yields each with its id as it ends.

    Args:
        problem: what is trained.
        runs: by id; they start in this order.
        workers: how many processes, one for each core when left out.

    Raises:
        StudyError: a worker process died.
    """
    if not runs:
        return
    most = min(len(runs), workers or cores())
    others, ours = set(active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(most, mp_context=get_context("spawn"), initializer=_prepare)
    try:
        with _interrupts_ignored_by_children():
            ids = {pool.submit(train, problem, run): id for id, run in runs.items()}
        ours = set(active_children()) - others  # all are started by now
        for future in as_completed(ids):
            yield ids.pop(future), future.result()
    except BrokenProcessPool:
        raise StudyError(
            "a worker process died; the runs that ended are kept: repeat the command to do the "
            "others. If it dies again, memory may be short (fewer --workers), or a script of yours "
            'that calls lrlab lacks its `if __name__ == "__main__":`.'
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
