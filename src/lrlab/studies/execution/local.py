"""Training on this machine: one process per core, all of which map the same data.

A problem is written to a file once, and every worker process maps the file instead of copying it.
The arrays lie beside the pickle in the file, and a worker unpickles them as views of the mapped
pages. Pages are copied on write, so that no worker sees the changes of another.
"""

import copyreg
import mmap
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from math import ceil
from multiprocessing import active_children, connection, get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import torch
from torch import Tensor

from lrlab.errors import StudyError
from lrlab.problems import Trainable
from lrlab.training import Result, Run
from lrlab.training.engines import Engine, keep_freed_memory, use_one_thread

R = TypeVar("R")

_ALIGNMENT = 64
"""Bytes; vector instructions are fastest on arrays that begin at multiples of it."""


def train_locally(
    problem: Trainable, blocks: Sequence[Sequence[Run]], engine: Engine, workers: int
) -> Generator[tuple[int, list[Result]], None, None]:
    """Train every block in this process and its workers; yield its index and its results.

    ``workers`` is the number of processes with this one; it is the only one if there are fewer
    blocks, or if a new process cannot import the main module.
    """

    def train_here(i: int) -> list[Result]:
        with use_one_thread():
            return engine.train(problem, blocks[i])

    workers = min(workers, len(blocks)) if can_start_workers() else 1
    if workers == 1:
        for i in range(len(blocks)):
            yield i, train_here(i)
        return
    with write_shared(problem) as handle:
        calls = [(handle, runs, engine) for runs in blocks]
        # Workers exit before the file that they have mapped is removed.
        with closing(run_in_workers(_train_shared_block, calls, train_here, workers)) as results:
            yield from results


def _train_shared_block(
    shared_problem: "SharedFile", runs: Sequence[Run], engine: Engine
) -> list[Result]:
    return engine.train(load_shared(shared_problem), runs)


def run_in_workers(
    task: Callable[..., R],
    calls: Sequence[tuple[Any, ...]],
    run_here: Callable[[int], R],
    workers: int,
) -> Generator[tuple[int, R], None, None]:
    """Make every call once, in this process and in workers; yield its index and its result.

    This process makes an equal part of the calls. Workers take seconds to start: if it has finished
    its part before that, it continues with theirs. Between its own calls it collects results of the
    workers.

    Args:
        task: a module-level function, called in the workers.
        calls: its arguments.
        run_here: makes the call of an index in this process.
        workers: number of processes, including this one.

    Raises:
        StudyError: a worker process died.
    """
    spawn_context = get_context("spawn")
    workers_started, done_queue = spawn_context.Event(), SimpleQueue[Future[R]]()
    other_children, worker_processes = set(active_children()), set[BaseProcess]()
    pool = ProcessPoolExecutor(
        max(1, workers - 1),
        mp_context=spawn_context,
        initializer=_init_worker,
        initargs=(workers_started,),
    )
    own_count = ceil(len(calls) / workers)
    try:
        with _ignore_interrupts_in_children():
            indices = {
                pool.submit(task, *call): own_count + i for i, call in enumerate(calls[own_count:])
            }
        # submit() has started all workers.
        worker_processes = set(active_children()) - other_children
        for future in indices:
            future.add_done_callback(done_queue.put)
        for index in range(own_count):
            yield index, run_here(index)
            while not done_queue.empty():
                future = done_queue.get()
                yield indices.pop(future), future.result()
        while indices and not workers_started.is_set():
            future, index = indices.popitem()
            future.cancel()
            yield index, run_here(index)
        while indices:
            future = done_queue.get()
            if future in indices:
                yield indices.pop(future), future.result()
    except BrokenProcessPool:
        raise StudyError(
            "a worker process died; repeat the study: runs that are stored are not trained again. "
            "If it dies again, memory may be short (use fewer `workers`, or start a new study with "
            "less `memory`, for smaller blocks), or your script lacks "
            '`if __name__ == "__main__":`.'
        ) from None
    finally:
        # Workers are idle, or compute results that are not needed.
        for worker in worker_processes:
            worker.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_start_workers() -> bool:
    """Return whether a new process can import the main module of this one.

    It cannot if the main module is not a file, as in ``python - < script``.
    """
    main = sys.modules["__main__"]
    file = getattr(main, "__file__", None)
    return file is None or getattr(main, "__spec__", None) is not None or Path(file).exists()


def _init_worker(workers_started: Event) -> None:
    """Prepare a worker process: one thread, and an exit as soon as its parent exits."""
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
    """Let Ctrl-C reach only the parent, which stops its workers in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class SharedFile:
    """The file of a shared value; small, so that it can be sent with every task.

    Args:
        path: the file.
        spans: first byte and number of bytes of the pickle, then of each array.
    """

    path: str
    spans: tuple[tuple[int, int], ...]


@contextmanager
def write_shared(value: object) -> Iterator[SharedFile]:
    """Write a value to a temporary file that lasts as long as the context.

    Raises:
        StudyError: the value cannot be pickled or written.
    """
    parts = _pickle_out_of_band(value)
    with TemporaryDirectory(prefix="lrlab-", ignore_cleanup_errors=True) as folder:
        yield _write_parts(parts, Path(folder) / "shared")


@cache
def load_shared(handle: SharedFile) -> Any:
    """Return the value, its arrays being views of the file; each process unpickles it once."""
    with open(handle.path, "rb") as file:
        pages = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    payload, *arrays = (pages[start : start + size] for start, size in handle.spans)
    return pickle.loads(payload, buffers=arrays)


def reduce_tensor(tensor: Tensor) -> Any:
    """Reduce a tensor to a NumPy array for pickling, since torch's own pickles copy it.

    Tensors that have no array are reduced as torch does: those on another device, sparse ones, and
    those that require gradients or have a type that NumPy lacks.
    """
    try:
        return torch.from_numpy, (tensor.numpy(),)
    except (TypeError, RuntimeError):
        return tensor.__reduce_ex__(pickle.DEFAULT_PROTOCOL)


def _pickle_out_of_band(value: object) -> list[memoryview]:
    """Return the pickle of a value and the bytes of its arrays, without copying these."""
    stream, arrays = BytesIO(), list[pickle.PickleBuffer]()
    pickler = pickle.Pickler(stream, protocol=5, buffer_callback=arrays.append)
    pickler.dispatch_table = {**copyreg.dispatch_table, Tensor: reduce_tensor}
    try:
        pickler.dump(value)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StudyError(
            f"the problem must be picklable to reach worker processes, but {error}; define its "
            "functions at the top of a module, or use this process alone: `workers=1`."
        ) from None
    return [stream.getbuffer(), *(array.raw() for array in arrays)]


def _write_parts(parts: list[memoryview], path: Path) -> SharedFile:
    spans = []
    try:
        with path.open("wb") as file:
            for part in parts:
                file.write(bytes(-file.tell() % _ALIGNMENT))
                spans.append((file.tell(), part.nbytes))
                file.write(part)
    except OSError as error:
        raise StudyError(
            f"the data for worker processes cannot be written to {path.parent}: {error.strerror}; "
            "set $TMPDIR to another folder, or use one process: `workers=1`."
        ) from None
    return SharedFile(str(path), tuple(spans))
