"""A compiled or captured optimizer step sees the rate of every step, and is compiled but once."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from lrlab import Cosine, LRScheduler, Warmup
from tests.optim.cases import NUMBERS, RATES, held

SCHEDULE = Warmup(3) >> Cosine(6)
"""Another rate at each step, and 0 in the end."""

STEPS = 12
WARM_UP = 3
"""Steps in which torch may compile: a number, and then any number."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "SGD": lambda *groups: torch.optim.SGD(*groups, momentum=0.9, weight_decay=0.01),
    "Adam": lambda *groups: torch.optim.Adam(*groups, weight_decay=0.01),
    "AdamW": lambda *groups: torch.optim.AdamW(*groups, weight_decay=0.01),
}
OTHERS = {
    "the rate alone": {},
    "everything": {"momentum": "Linear(0.5, 1, over=10)", "weight_decay": "Exponential(0.9)"},
}


def trained(
    optimizer_of: Callable[..., Optimizer],
    number: Callable[[float], Any],
    compiled: Callable[[Callable[[], Any]], Callable[[], Any]],
    after: Callable[[Optimizer], Any],
    **others: str,
) -> list[list[float]]:
    """The weights after training with one gradient, and ``after`` each step of the optimizer."""
    weights = [nn.Parameter(torch.linspace(1, 2, 5)) for _ in RATES]
    for i, weight in enumerate(weights):
        weight.grad = torch.full_like(weight, 0.1 + i)
    optimizer = optimizer_of(
        [
            {"params": [weight], "lr": number(rate)}
            for weight, rate in zip(weights, RATES, strict=True)
        ]
    )
    scheduler = LRScheduler(optimizer, SCHEDULE, **others)
    step = compiled(optimizer.step)
    for _ in range(STEPS):
        step()
        after(optimizer)
        scheduler.step()
    return [weight.tolist() for weight in weights]


# torch's own, where it loads its compiler.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("others", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("number", ["float", "float32 tensor"])
@pytest.mark.parametrize("optimizer_of", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_no_new_value_is_compiled_again(
    optimizer_of: Callable[..., Optimizer], number: str, others: dict[str, str]
) -> None:
    from torch._dynamo import reset
    from torch._dynamo.testing import CompileCounterWithBackend

    reset()
    counter = CompileCounterWithBackend("eager")
    compilations: list[int] = []
    used: list[Any] = []

    def after(optimizer: Optimizer) -> None:
        compilations.append(counter.frame_count)
        used.append(held(optimizer))

    weights = trained(
        optimizer_of,
        NUMBERS[number],
        lambda step: torch.compile(step, backend=counter),
        after,
        **others,
    )
    assert compilations[0] >= 1
    assert compilations[WARM_UP:] == [compilations[WARM_UP - 1]] * (STEPS - WARM_UP)
    rates = [
        [SCHEDULE(t, base=float(NUMBERS[number](base))) for base in RATES] for t in range(STEPS)
    ]
    found = [[rate for rate, *_ in groups] for groups in used]
    torch.testing.assert_close(torch.tensor(found), torch.tensor(rates), rtol=0, atol=0)
    # As without a compiler, which folds some numbers together.
    eager = trained(optimizer_of, NUMBERS[number], lambda step: step, lambda _: None, **others)
    torch.testing.assert_close(torch.tensor(weights), torch.tensor(eager), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_the_count_shows_what_is_compiled_again() -> None:
    from torch._dynamo import config, reset
    from torch._dynamo.testing import CompileCounterWithBackend

    reset()
    counter = CompileCounterWithBackend("eager")
    compilations: list[int] = []
    with config.patch(specialize_float=True):  # every number is a constant then
        trained(
            OPTIMIZERS["SGD"],
            float,
            lambda step: torch.compile(step, backend=counter),
            lambda _: compilations.append(counter.frame_count),
        )
    assert compilations[WARM_UP] > compilations[WARM_UP - 1]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("number", ["float", "float32 tensor"])
def test_the_rate_of_a_step_to_capture_becomes_a_tensor_where_its_parameters_are(
    device: str, number: str
) -> None:
    weight = nn.Parameter(torch.ones(5, device=device))
    optimizer = torch.optim.Adam([weight], lr=NUMBERS[number](0.1), capturable=True)
    LRScheduler(optimizer, SCHEDULE)
    rate = optimizer.param_groups[0]["lr"]
    assert isinstance(rate, torch.Tensor)
    assert rate.device == weight.device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU with CUDA")
@pytest.mark.parametrize(
    "number",
    [float, torch.tensor, lambda rate: torch.tensor(rate, device="cuda")],
    ids=["float", "tensor", "tensor of the GPU"],
)
def test_a_captured_step_sees_every_new_rate(number: Callable[[float], Any]) -> None:
    start = torch.linspace(1, 2, 5)
    weight = nn.Parameter(start.to("cuda"))
    weight.grad = torch.full_like(weight, 0.3)
    optimizer = torch.optim.Adam([weight], lr=number(0.1), capturable=True)
    scheduler = LRScheduler(optimizer, SCHEDULE)
    rate = optimizer.param_groups[0]["lr"]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            optimizer.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        optimizer.step()  # recorded, and not run
    for _ in range(STEPS):
        graph.replay()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate

    by_hand = in_float64(start, [0] * WARM_UP + list(range(STEPS)))
    torch.testing.assert_close(weight.detach().cpu().double(), by_hand, rtol=1e-5, atol=1e-6)
    stale = in_float64(start, [0] * (WARM_UP + STEPS))
    assert (by_hand - stale).abs().min() > 0.01


def in_float64(start: torch.Tensor, t: list[int]) -> torch.Tensor:
    """The same training without graph, device or scheduler, at the rates of these steps."""
    weight = nn.Parameter(copy.deepcopy(start).double())
    weight.grad = torch.full_like(weight, 0.3)
    optimizer = torch.optim.Adam([weight], lr=0.1)
    for step in t:
        optimizer.param_groups[0]["lr"] = SCHEDULE(step, base=0.1)
        optimizer.step()
    return weight.detach()
