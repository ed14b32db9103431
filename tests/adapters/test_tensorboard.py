"""The curves that TensorBoard reads back have the schedule's values."""

from pathlib import Path

import numpy as np
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from lrlab import Cosine, Linear, LRScheduler, Warmup
from lrlab.adapters.tensorboard import log
from lrlab.errors import SchedulerError
from tests.raising import raises

STEPS = 12


def test_each_value_is_logged_at_the_step_that_used_it(tmp_path: Path) -> None:
    groups = [
        {"params": [torch.zeros(1, requires_grad=True)], "lr": lr, "name": name}
        for name, lr in (("body", 0.1), ("head", 1.0))
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
        # TensorBoard stores float32.
        lrs = schedule(steps, base=base).astype(np.float32).tolist()
        assert read_curve(events, f"generator/lr/{name}") == list(
            zip(range(STEPS), lrs, strict=True)
        )
        assert np.float32([values[i] for values in used]).tolist() == lrs
        momenta = momentum(steps, base=0.8).astype(np.float32).tolist()
        assert [value for _, value in read_curve(events, f"generator/momentum/{name}")] == momenta


def read_curve(events: EventAccumulator, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_logging_before_the_first_step_is_refused(tmp_path: Path) -> None:
    scheduler = LRScheduler(
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1), Linear(1.0, 0.5, over=4)
    )
    with (
        SummaryWriter(tmp_path) as writer,
        raises(SchedulerError, "step 0", "scheduler.step()"),
    ):
        log(writer, scheduler)
