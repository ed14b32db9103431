"""A compiled or captured optimizer step sees every new learning rate, and is compiled once."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from lrlab import Cosine, LRScheduler, Warmup
from tests.optim.factories import BASE_LRS, NUMBER_TYPES, read_values

pytestmark = pytest.mark.slow

SCHEDULE = Warmup(3) >> Cosine(6)
"""Another learning rate at each step, and 0 in the end."""

STEPS = 12
WARMUP_STEPS = 3
"""Steps in which torch may compile: for one number, and then for any number."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "SGD": lambda *groups: torch.optim.SGD(*groups, momentum=0.9, weight_decay=0.01),
    "Adam": lambda *groups: torch.optim.Adam(*groups, weight_decay=0.01),
    "AdamW": lambda *groups: torch.optim.AdamW(*groups, weight_decay=0.01),
}
OTHER_SCHEDULES = {
    "lr alone": {},
    "everything": {"momentum": "Linear(0.5, 1, over=10)", "weight_decay": "Exponential(0.9)"},
}


def train(
    build_optimizer: Callable[..., Optimizer],
    make_number: Callable[[float], Any],
    compile_step: Callable[[Callable[[], Any]], Callable[[], Any]],
    after: Callable[[Optimizer], Any],
    **other_schedules: str,
) -> list[list[float]]:
    """Train with one gradient, calling ``after`` after each step; return the weights."""
    weights = [nn.Parameter(torch.linspace(1, 2, 5)) for _ in BASE_LRS]
    for i, weight in enumerate(weights):
        weight.grad = torch.full_like(weight, 0.1 + i)
    optimizer = build_optimizer(
        [
            {"params": [weight], "lr": make_number(lr)}
            for weight, lr in zip(weights, BASE_LRS, strict=True)
        ]
    )
    scheduler = LRScheduler(optimizer, SCHEDULE, **other_schedules)
    step = compile_step(optimizer.step)
    for _ in range(STEPS):
        step()
        after(optimizer)
        scheduler.step()
    return [weight.tolist() for weight in weights]


# torch warns when it loads its compiler.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("other_schedules", OTHER_SCHEDULES.values(), ids=OTHER_SCHEDULES.keys())
@pytest.mark.parametrize("number", ["float", "float32 tensor"])
@pytest.mark.parametrize("build_optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_new_values_do_not_compile_again(
    build_optimizer: Callable[..., Optimizer], number: str, other_schedules: dict[str, str]
) -> None:
    from torch._dynamo import reset
    from torch._dynamo.testing import CompileCounterWithBackend

    reset()
    counter = CompileCounterWithBackend("eager")
    compilations: list[int] = []
    used: list[Any] = []

    def after(optimizer: Optimizer) -> None:
        compilations.append(counter.frame_count)
        used.append(read_values(optimizer))

    weights = train(
        build_optimizer,
        NUMBER_TYPES[number],
        lambda step: torch.compile(step, backend=counter),
        after,
        **other_schedules,
    )
    assert compilations[0] >= 1
    assert compilations[WARMUP_STEPS:] == [compilations[WARMUP_STEPS - 1]] * (STEPS - WARMUP_STEPS)
    expected = [
        [SCHEDULE(t, base=float(NUMBER_TYPES[number](base))) for base in BASE_LRS]
        for t in range(STEPS)
    ]
    used_lrs = [[lr for lr, *_ in groups] for groups in used]
    torch.testing.assert_close(torch.tensor(used_lrs), torch.tensor(expected), rtol=0, atol=0)
    # As without the compiler, which folds some numbers.
    eager = train(
        build_optimizer, NUMBER_TYPES[number], lambda step: step, lambda _: None, **other_schedules
    )
    torch.testing.assert_close(torch.tensor(weights), torch.tensor(eager), rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_the_counter_shows_recompilation() -> None:
    from torch._dynamo import config, reset
    from torch._dynamo.testing import CompileCounterWithBackend

    reset()
    counter = CompileCounterWithBackend("eager")
    compilations: list[int] = []
    with config.patch(specialize_float=True):  # every number is a constant then
        train(
            OPTIMIZERS["SGD"],
            float,
            lambda step: torch.compile(step, backend=counter),
            lambda _: compilations.append(counter.frame_count),
        )
    assert compilations[WARMUP_STEPS] > compilations[WARMUP_STEPS - 1]


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("number", ["float", "float32 tensor"])
def test_a_capturable_lr_becomes_a_tensor_on_the_device_of_its_parameters(
    device: str, number: str
) -> None:
    weight = nn.Parameter(torch.ones(5, device=device))
    optimizer = torch.optim.Adam([weight], lr=NUMBER_TYPES[number](0.1), capturable=True)
    LRScheduler(optimizer, SCHEDULE)
    lr = optimizer.param_groups[0]["lr"]
    assert isinstance(lr, torch.Tensor)
    assert lr.device == weight.device


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU with CUDA")
@pytest.mark.parametrize(
    "make_number",
    [float, torch.tensor, lambda lr: torch.tensor(lr, device="cuda")],
    ids=["float", "tensor", "GPU tensor"],
)
def test_a_captured_step_sees_every_new_lr(make_number: Callable[[float], Any]) -> None:
    start = torch.linspace(1, 2, 5)
    weight = nn.Parameter(start.to("cuda"))
    weight.grad = torch.full_like(weight, 0.3)
    optimizer = torch.optim.Adam([weight], lr=make_number(0.1), capturable=True)
    scheduler = LRScheduler(optimizer, SCHEDULE)
    lr = optimizer.param_groups[0]["lr"]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARMUP_STEPS):
            optimizer.step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        optimizer.step()  # recorded, not run
    for _ in range(STEPS):
        graph.replay()
        scheduler.step()
    assert optimizer.param_groups[0]["lr"] is lr

    expected = train_in_float64(start, [0] * WARMUP_STEPS + list(range(STEPS)))
    torch.testing.assert_close(weight.detach().cpu().double(), expected, rtol=1e-5, atol=1e-6)
    stale = train_in_float64(start, [0] * (WARMUP_STEPS + STEPS))
    assert (expected - stale).abs().min() > 0.01


def train_in_float64(start: torch.Tensor, t: list[int]) -> torch.Tensor:
    """The same training without graph, device or scheduler, at the lr of these steps."""
    weight = nn.Parameter(copy.deepcopy(start).double())
    weight.grad = torch.full_like(weight, 0.3)
    optimizer = torch.optim.Adam([weight], lr=0.1)
    for step in t:
        optimizer.param_groups[0]["lr"] = SCHEDULE(step, base=0.1)
        optimizer.step()
    return weight.detach()
