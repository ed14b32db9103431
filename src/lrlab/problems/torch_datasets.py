"""Problems from torch data sets: stacked in memory if possible, else through a ``DataLoader``."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    IterableDataset,
    Subset,
    TensorDataset,
    default_collate,
)

from lrlab._checks import to_integer
from lrlab.errors import ProblemError, shorten_repr
from lrlab.problems.arrays import (
    check_class_sizes,
    count_test_rows,
    get_input_type,
    prepare_targets,
    to_target_array,
)
from lrlab.problems.dataset_rows import (
    READ_ROWS,
    BatchKey,
    BatchLoader,
    Collate,
    DatasetRows,
    ItemReader,
    MapDataset,
)
from lrlab.problems.dry_run import build_network, check_loss_and_metric, compute_outputs
from lrlab.problems.metrics import Loss, Metric, Task
from lrlab.problems.seeds import fork_all_rngs

IN_MEMORY_LIMIT = 1 << 30
"""Bytes that stacked items may take, 1 GiB, unless ``in_memory=True``.

The processes of a study share the items, but each copies the rows of the seed that it trains, and a
machine has a process per core. The limit is the same on every machine, so that a study continues
with the same engine when it moves to another one.
"""

_SAMPLE_ROWS = 8


@dataclass(frozen=True, eq=False)
class DatasetArrays:
    """The items of data sets, stacked: what ``Problem.from_arrays`` takes."""

    x: Tensor
    y: NDArray[Any]
    x_test: Tensor | None = None
    y_test: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False)
class LoaderData:
    """The data of a problem whose batches a ``DataLoader`` reads.

    Args:
        rows: its rows.
        task: loss, metric and dummy output.
        summary: rows and targets in a few words.
        data_warnings: warnings about likely mistakes.
        loop_only_reason: why it is not in memory, as a sentence without a full stop.
    """

    rows: DatasetRows
    task: Task
    summary: str
    data_warnings: tuple[str, ...]
    loop_only_reason: str


def prepare_datasets(
    train: MapDataset,
    test: MapDataset | None,
    model: Callable[[], nn.Module],
    *,
    loss: Loss | None,
    metric: str | Metric | None,
    task: str | None,
    test_size: float,
    unaugmented_train: MapDataset | None,
    collate_fn: Collate | None,
    num_workers: int,
    in_memory: bool | None,
) -> DatasetArrays | LoaderData:
    """Read and check the arguments of ``Problem.from_datasets``, which documents them.

    Raises:
        ProblemError: the arguments do not fit together, or an item cannot be read.
    """
    network = build_network(model)
    collate = default_collate if collate_fn is None else collate_fn
    if not callable(collate):
        raise ProblemError(
            "collate_fn must be a function that makes a batch of a list of items, got "
            f"{shorten_repr(collate)}."
        )
    workers = to_integer(num_workers)
    if workers is None or workers < 0:
        raise ProblemError(f"num_workers must be a whole number, 0 or more, got {num_workers!r}.")
    read_sample = partial(_Sample.from_dataset, collate=collate, input_type=get_input_type(network))
    train_sample = read_sample(train, "train")
    test_sample = None if test is None else read_sample(test, "test")
    held_out = train_sample
    if unaugmented_train is not None:
        held_out = read_sample(unaugmented_train, "unaugmented_train")
    rows = len(train_sample.reader)
    if len(held_out.reader) != rows:
        raise ProblemError(
            "unaugmented_train must have the items of train, without random transforms, got "
            f"{len(held_out.reader)} items for {rows}."
        )
    samples = [train_sample] if test_sample is None else [train_sample, test_sample]
    outputs, *_ = [_compute_outputs(network, sample) for sample in (*samples, held_out)]

    if in_memory is False:
        reason = "in_memory is False"
    elif unaugmented_train is not None:
        reason = "validation rows are items of unaugmented_train, not of train"
    else:
        stacked = _stack_samples(samples, workers, is_limited=in_memory is None)
        if isinstance(stacked, DatasetArrays):
            return stacked
        reason = stacked
    if in_memory:
        raise ProblemError(
            f"in_memory=True needs items of one shape that never change, but {reason}; leave out "
            "`in_memory`."
        )

    values = None
    if train_sample.y.size == len(train_sample.y):  # else they may need as much memory as inputs
        values = np.concatenate([sample.read_targets(workers) for sample in samples])
    targets = prepare_targets(
        train_sample.y if values is None else values, outputs, loss, metric, task
    )
    check_loss_and_metric(
        targets.task, network, train_sample.x, targets.encoding.encode(train_sample.y)
    )
    strata = None if values is None or test_sample is not None else targets.labels
    if test_sample is None:
        test_rows, seeds_text = count_test_rows(rows, test_size), "drawn by every seed"
    else:
        test_rows, seeds_text = len(test_sample.reader), "the same for every seed"
    if strata is not None:
        check_class_sizes(strata, test_rows)
    dataset_rows = DatasetRows(
        train=train_sample.reader,
        held_out=held_out.reader,
        test=None if test_sample is None else test_sample.reader,
        encoding=targets.encoding,
        test_rows=test_rows,
        strata=strata,
        labels=None if values is None else targets.encoded.flatten().numpy()[:rows],
        num_workers=workers,
    )
    return LoaderData(
        rows=dataset_rows,
        task=targets.task,
        summary=(
            f"{dataset_rows.train_rows + test_rows} rows of shape "
            f"{tuple(train_sample.x.shape[1:])}, {targets.summary}; {test_rows} test rows, "
            f"{seeds_text}; read in batches"
        ),
        data_warnings=_list_warnings(held_out, has_test=test_sample is not None),
        loop_only_reason=f"{reason}, so every batch is read from the data set",
    )


def _compute_outputs(network: nn.Module, sample: "_Sample") -> Tensor:
    try:
        return compute_outputs(network, sample.x, sample.reader.name)
    except ProblemError as error:
        if sample.x.is_floating_point():
            raise
        raise ProblemError(
            f"{str(error).rstrip('.')}; if these are images of whole numbers, convert them to "
            "floats with a transform such as torchvision's ToTensor, or in `collate_fn`."
        ) from error


@dataclass(frozen=True, eq=False)
class _Sample:
    """A few items from all over a data set.

    Args:
        reader: reads the data set.
        indices: the items.
        x, y: their inputs and targets.
        is_random: whether they change with the random numbers.
    """

    reader: ItemReader
    indices: list[int]
    x: Tensor
    y: NDArray[Any]
    is_random: bool

    @classmethod
    def from_dataset(
        cls, dataset: MapDataset, name: str, collate: Collate, input_type: torch.dtype
    ) -> "_Sample":
        """Read the items, with the same random numbers twice, and then with others."""
        _check_dataset(dataset, name)
        reader = ItemReader(dataset, name, collate, input_type)
        indices = np.unique(np.linspace(0, len(reader) - 1, _SAMPLE_ROWS, dtype=int)).tolist()
        x, y = _read_repeatably(reader, indices)
        with fork_all_rngs(1):
            others = reader.read(indices)
        return cls(reader, indices, x, y, is_random=not _are_equal((x, y), others))

    @property
    def bytes_per_row(self) -> int:
        """Bytes of a row in memory."""
        return (self.x.numel() * self.x.element_size() + self.y.nbytes) // len(self.x)

    def is_rowwise(self) -> bool:
        """Read the items one by one, and return whether that gives the same rows."""
        with fork_all_rngs(0):
            parts = [self.reader.read([index]) for index in self.indices]
        return all(self.is_like(x, y) for x, y in parts) and _are_equal(
            (self.x, self.y),
            (torch.cat([x for x, _ in parts]), np.concatenate([y for _, y in parts])),
        )

    def is_like(self, x: Tensor, y: NDArray[Any]) -> bool:
        """Whether rows have the shape and the type of these."""
        return (
            x.shape[1:] == self.x.shape[1:]
            and x.dtype == self.x.dtype
            and y.shape[1:] == self.y.shape[1:]
            and y.dtype.kind == self.y.dtype.kind
        )

    def read_all(self, num_workers: int) -> tuple[Tensor, NDArray[Any]] | str:
        """Read all items twice and stack them, or return why that is not possible."""
        x = torch.empty((len(self.reader), *self.x.shape[1:]), dtype=self.x.dtype)
        targets: list[NDArray[Any]] = []
        loader = BatchLoader(self.reader.read_batch, num_workers)
        keys = self._plan_pass(seed=0)
        for key, (part, y) in zip(keys, loader.load(keys), strict=True):
            if not self.is_like(part, y):
                return f"the items of {self.reader.name} differ in shape or type"
            x[key.indices] = part
            targets.append(y)
        keys = self._plan_pass(seed=1)
        for key, again, y in zip(keys, loader.load(keys), targets, strict=True):
            if not _are_equal((x[key.indices], y), again):
                _read_repeatably(self.reader, key.indices)
                return _describe_randomness(self.reader.name)
        return x, np.concatenate(targets)

    def read_targets(self, num_workers: int) -> NDArray[Any]:
        """Return the targets of all items: those that the data set has, or else item by item."""
        with suppress(ProblemError, AttributeError, TypeError, ValueError, IndexError):
            found = to_target_array(_find_targets(self.reader.dataset), "targets", self.reader)
            if found.dtype.kind == self.y.dtype.kind and np.array_equal(
                found[self.indices], self.y
            ):
                return found
        loader = BatchLoader(self.reader.read_targets, num_workers)
        return np.concatenate(list(loader.load(self._plan_pass(seed=0))))

    def _plan_pass(self, seed: int) -> list[BatchKey]:
        indices = list(range(len(self.reader)))
        return [
            BatchKey(self.reader.name, seed, indices[start : start + READ_ROWS])
            for start in range(0, len(indices), READ_ROWS)
        ]


def _check_dataset(dataset: Any, name: str) -> None:
    if isinstance(dataset, DataLoader):
        raise ProblemError(
            f"{name} must be a Dataset, got a DataLoader, which has batches and seeds of its own; "
            "give its data set, loader.dataset, with `num_workers` and `collate_fn`."
        )
    if isinstance(dataset, Tensor | np.ndarray | pd.DataFrame | tuple):
        raise ProblemError(
            f"{name} must be a Dataset, got {type(dataset).__name__}; use "
            "Problem.from_arrays(x, y, model)."
        )
    if (
        isinstance(dataset, type | IterableDataset)
        or not hasattr(dataset, "__getitem__")
        or not hasattr(dataset, "__len__")
    ):
        raise ProblemError(
            f"{name} must be a Dataset with __len__ and __getitem__, got {shorten_repr(dataset)}: "
            "every seed splits and shuffles the items by their numbers; read a stream in a "
            "TrainingFunction."
        )
    if len(dataset) == 0:
        raise ProblemError(f"{name} must have items, got a data set of length 0.")


def _stack_samples(
    samples: list[_Sample], num_workers: int, is_limited: bool
) -> DatasetArrays | str:
    """Stack the items of training and test data, or return why that is not possible."""
    for sample in samples:
        if sample.is_random:
            return _describe_randomness(sample.reader.name)
        if not sample.is_rowwise():
            return f"`collate_fn` changes the items of {sample.reader.name} by their neighbors"
    if any(not samples[0].is_like(sample.x, sample.y) for sample in samples):
        return "the items of test differ from those of train in shape or type"
    size = sum(len(sample.reader) * sample.bytes_per_row for sample in samples)
    if is_limited and size > IN_MEMORY_LIMIT:
        return f"its items take {size / 1e9:.3g} GB, more than {IN_MEMORY_LIMIT / 1e9:.3g} GB"
    arrays: list[Any] = []
    for sample in samples:
        stacked = sample.read_all(num_workers)
        if isinstance(stacked, str):
            return stacked
        arrays += stacked
    return DatasetArrays(*arrays)


def _describe_randomness(name: str) -> str:
    return f"the items of {name} have random transforms"


def _list_warnings(held_out: _Sample, has_test: bool) -> tuple[str, ...]:
    if not held_out.is_random:
        return ()
    rows = "validation rows" if has_test else "validation and test rows"
    return (
        f"{rows} are items of {held_out.reader.name}, with its random transforms; give the same "
        "items without them as `unaugmented_train`.",
    )


def _read_repeatably(reader: ItemReader, indices: list[int]) -> tuple[Tensor, NDArray[Any]]:
    """Read items, and check that the same random numbers give the same items."""
    batches = []
    for _ in range(2):
        with fork_all_rngs(0):
            batches.append(reader.read(indices))
    if not _are_equal(*batches):
        raise ProblemError(
            f"an item of {reader.name} must be the same whenever it is read with the same random "
            f"numbers, but one of {indices} changes; draw from torch, np.random or random, which "
            "lrlab seeds for every batch, or seed a generator of your own from torch.randint in "
            "__getitem__."
        )
    return batches[0]


def _are_equal(first: tuple[Tensor, NDArray[Any]], second: tuple[Tensor, NDArray[Any]]) -> bool:
    return torch.equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def _find_targets(dataset: Any) -> Any:
    """Return the targets that a data set has as an attribute; raise if it has none.

    Raises:
        ValueError, AttributeError: it has none.
    """
    match dataset:
        case TensorDataset():
            _, targets = dataset.tensors
            return targets
        case Subset():
            return np.asarray(_find_targets(dataset.dataset))[np.asarray(dataset.indices)]
        case ConcatDataset():
            return np.concatenate([_find_targets(part) for part in dataset.datasets])
        case _:
            return dataset.targets
