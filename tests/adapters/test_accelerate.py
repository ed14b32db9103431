"""The scheduler under accelerate, without an adapter: the values that its optimizers used."""

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
from tests.adapters.recording import UsedValues, record_values

BATCHES = 5
EPOCHS = 4

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def reset_state() -> Iterator[None]:
    """Accelerate keeps its state for the whole process, and transformers' Trainer shares it."""
    reset_accelerate()
    yield
    reset_accelerate()


def reset_accelerate() -> None:
    accelerate.state.AcceleratorState._reset_state(reset_partial_state=True)
    accelerate.state.GradientState._reset_state()


class Training:
    """A small training prepared by accelerate, and the lrs that its optimizer used."""

    def __init__(self, schedule: Schedule, batches: int = BATCHES, **settings: Any) -> None:
        reset_accelerate()
        self.accelerator = accelerate.Accelerator(cpu=True, **settings)
        model = torch.nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.used = record_values(optimizer)
        (self.model, self.optimizer, self.data, self.scheduler) = self.accelerator.prepare(
            model,
            optimizer,
            DataLoader(TensorDataset(torch.ones(2 * batches, 2)), batch_size=2),
            LRScheduler(optimizer, schedule),
        )

    def run_epoch(self) -> None:
        """Train for an epoch as accelerate's documentation does."""
        for (x,) in self.data:
            with self.accelerator.accumulate(self.model):
                self.accelerator.backward(self.model(x).square().mean())
                self.optimizer.step()
                self.scheduler.step()
                self.optimizer.zero_grad()


def compute_lrs(schedule: Schedule, steps: Any) -> UsedValues:
    return [[schedule(t, base=0.1)] for t in steps]


@pytest.mark.parametrize("accumulate", [1, 2, 7])
def test_every_step_of_the_optimizer_is_one_of_the_schedule(accumulate: int) -> None:
    schedule = Warmup(2) >> Cosine(9)
    training = Training(schedule, gradient_accumulation_steps=accumulate)
    for _ in range(EPOCHS):
        training.run_epoch()
    steps = EPOCHS * math.ceil(BATCHES / accumulate)
    assert training.used == compute_lrs(schedule, range(steps))
    assert training.scheduler.get_last_lr() == compute_lrs(schedule, [steps])[0]


@pytest.mark.parametrize(
    "schedule", [Warmup(3) >> Cosine(17), Warmup(1) >> Plateau(0.5, patience=0)]
)
def test_a_resumed_training_equals_the_uninterrupted_one(
    tmp_path: Path, schedule: Schedule
) -> None:
    def prepare() -> Training:
        return Training(schedule, gradient_accumulation_steps=2)

    def run_epochs(training: Training, first: int, last: int) -> None:
        for epoch in range(first, last):
            training.run_epoch()
            if schedule.needs_metric:
                training.scheduler.scheduler.observe(1.0 + epoch)

    whole = prepare()
    run_epochs(whole, 0, 2)
    whole.accelerator.save_state(str(tmp_path))
    run_epochs(whole, 2, EPOCHS)

    resumed = prepare()
    resumed.accelerator.load_state(str(tmp_path))
    run_epochs(resumed, 2, EPOCHS)
    assert resumed.used == whole.used[6:]
    assert len({lr for (lr,) in whole.used[6:]}) > 1


def train_process(folder: str, split_batches: bool) -> None:
    """Train in one of the processes and write what happened."""
    training = Training(
        Warmup(2) >> Cosine(9),
        batches=16,
        dataloader_config=accelerate.DataLoaderConfiguration(split_batches=split_batches),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        training.run_epoch()
    result = {
        "used": training.used,
        "last_epoch": training.scheduler.scheduler.last_epoch,
        "warnings": [str(warning.message) for warning in caught],
    }
    file = Path(folder) / f"{training.accelerator.process_index}.json"
    file.write_text(json.dumps(result))


@pytest.mark.parametrize(("split_batches", "steps", "each"), [(False, 8, 2), (True, 16, 1)])
def test_accelerate_steps_once_per_process_unless_batches_are_split(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    split_batches: bool,
    steps: int,
    each: int,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # else accelerate sets it and warns
    accelerate.debug_launcher(train_process, args=(str(tmp_path), split_batches), num_processes=2)
    results = [json.loads(file.read_text()) for file in sorted(tmp_path.glob("*.json"))]
    messages = [result.pop("warnings") for result in results]
    assert [len(texts) for texts in messages] == [each - 1] * 2
    assert split_batches or "was called 2 times" in messages[0][0]
    schedule = Warmup(2) >> Cosine(9)
    used = compute_lrs(schedule, range(0, steps * each, each))
    assert results == [{"used": used, "last_epoch": steps * each}] * 2
