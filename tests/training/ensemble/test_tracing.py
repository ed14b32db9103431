"""Programs give the bits of the traced function, and need the estimated memory."""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils.flop_counter import FlopCounterMode

from lrlab.training.ensemble.tracing import Program, count_bytes, estimate_peak_bytes, trace_program


def compute_with_views(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    z = x.mT.mT.view(x.shape).expand(x.shape) * 2 + y[:, None].sum(1, keepdim=True)
    low, high = z.aminmax(dim=1)
    return z.softmax(1).sub_(low[:, None]), torch.cat([high, torch.full((2,), torch.inf)])


def test_a_program_gives_the_same_bits() -> None:
    x, y = torch.randn(3, 4), torch.randn(3)
    program = Program(trace_program(compute_with_views, torch.zeros(3, 4), torch.zeros(3)))
    for ours, theirs in zip(program.run(x, y), compute_with_views(x, y), strict=True):
        assert torch.equal(ours, theirs)


def test_views_without_effect_are_removed() -> None:
    program = Program(trace_program(compute_with_views, torch.zeros(3, 4), torch.zeros(3)))
    names = [str(node.target) for node in program.graph.graph.nodes]
    assert not [name for name in names if "transpose" in name or "expand" in name]


def test_in_place_changes_are_made() -> None:
    def step(weight: Tensor, gradient: Tensor) -> Tensor:
        weight.view(-1).sub_(gradient.view(-1))
        return weight.sum()

    program = Program(trace_program(step, torch.zeros(2, 2), torch.zeros(2, 2)))
    weight = torch.ones(2, 2)
    assert float(program.run(weight, torch.full((2, 2), 0.25))) == 3.0
    assert weight.tolist() == [[0.75, 0.75], [0.75, 0.75]]


def test_runs_that_share_inputs_make_one_wide_product() -> None:
    layer = nn.Linear(5, 3)
    weights = {"weight": torch.randn(7, 3, 5), "bias": torch.randn(7, 3)}

    def outputs(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
        vectorized = vmap(lambda w, b: functional_call(layer, {"weight": w, "bias": b}, (x,)))
        return vectorized(weight, bias)

    x = torch.randn(4, 5)
    program = Program(trace_program(outputs, *weights.values(), x))
    with FlopCounterMode(display=False) as counter:
        ours = program.run(*weights.values(), x)
    torch.testing.assert_close(ours, outputs(*weights.values(), x))
    products = counter.get_flop_counts()["Global"]
    assert {str(name): flops for name, flops in products.items()} == {"aten.mm": 2 * 7 * 3 * 5 * 4}


@pytest.mark.parametrize("width", [1000, 3000])
def test_peak_memory_of_a_call_is_estimated(width: int) -> None:
    def chain(x: Tensor) -> Tensor:
        return ((x + 1) * 2).exp().view(2, -1).sum()  # two exist at a time, each as large as x

    x = torch.zeros(width, dtype=torch.float64)
    program = Program(trace_program(chain, x))
    assert estimate_peak_bytes(program) == 2 * count_bytes([x])
    assert count_bytes([x, torch.zeros(3, dtype=torch.int32)]) == 8 * width + 12


def test_memory_is_freed_after_the_last_use_of_a_view() -> None:
    def program(x: Tensor) -> Tensor:
        whole = x * 2
        view = whole.reshape(4, 25)  # keeps the whole
        return view.sum() + (x * 3).sum()

    program_of_hundred = Program(trace_program(program, torch.zeros(100, dtype=torch.float64)))
    # The whole and its sum; then, after the whole is freed, x * 3 and both sums.
    assert estimate_peak_bytes(program_of_hundred) == 8 * (100 + 2)


def test_a_slice_keeps_the_memory_of_the_whole() -> None:
    def program(x: Tensor) -> Tensor:
        part = (x * 2)[:1]
        return part + (x * 3).sum()

    program_of_hundred = Program(trace_program(program, torch.zeros(100, dtype=torch.float64)))
    assert estimate_peak_bytes(program_of_hundred) == 8 * (100 + 100 + 1)
