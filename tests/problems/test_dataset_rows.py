"""Batches of torch data sets: seeds, order, worker processes, splits."""

import os
import random
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset, TensorDataset, default_collate

from lrlab import Problem, ProblemError, TrainingError
from lrlab.problems import derive_seeds
from lrlab.problems.dataset_rows import BatchKey, BatchLoader, DatasetSplit, ItemReader
from lrlab.problems.split import Batch
from tests.raising import raises

ROWS = 30
X = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0))
Y = torch.arange(ROWS) % 2


class Noisy(Dataset[Any]):
    """Rows with noise from all random numbers that transforms draw from."""

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        noise = float(torch.randn(())) + np.random.normal() + random.gauss()  # noqa: NPY002
        return X[index] + noise, int(Y[index])


class ReadInBatches(TensorDataset):
    """A data set that reads many items at once, as Hugging Face's do."""

    def __getitem__(self, index: int) -> Any:
        raise AssertionError("items must be read in batches")

    def __getitems__(self, indices: list[int]) -> list[Any]:
        return [(X[i], Y[i]) for i in indices]


class Failing(Noisy):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17:
            raise OSError("truncated file")
        return super().__getitem__(index)


class Dying(Noisy):
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        if index == 17 and torch.utils.data.get_worker_info():
            os._exit(1)
        return super().__getitem__(index)


def make_problem(dataset: Any, test: Any = None, **options: Any) -> Problem:
    model = partial(nn.Linear, 3, 2)
    return Problem.from_datasets(dataset, test, model, **options, in_memory=False)


def split(problem: Problem, seed: int = 0, validation_rows: int = 0) -> DatasetSplit:
    rows = problem.split_rows(seed, validation_rows)
    assert isinstance(rows, DatasetSplit)
    return rows


def list_batches(rows: DatasetSplit, epoch: int = 0, order: Tensor | None = None) -> list[Batch]:
    return list(rows.iter_train_batches(8, order, epoch))


def assert_same(first: list[Batch], second: list[Batch]) -> None:
    for (x, y), (other_x, other_y) in zip(first, second, strict=True):
        assert torch.equal(x, other_x)
        assert torch.equal(y, other_y)


def test_random_transforms_draw_from_the_seed_of_their_batch() -> None:
    rows = split(make_problem(Noisy()), seed=5)
    order = torch.randperm(rows.train_rows)
    for epoch in (0, 3):
        seeds = np.random.SeedSequence(derive_seeds(5).augmentation, spawn_key=(0, epoch))
        expected = []
        for indices, seed in zip(order.split(8), seeds.generate_state(3).tolist(), strict=True):
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            expected.append(default_collate([Noisy()[rows.train[i]] for i in indices]))
        assert_same(list_batches(rows, epoch, order), expected)


def test_every_epoch_seed_and_part_has_its_own_random_numbers() -> None:
    def list_noise(batches: Any, known: Tensor) -> list[float]:
        noisy = torch.cat([x for x, _ in batches])
        return [round(float(value), 4) for value in (noisy - known)[:, 0]]

    noise = []
    for seed in (0, 1):
        rows = split(make_problem(Noisy()), seed, validation_rows=6)
        assert rows.validation is not None
        for epoch in (0, 1):
            noise += list_noise(list_batches(rows, epoch), X[rows.train])
        for _ in range(2):  # the same at the end of every epoch
            test_noise = list_noise(rows.iter_test_batches(8), X[rows.test])
            held_out = list_noise(rows.iter_validation_batches(8), X[rows.validation])
        noise += [*test_noise, *held_out]
    assert len(set(noise)) == len(noise)


def test_given_test_rows_have_the_same_noise_for_every_seed() -> None:
    problem = make_problem(Noisy(), Noisy())
    assert_same(
        list(split(problem, 0).iter_test_batches(8)), list(split(problem, 1).iter_test_batches(8))
    )


@pytest.mark.integration
def test_worker_processes_change_nothing() -> None:
    single, double = (split(make_problem(Noisy(), num_workers=n), 3, 6) for n in (0, 2))
    for epoch in (0, 1):
        assert_same(list_batches(double, epoch), list_batches(single, epoch))
        assert_same(list(double.iter_test_batches(5)), list(single.iter_test_batches(5)))
    assert torch.equal(double.y_train, single.y_train)


@pytest.mark.integration
def test_a_pass_that_is_given_up_leaves_nothing_behind() -> None:
    rows = split(make_problem(Noisy(), num_workers=1))
    expected = list_batches(split(make_problem(Noisy())), epoch=1)
    next(rows.iter_train_batches(1, None, epoch=0))
    assert_same(list_batches(rows, epoch=1), expected)


def read_item(dataset: Any, key: BatchKey) -> Any:
    return ItemReader(dataset, "train", default_collate, torch.float32).read(key.indices)


@pytest.mark.integration
def test_errors_of_worker_processes_name_the_item_or_the_process() -> None:
    keys = [BatchKey("train", 0, [1, 17])]
    with raises(ProblemError, "item 17 of train", "OSError: truncated file"):
        list(BatchLoader(partial(read_item, Failing()), num_workers=1).load(keys))
    with raises(TrainingError, "worker process", "num_workers"):
        list(BatchLoader(partial(read_item, Dying()), num_workers=1).load(keys))


def test_two_passes_at_once_are_refused() -> None:
    rows = split(make_problem(Noisy()))
    first = rows.iter_train_batches(8, None, epoch=0)
    next(first)
    next(rows.iter_test_batches(8))
    with pytest.raises(AssertionError, match="another pass"):
        next(first)


def test_data_sets_that_read_many_items_at_once_do_so() -> None:
    rows = split(make_problem(ReadInBatches(X, Y)))
    assert_same(list_batches(rows), list_batches(split(make_problem(TensorDataset(X, Y)))))


def test_devices_get_the_batches() -> None:
    rows = split(make_problem(TensorDataset(X, Y))).to("meta")
    x, y = next(rows.iter_test_batches(4))
    assert x.device.type == y.device.type == "meta"


def test_fewer_rows_are_the_first_ones() -> None:
    rows = split(make_problem(TensorDataset(X, Y)))
    fewer = rows.truncate(10, 4)
    assert (fewer.train_rows, fewer.test_rows) == (10, 4)
    assert torch.equal(fewer.y_train, rows.y_train[:10])
    assert torch.equal(fewer.y_test, rows.y_test[:4])
