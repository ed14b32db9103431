"""How a process trains: in one thread, and with the memory of one step kept for the next."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_TRIM, _MMAP = -1, -3  # mallopt's names for these, from malloc.h
_KEPT = 64 << 20


@contextmanager
def one_thread() -> Iterator[None]:
    """Trains what is trained inside in one thread: threads of small products only wait for each
    other.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_memory() -> None:
    """Has this process keep up to 64 MiB of freed memory.

    The C library of Linux gives a few MiB back to the system at every step and asks for them again
    at the next, which costs a tenth to a fourth of the time of a block. Elsewhere nothing is done.
    """
    try:
        set_option = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    set_option(_TRIM, _KEPT)
    set_option(_MMAP, _KEPT // 2)
