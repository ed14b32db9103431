"""Measures ``scheduler.step()`` of lrlab and of torch, with the same schedule and groups.

Both take turns in one process; times are medians over the turns, ratios are medians of the ratios
of a turn. The floor is the time to write known learning rates into the groups.
"""

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.optim import lr_scheduler

from lrlab import LRScheduler
from lrlab.dialects import torch as dialect

BAR = 3.0
TURNS = 45
SLICE = 2_000  # steps of one group in a turn; fewer of more groups
STEPS = 100_000  # of the schedules, more than are taken
WARM = 1_000
GROUPS = (1, 10, 100)


class Case(NamedTuple):
    """A schedule: a function that builds torch's scheduler, and the schedule of the dialect."""

    theirs: Callable[[torch.optim.Optimizer], Any]
    ours: Any


def make_schedule_case(name: str, *values: Any, **arguments: Any) -> Case:
    """Make a case from the arguments, which are the same for both."""
    cls = getattr(lr_scheduler, name)
    return Case(
        lambda optimizer: cls(optimizer, *values, **arguments),
        getattr(dialect, name)(*values, **arguments),
    )


LINEAR = make_schedule_case("LinearLR", total_iters=STEPS)
WARMUP = make_schedule_case("LinearLR", total_iters=WARM)
EXPONENTIAL = make_schedule_case("ExponentialLR", 0.9999)
COSINE = make_schedule_case("CosineAnnealingLR", STEPS, eta_min=1e-3)
CASES = {
    "LinearLR": LINEAR,
    "ExponentialLR": EXPONENTIAL,
    "CosineAnnealingLR": COSINE,
    "OneCycleLR": make_schedule_case("OneCycleLR", 0.1, STEPS, cycle_momentum=False),
    "OneCycleLR with momentum": make_schedule_case("OneCycleLR", 0.1, STEPS),
    "SequentialLR": Case(
        lambda o: lr_scheduler.SequentialLR(o, [WARMUP.theirs(o), COSINE.theirs(o)], [WARM]),
        dialect.SequentialLR([WARMUP.ours, COSINE.ours], [WARM]),
    ),
    "ChainedScheduler": Case(
        lambda o: lr_scheduler.ChainedScheduler([LINEAR.theirs(o), EXPONENTIAL.theirs(o)]),
        dialect.ChainedScheduler([LINEAR.ours, EXPONENTIAL.ours]),
    ),
    "StepLR": make_schedule_case("StepLR", 100, 0.99),
    "MultiStepLR": make_schedule_case("MultiStepLR", [STEPS // 4, STEPS // 2], 0.1),
    "PolynomialLR": make_schedule_case("PolynomialLR", STEPS, 2.0),
    "CosineAnnealingWarmRestarts": make_schedule_case("CosineAnnealingWarmRestarts", WARM, 2),
    "CyclicLR": make_schedule_case("CyclicLR", 0.01, 0.1, WARM, cycle_momentum=False),
    "CyclicLR with momentum": make_schedule_case("CyclicLR", 0.01, 0.1, WARM),
}
SOME = (
    "LinearLR",
    "CosineAnnealingLR",
    "SequentialLR",
)  # with another base for each group, and with tensors


def main() -> None:
    warnings.simplefilter("ignore")  # SequentialLR warns of its own use of step(epoch)
    rows = [(name, n, "") for name in CASES for n in GROUPS]
    rows += [(name, n, "own bases") for name in SOME for n in GROUPS[1:]]
    rows += [(name, n, "tensors") for name in SOME for n in GROUPS]
    print(
        f"{'':27} {'groups':>6}  {'rates':9} {'torch':>8} {'lrlab':>8} {'floor':>8}   torch/lrlab"
    )
    missed: dict[str, list[str]] = {}
    for name, groups, rates in rows:
        theirs, ours, floor = measure_case(CASES[name], groups, rates)
        times = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
        if times < BAR:
            missed.setdefault(f"{name}, {rates}" if rates else name, []).append(str(groups))
        figures = " ".join(
            f"{1e6 * statistics.median(each):8.2f}" for each in (theirs, ours, floor)
        )
        print(f"{name:27} {groups:6}  {rates or 'floats':9} {figures}   {times:6.1f}", flush=True)
    print(f"\nmicroseconds a step; {BAR:g} times as fast is the bar")
    for name, counts in missed.items():
        print(f"missed by {name}, groups: {', '.join(counts)}")
    if not missed:
        print("no row misses it")


def measure_case(
    case: Case, groups: int, rates: str
) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds per step in each turn: torch's, lrlab's, and the floor's."""
    our_optimizer, their_optimizer = (
        create_optimizer(groups, rates),
        create_optimizer(groups, rates),
    )
    theirs, ours = case.theirs(their_optimizer), LRScheduler(our_optimizer, case.ours)
    param_groups = create_optimizer(groups, rates).param_groups
    lrs = [0.1] * groups

    def write_lrs() -> None:
        for group, rate in zip(param_groups, lrs, strict=True):
            if rates == "tensors":
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate

    jobs = (theirs.step, ours.step, write_lrs)
    seconds: tuple[list[float], list[float], list[float]] = ([], [], [])
    for turn in range(TURNS + 1):
        for job, taken in zip(jobs, seconds, strict=True):
            steps = max(SLICE // groups, 20)
            started = time.perf_counter()
            for _ in range(steps):
                job()
            if turn:  # the first one warms up
                taken.append((time.perf_counter() - started) / steps)
    same = [[float(rate) for rate in each.get_last_lr()] for each in (theirs, ours)]
    np.testing.assert_allclose(same[0], same[1], rtol=1e-2 if rates == "tensors" else 1e-6)
    return seconds


def create_optimizer(groups: int, rates: str) -> torch.optim.Optimizer:
    """Create an SGD optimizer with so many parameter groups."""
    param_groups: list[dict[str, Any]] = []
    for i in range(groups):
        base = 0.1 * (1 + i) if rates == "own bases" else 0.1
        rate = torch.tensor(base) if rates == "tensors" else base
        param_groups.append({"params": [torch.zeros(1, requires_grad=True)], "lr": rate})
    return torch.optim.SGD(param_groups, momentum=0.9)


if __name__ == "__main__":
    main()
