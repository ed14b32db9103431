"""count_steps equals the number of steps of real loops and trainers."""

import importlib
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate.data_loader import BatchSamplerShard, IterableDatasetShard, prepare_data_loader
from hypothesis import given
from hypothesis.strategies import booleans, floats, integers, sampled_from
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    DistributedSampler,
    IterableDataset,
    SequentialSampler,
    TensorDataset,
)

from lrlab.errors import SchedulerError
from lrlab.optim.counting import Leftover, count_steps
from tests.raising import raises


def make_rows(samples: int) -> TensorDataset:
    return TensorDataset(torch.zeros(samples, 1))


def count_batches(loader: Iterable[Any]) -> int:
    return sum(1 for _ in loader)


def run_loop(loader: DataLoader[Any], epochs: int, accumulate: int, leftover: Leftover) -> int:
    """Run a loop as users write it; return the number of steps."""
    steps = batches_so_far = 0
    for _ in range(epochs):
        for i, _ in enumerate(loader):
            batches_so_far += 1
            is_last_step = leftover == "step" and i + 1 == len(loader)
            batches = batches_so_far if leftover == "carry" else i + 1
            if batches % accumulate == 0 or is_last_step:
                steps += 1
    return steps


numbers = integers(1, 60)
small_numbers = integers(1, 5)


@given(
    numbers,
    small_numbers,
    small_numbers,
    small_numbers,
    booleans(),
    sampled_from(["step", "drop", "carry"]),
)
def test_it_equals_the_count_of_a_loop(
    samples: int, batch: int, epochs: int, accumulate: int, drop_last: bool, leftover: Leftover
) -> None:
    loader = DataLoader(make_rows(samples), batch_size=batch, drop_last=drop_last)
    expected = run_loop(loader, epochs, accumulate, leftover)
    arguments: dict[str, Any] = {"gradient_accumulation_steps": accumulate, "leftover": leftover}
    if expected == 0:
        with raises(SchedulerError, "at least one step", accumulate, leftover):
            count_steps(loader, epochs, **arguments)
    else:
        assert count_steps(loader, epochs, **arguments) == expected
        by_samples = count_steps(
            samples, epochs, batch_size=batch, drop_last=drop_last, **arguments
        )
        assert by_samples == expected


@given(numbers, small_numbers, small_numbers, booleans(), booleans())
def test_samples_are_split_as_by_the_distributed_sampler(
    samples: int, batch: int, processes: int, drop_last: bool, uneven: bool
) -> None:
    data = make_rows(samples + processes * batch)  # at least one batch per process
    loaders = [
        DataLoader(
            data,
            batch_size=batch,
            drop_last=drop_last,
            sampler=DistributedSampler(data, processes, rank, drop_last=uneven),
        )
        for rank in range(processes)
    ]
    expected = {count_batches(loader) for loader in loaders}
    assert (
        expected
        == {count_steps(loaders[0], 1)}
        == {count_steps(loaders[0], 1, world_size=processes)}
    )
    if not uneven:
        arguments: dict[str, Any] = {
            "batch_size": batch,
            "world_size": processes,
            "drop_last": drop_last,
        }
        assert expected == {count_steps(len(data), 1, **arguments)}


@given(numbers, small_numbers, small_numbers, booleans())
def test_a_loader_is_split_as_by_accelerate(
    samples: int, batch: int, processes: int, drop_last: bool
) -> None:
    data = make_rows(samples + processes * batch)
    loader = DataLoader(data, batch_size=batch, drop_last=drop_last)
    prepared = [
        prepare_data_loader(loader, num_processes=processes, process_index=rank)
        for rank in range(processes)
    ]
    expected = {len(list(each.batch_sampler)) for each in prepared}
    assert expected == {count_steps(loader, 1, world_size=processes)}
    assert expected == {count_steps(prepared[0], 1)}
    if processes > 1:
        assert isinstance(prepared[0].batch_sampler, BatchSamplerShard)
        assert expected == {count_steps(prepared[0], 1, world_size=processes)}
    halves = BatchSamplerShard(
        loader.batch_sampler, processes, split_batches=batch % processes == 0
    )
    if halves.split_batches:  # each batch is split, not the loader
        assert count_batches(halves) == count_steps(loader, 1)


