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
    tags = set(events.Tags()["scalars"])
    assert {"generator/lr/body", "generator/lr/head"} < tags
    for i, (name, base) in enumerate((("body", 0.1), ("head", 1.0))):
        curve = events.Scalars(f"generator/lr/{name}")
        assert [event.step for event in curve] == list(range(STEPS))
        # TensorBoard holds float32.
        expected = schedule(np.arange(STEPS), base=base).astype(np.float32).tolist()
        assert [event.value for event in curve] == expected
        assert np.float32([rates[i] for rates in used]).tolist() == expected
    (tag,) = {tag for tag in tags if tag.startswith("generator/momentum")} - {
        "generator/momentum/head"
    }
    expected = momentum(np.arange(STEPS), base=0.8).astype(np.float32).tolist()
    assert [event.value for event in events.Scalars(tag)] == expected


def test_before_any_step_nothing_was_used(tmp_path: Path) -> None:
    scheduler = LRScheduler(
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1), Linear(1.0, 0.5, over=4)
    )
    with (
        SummaryWriter(tmp_path) as writer,
        pytest.raises(SchedulerError, match=r"call it after scheduler\.step"),
    ):
        log(writer, scheduler)
