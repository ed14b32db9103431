"""How a process trains: in one thread, and with the memory of one step kept for the next."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # mallopt's names for these, from malloc.h
_MAX_FREED_BYTES = 64 << 20


@contextmanager
def use_one_thread() -> Iterator[None]:
    """Trains what is trained inside in one thread: threads of small products only wait for each
    other.
    """
    previous = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(previous)


def keep_freed_memory() -> None:
    """Has this process keep up to 64 MiB of freed memory.

    The C library of Linux gives a few MiB back to the system at every step and asks for them again
    at the next, which costs a tenth to a fourth of the time of a block. Elsewhere nothing is done.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(_M_TRIM_THRESHOLD, _MAX_FREED_BYTES)
    set_option(_M_MMAP_THRESHOLD, _MAX_FREED_BYTES // 2)