def test_batch_samplers_count_as_their_loader_uses_them() -> None:
    data = make_rows(100)
    shared = DistributedSampler(data, num_replicas=4, rank=0)
    loaders = [
        DataLoader(data, batch_sampler=BatchSampler(shared, 8, drop_last=True)),
        DataLoader(data, sampler=BatchSampler(shared, 8, drop_last=True), batch_size=None),
    ]
    for loader in loaders:
        assert (
            count_batches(loader)
            == count_steps(loader, 1)
            == count_steps(loader, 1, world_size=4)
            == 3
        )
        with raises(SchedulerError, "world_size", 4, 2):
            count_steps(loader, 1, world_size=2)
    plain = BatchSampler(SequentialSampler(data), 8, drop_last=True)
    for loader in [
        DataLoader(data, batch_sampler=plain),
        DataLoader(data, sampler=plain, batch_size=None),
    ]:
        prepared = BatchSamplerShard(plain, num_processes=5, process_index=0)
        assert count_batches(prepared) == count_steps(loader, 1, world_size=5) == 2


class StreamWithoutLength(IterableDataset[torch.Tensor]):
    def __iter__(self) -> Iterator[torch.Tensor]:
        return iter(torch.zeros(10, 1))


class StreamWithLength(StreamWithoutLength):
    def __len__(self) -> int:
        return 10


def test_a_stream_counts_if_it_has_a_length() -> None:
    assert count_steps(DataLoader(StreamWithLength(), batch_size=3), 2) == 8
    shard = IterableDatasetShard(StreamWithLength(), batch_size=3, num_processes=2, process_index=0)
    loader = DataLoader(shard, batch_size=3)
    assert (
        count_batches(loader) == count_steps(loader, 1) == count_steps(loader, 1, world_size=2) == 2
    )
    assert count_steps(DataLoader(StreamWithLength(), batch_size=3), 1, world_size=2) == 2
    with raises(SchedulerError, "must have a length", "DataLoader", "number of samples"):
        count_steps(DataLoader(StreamWithoutLength(), batch_size=3), 2)
    assert count_steps([torch.zeros(2), torch.zeros(1)], 2, gradient_accumulation_steps=2) == 2


@pytest.mark.integration
# Lightning 2.6 uses a class that torch 2.13 deprecates, and the loader here has no workers.
@pytest.mark.filterwarnings("ignore:.isinstance.treespec, LeafSpec.. is deprecated:FutureWarning")
@pytest.mark.filterwarnings("ignore:The 'train_dataloader' does not have many workers")
@pytest.mark.parametrize("drop_last", [False, True])
def test_it_equals_the_steps_of_lightnings_trainer(drop_last: bool) -> None:
    lightning = importlib.import_module("lightning.pytorch")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
            self.steps = 0

        def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
            return self.layer(batch[0]).sum()

        def configure_optimizers(self) -> torch.optim.Optimizer:
            self.estimated = self.trainer.estimated_stepping_batches
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            optimizer.register_step_post_hook(self.count)
            return optimizer

        def count(self, *_: Any) -> None:
            self.steps += 1

    loader = DataLoader(make_rows(23), batch_size=2, drop_last=drop_last)
    trainer = lightning.Trainer(
        max_epochs=2, accumulate_grad_batches=5, accelerator="cpu", barebones=True
    )
    model = Model()
    trainer.fit(model, loader)
    assert (
        model.steps == model.estimated == count_steps(loader, 2, gradient_accumulation_steps=5) == 6
    )


class Regression(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": self.layer(x).sum()}


def make_trainer(folder: Path, epochs: float, accumulate: int) -> Any:
    transformers = importlib.import_module("transformers")
    transformers.logging.disable_progress_bar()
    settings = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        gradient_accumulation_steps=accumulate,
        per_device_train_batch_size=2,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
    )
    data = [{"x": torch.ones(1)} for _ in range(23)]
    return transformers.Trainer(Regression(), settings, train_dataset=data)


