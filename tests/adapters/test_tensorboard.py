"""The curves that TensorBoard reads back are the schedule's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from lrlab import Cosine, Linear, LRScheduler, Warmup
from lrlab.adapters.tensorboard import log
from lrlab.errors import SchedulerError

STEPS = 12


def test_each_value_stands_at_the_step_that_used_it(tmp_path: Path) -> None:
    groups = [
        {"params": [torch.zeros(1, requires_grad=True)], "lr": rate, "name": name}
        for name, rate in (("body", 0.1), ("head", 1.0))
    ]
    optimizer = torch.optim.SGD(groups, momentum=0.8)
    schedule, momentum = Warmup(3) >> Cosine(9), Linear(1.0, 0.5, over=STEPS)
    scheduler = LRScheduler(optimizer, schedule, momentum=momentum)
    used = []
    with SummaryWriter(tmp_path) as writer:
        for _ in range(STEPS):
            used.append([group["lr"] for group in optimizer.param_groups])
            optimizer.step()
            scheduler.step()
            log(writer, scheduler, prefix="generator/")

    events = EventAccumulator(str(tmp_path)).Reload()
    steps = np.arange(STEPS)
    for i, (name, base) in enumerate((("body", 0.1), ("head", 1.0))):
        # TensorBoard holds float32.
        rates = schedule(steps, base=base).astype(np.float32).tolist()
        assert curve(events, f"generator/lr/{name}") == list(zip(range(STEPS), rates, strict=True))
        assert np.float32([rates[i] for rates in used]).tolist() == rates
        momenta = momentum(steps, base=0.8).astype(np.float32).tolist()
        assert [value for _, value in curve(events, f"generator/momentum/{name}")] == momenta


def curve(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_before_any_step_nothing_was_used(tmp_path: Path) -> None:
    scheduler = LRScheduler(
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1), Linear(1.0, 0.5, over=4)
    )
    with (
        SummaryWriter(tmp_path) as writer,
        pytest.raises(SchedulerError, match=r"call it after scheduler\.step"),
    ):
        log(writer, scheduler)
