"""How a process trains, seen from outside."""

import ctypes
import os
import subprocess
import sys

import pytest
import torch

from lrlab.training.engines import use_one_thread

HELD = """
import ctypes, sys, torch
from lrlab.training.threads import keep_memory

NUMBERS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()

class Mallinfo(ctypes.Structure):  # malloc.h's struct mallinfo2
    _fields_ = [(name, ctypes.c_size_t) for name in NUMBERS]

mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Mallinfo
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_memory()
held = torch.zeros(5_000_000)
del held
print(mallinfo().fordblks)  # bytes that are free and still this process's
"""
STEP = 5_000_000 * 4  # bytes


def test_threads_are_one_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with use_one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallinfo2"),
    reason="asks glibc (2.33 or newer) what it holds",
)
def test_the_memory_of_a_step_is_there_for_the_next() -> None:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}

    def held(word: str) -> int:
        run = [sys.executable, "-c", HELD, word]
        ended = subprocess.run(run, env=plain, capture_output=True, check=True, text=True)
        return int(ended.stdout)

    assert held("keep") > STEP > held("leave")