@pytest.mark.integration
@pytest.mark.parametrize(("epochs", "accumulate"), [(2.5, 5), (0.3, 1)])
def test_it_equals_the_steps_of_transformers_trainer(
    tmp_path: Path, epochs: float, accumulate: int, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = make_trainer(tmp_path, epochs, accumulate)
    steps = []
    trainer.create_optimizer()
    trainer.optimizer.register_step_post_hook(lambda *_: steps.append(1))
    trainer.train()
    expected = count_steps(
        trainer.get_train_dataloader(), epochs, gradient_accumulation_steps=accumulate
    )
    assert len(steps) == trainer.state.max_steps == expected
    assert expected == count_steps(23, epochs, batch_size=2, gradient_accumulation_steps=accumulate)


@pytest.mark.integration
def test_fractions_of_epochs_are_those_of_transformers_bit_for_bit(tmp_path: Path) -> None:
    trainer = make_trainer(tmp_path, 1.0, 1)

    @given(floats(0.01, 50), integers(1, 5000), small_numbers)
    def agree(epochs: float, batches: int, accumulate: int) -> None:
        trainer.args.num_train_epochs = epochs
        trainer.args.gradient_accumulation_steps = accumulate
        *_, steps = trainer.set_initial_training_values(trainer.args, [None] * batches)
        assert (
            count_steps([None] * batches, epochs, gradient_accumulation_steps=accumulate) == steps
        )

    agree()


def test_numbers_of_numpy_are_numbers() -> None:
    assert count_steps(np.int64(10), np.float64(2.0), batch_size=np.int32(3)) == 8


LOADER = DataLoader(make_rows(10), batch_size=2)
MISTAKES: dict[str, tuple[dict[str, Any], tuple[Any, ...]]] = {
    "no epochs": ({"epochs": 0}, ("epochs must be a positive number", 0)),
    "epochs in words": ({"epochs": "3"}, ("epochs must be a positive number", "'3'")),
    "a boolean for epochs": ({"epochs": True}, ("epochs", True)),
    "endless epochs": ({"epochs": float("inf")}, ("epochs", "inf")),
    "no accumulation": (
        {"gradient_accumulation_steps": 0},
        ("gradient_accumulation_steps must be a positive whole number", 0),
    ),
    "a fraction of a batch": (
        {"gradient_accumulation_steps": 2.0},
        ("gradient_accumulation_steps", 2.0),
    ),
    "world_size": ({"world_size": -2}, ("world_size must be a positive whole number", -2)),
    "leftover": ({"leftover": "keep"}, ("leftover must be 'step', 'drop' or 'carry'", "'keep'")),
    "a batch size twice": ({"batch_size": 2}, ("batch_size=2", "leave them out")),
    "drop_last twice": ({"drop_last": True}, ("drop_last=True", "leave them out")),
    "no batch size": ({"data": 100}, ("batch_size", 100)),
    "batch size": ({"data": 100, "batch_size": 0}, ("batch_size must be", "positive", 0)),
    "no samples": ({"data": 0, "batch_size": 1}, ("a number of samples must be", 0)),
    "a boolean for samples": ({"data": True, "batch_size": 1}, ("number of samples", True)),
    "a fraction of samples": ({"data": 10.0, "batch_size": 1}, ("number of samples", "got 10.0")),
    "a text for samples": ({"data": "100", "batch_size": 1}, ("number of samples", "got '100'")),
    "a data set": ({"data": make_rows(10)}, ("data", "TensorDataset", "number of samples")),
    "a tensor": ({"data": torch.zeros(10, 2)}, ("data", "got Tensor")),
    "an array": ({"data": np.zeros((10, 2))}, ("data", "got ndarray")),
    "a mapping": ({"data": {"x": 1}}, ("data", "got dict")),
    "nothing": ({"data": None}, ("data must have a length", "NoneType")),
    "everything dropped": (
        {"gradient_accumulation_steps": 6, "leftover": "drop"},
        ("at least one step", "5 batches", "gradient_accumulation_steps=6", "leftover='drop'"),
    ),
    "no batches": ({"data": []}, ("at least one step", "0 batches")),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_refused(case: str) -> None:
    arguments, mentions = MISTAKES[case]
    with raises(SchedulerError, *mentions):
        count_steps(**{"data": LOADER, "epochs": 1, **arguments})
