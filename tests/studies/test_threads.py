"""How a process trains, seen from outside."""

import subprocess
import sys

import pytest
import torch

from lrlab.studies.threads import one_thread

FAULTS = """
import resource, sys, torch
from lrlab.studies.threads import keep_memory
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    keep_memory()
def step():
    held = [torch.zeros(400_000) for _ in range(6)]
    return sum(map(len, held))
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_threads_are_one_inside_and_as_before_outside() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="page faults are Linux's")
def test_the_memory_of_a_step_is_there_for_the_next() -> None:
    def faults(word: str) -> int:
        run = [sys.executable, "-c", FAULTS, word]
        return int(subprocess.run(run, capture_output=True, check=True, text=True).stdout)

    assert faults("keep") < faults("leave") / 10
