"""What programs take beside their arguments, counted by hand."""

import torch
from torch import Tensor

from lrlab.training.ensemble.tracing import Program, estimate_peak_bytes, trace_program


def test_memory_is_there_again_when_no_view_of_it_is_read() -> None:
    def program(x: Tensor) -> Tensor:
        whole = x * 2
        turned = whole.reshape(4, 25)  # by which the whole is still there
        return turned.sum() + (x * 3).sum()

    program_of_hundred = Program(trace_program(program, torch.zeros(100, dtype=torch.float64)))
    # The whole and its sum; then, the whole being gone, x * 3 and both sums.
    assert estimate_peak_bytes(program_of_hundred) == 8 * (100 + 2)


def test_memory_of_a_part_is_that_of_the_whole() -> None:
    def program(x: Tensor) -> Tensor:
        part = (x * 2)[:1]
        return part + (x * 3).sum()

    program_of_hundred = Program(trace_program(program, torch.zeros(100, dtype=torch.float64)))
    assert estimate_peak_bytes(program_of_hundred) == 8 * (100 + 100 + 1)
