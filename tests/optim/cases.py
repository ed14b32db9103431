"""Every class of torch as a case: a plan that both sides can build, and optimizers to put it on."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.optim import Optimizer

from tests.dialects.torch_strategies import SchedulerSpec, make_inverse_time

Held = list[tuple[float, ...]]
"""What every parameter group has: ``NAMES``."""

NAMES = ("lr", "momentum", "weight_decay")

RATES = (0.1, 1.0, 0.003)
"""The base rates of three parameter groups."""

LAST = 30
"""The last step at which torch and the dialect agree for all of them."""


class Case(NamedTuple):
    """A scheduler that has ended by ``LAST``, if it ends, and a step at which its course bends."""

    plan: SchedulerSpec
    bend: int

    @property
    def name(self) -> str:
        return self.plan.name

    @property
    def metrics(self) -> bool:
        """Whether it reads metrics."""
        return self.name == "ReduceLROnPlateau"


def case(name: str, bend: int, *parts: SchedulerSpec, **words: Any) -> Case:
    return Case(SchedulerSpec(name, words, parts), bend)


CASES = [
    case("LambdaLR", 5, lr_lambda=make_inverse_time(0.1)),
    case("MultiplicativeLR", 5, lr_lambda=make_inverse_time(0.01)),
    case("StepLR", 8, step_size=8, gamma=0.5),
    case("MultiStepLR", 9, milestones=[3, 9], gamma=0.3),
    case("ConstantLR", 4, factor=0.5, total_iters=4),
    case("LinearLR", 6, start_factor=0.2, end_factor=0.9, total_iters=6),
    case("ExponentialLR", 5, gamma=0.9),
    case("PolynomialLR", 7, total_iters=7, power=2.0),
    case("CosineAnnealingLR", LAST, T_max=LAST, eta_min=1e-4),
    case("CosineAnnealingWarmRestarts", 4, T_0=4, T_mult=2, eta_min=1e-4),
    case("CyclicLR", 7, base_lr=0.01, max_lr=0.2, step_size_up=4, step_size_down=3),
    case("OneCycleLR", LAST, max_lr=0.5, total_steps=LAST + 1, three_phase=True),
    case("SWALR", 5, swa_lr=0.02, anneal_epochs=5),
    case("ReduceLROnPlateau", 8, factor=0.5, patience=1, cooldown=1, min_lr=1e-3),
    case(
        "SequentialLR",
        4,
        SchedulerSpec("LinearLR", {"total_iters": 4}),
        SchedulerSpec("StepLR", {"step_size": 5}),
        SchedulerSpec("CosineAnnealingLR", {"T_max": 12}),
        milestones=[4, 18],
    ),
    case(
        "ChainedScheduler",
        5,
        SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 5}),
        SchedulerSpec("ExponentialLR", {"gamma": 0.9}),
    ),
]

NUMBERS: dict[str, Callable[[float], Any]] = {
    "float": float,
    "float64 tensor": lambda rate: torch.tensor(rate, dtype=torch.float64),
    "float32 tensor": torch.tensor,
}
"""What a rate may be."""


def optimizer_of(
    *rates: Any, kind: Callable[..., Optimizer] = torch.optim.SGD, **words: Any
) -> Optimizer:
    """An optimizer with one parameter group for each rate."""
    if kind is torch.optim.SGD:
        words = {"momentum": 0.9} | words
    groups = [
        {"params": [torch.zeros(1, requires_grad=True)], "lr": rate} for rate in rates or (0.1,)
    ]
    return kind(groups, **words)


def two_groups(kind: Callable[..., Optimizer] = torch.optim.SGD, **settings: Any) -> Optimizer:
    """A body at rate 0.1 and a head at 0.5."""
    body, head = (torch.zeros(1, requires_grad=True) for _ in range(2))
    groups = [{"params": [body], "name": "body"}, {"params": [head], "name": "head", "lr": 0.5}]
    return kind(groups, **{"lr": 0.1, **settings})


def rates_of(optimizer: Optimizer) -> list[float]:
    """The rate that every parameter group holds."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def held(optimizer: Optimizer) -> Held:
    """What the optimizer has of every parameter group."""
    return [
        (
            float(group["lr"]),
            group["momentum"] if "momentum" in group else group["betas"][0],
            group["weight_decay"],
        )
        for group in optimizer.param_groups
    ]


def metric(t: int) -> float:
    """A loss that falls and then goes up and down around a half."""
    return max(0.5, 1.0 - 0.1 * t) + 0.01 * (t * t % 7)


def steps(optimizer: Optimizer, scheduler: Any, metrics: bool, first: int, last: int) -> list[Held]:
    """What the optimizer used at the steps from ``first`` to ``last``, recorded by its own hook."""
    used: list[Held] = []
    hook = optimizer.register_step_pre_hook(lambda optimizer, *_: used.append(held(optimizer)))
    for t in range(first, last + 1):
        optimizer.step()
        if t < last:
            scheduler.step(*[metric(t)] * metrics)
    hook.remove()
    return used
