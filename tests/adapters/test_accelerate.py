"""The scheduler under accelerate: nothing to adapt, and what its optimizers really used."""

import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import accelerate
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from lrlab import Cosine, LRScheduler, Plateau, Schedule, Warmup
from tests.adapters.recording import Used, recorded

BATCHES = 5
EPOCHS = 4


@pytest.fixture(autouse=True)
def no_state_of_others() -> Iterator[None]:
    """Accelerate keeps its state for the whole process, and transformers' Trainer shares it."""
    forget()
    yield
    forget()


def forget() -> None:
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()


class Setting:
    """Everything of a small training, prepared, and the rates that its optimizer used."""

    def __init__(self, schedule: Schedule, batches: int = BATCHES, **settings: Any) -> None:
        forget()
        self.accelerator = accelerate.Accelerator(cpu=True, **settings)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.used = recorded(optimizer)
        (self.model, self.optimizer, self.data, self.scheduler) = self.accelerator.prepare(
            model,
            optimizer,
            DataLoader(TensorDataset(torch.ones(2 * batches, 2)), batch_size=2),
            LRScheduler(optimizer, schedule),
        )

    def epoch(self) -> None:
        """An epoch as accelerate's documentation writes it."""
        for (x,) in self.data:
            with self.accelerator.accumulate(self.model):
                self.accelerator.backward(self.model(x).square().mean())
                self.optimizer.step()
                self.scheduler.step()
                self.optimizer.zero_grad()


def rates(schedule: Schedule, steps: Any) -> Used:
    return [[schedule(t, base=0.1)] for t in steps]


@pytest.mark.parametrize("accumulate", [1, 2, 7])
def test_every_step_of_the_optimizer_is_one_of_the_schedule(accumulate: int) -> None:
    schedule = Warmup(2) >> Cosine(9)
    setting = Setting(schedule, gradient_accumulation_steps=accumulate)
    for _ in range(EPOCHS):
        setting.epoch()
    steps = EPOCHS * math.ceil(BATCHES / accumulate)
    assert setting.used == rates(schedule, range(steps))
    assert setting.scheduler.get_last_lr() == rates(schedule, [steps])[0]


@pytest.mark.parametrize(
    "schedule", [Warmup(3) >> Cosine(17), Warmup(1) >> Plateau(0.5, patience=0)]
)
def test_a_resumed_training_is_the_uninterrupted_one(tmp_path: Path, schedule: Schedule) -> None:
    def setting() -> Setting:
        return Setting(schedule, gradient_accumulation_steps=2)

    def epochs(setting: Setting, first: int, last: int) -> None:
        for epoch in range(first, last):
            setting.epoch()
            if schedule.needs_metric:
                setting.scheduler.scheduler.observe(1.0 + epoch)

    whole = setting()
    epochs(whole, 0, 2)
    whole.accelerator.save_state(str(tmp_path))
    epochs(whole, 2, EPOCHS)

    resumed = setting()
    resumed.accelerator.load_state(str(tmp_path))
    epochs(resumed, 2, EPOCHS)
    assert resumed.used == whole.used[6:]
    assert len({rate for (rate,) in whole.used[6:]}) > 1


def train(folder: str, split_batches: bool) -> None:
    """What each of the processes does."""
    setting = Setting(
        Warmup(2) >> Cosine(9),
        batches=16,
        dataloader_config=accelerate.DataLoaderConfiguration(split_batches=split_batches),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        setting.epoch()
    found = {
        "used": setting.used,
        "at": setting.scheduler.scheduler.last_epoch,
        "warned": [str(warning.message) for warning in caught],
    }
    file = Path(folder) / f"{setting.accelerator.process_index}.json"
    file.write_text(json.dumps(found))


@pytest.mark.parametrize(("split_batches", "steps", "each"), [(False, 8, 2), (True, 16, 1)])
def test_among_processes_accelerate_steps_once_for_each_unless_batches_are_split(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    split_batches: bool,
    steps: int,
    each: int,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # accelerate would choose, and warn of it
    accelerate.debug_launcher(train, args=(str(tmp_path), split_batches), num_processes=2)
    results = [json.loads(file.read_text()) for file in sorted(tmp_path.glob("*.json"))]
    warned = [result.pop("warned") for result in results]
    assert [len(messages) for messages in warned] == [each - 1] * 2
    assert split_batches or "was called 2 times" in warned[0][0]
    schedule = Warmup(2) >> Cosine(9)
    used = rates(schedule, range(0, steps * each, each))
    assert results == [{"used": used, "at": steps * each}] * 2
