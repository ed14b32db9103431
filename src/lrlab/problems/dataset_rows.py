"""The rows of torch data sets, which a ``DataLoader`` reads in batches."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lrlab.errors import LrlabError, ProblemError, TrainingError
from lrlab.problems.arrays import TargetEncoding, to_input_tensor, to_target_array
from lrlab.problems.seeds import derive_seeds, fork_all_rngs
from lrlab.problems.split import Batch, draw_rows, draw_validation_rows
from lrlab.user_code import describe_error, locate_error

READ_ROWS = 64
"""Rows of the batches in which a data set is read outside of training."""

Collate = Callable[[list[Any]], Any]


class MapDataset(Protocol):
    """A data set whose items have numbers, as torch's ``Dataset``, or a list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Any: ...


@dataclass(frozen=True, eq=False)
class ItemReader:
    """Reads items of a data set, as batches of inputs and targets.

    Args:
        dataset: the data set.
        name: its name in errors.
        collate: makes a batch of a list of items: inputs, one tensor, and targets.
        input_type: type of inputs that are floats.
    """

    dataset: MapDataset
    name: str
    collate: Collate
    input_type: torch.dtype

    def __len__(self) -> int:
        return len(self.dataset)

    def read(self, indices: Sequence[int]) -> tuple[Tensor, NDArray[Any]]:
        """Read a batch of items.

        Raises:
            ProblemError: an item cannot be read, or the items make no batch of finite numbers.
        """
        items = self._fetch(indices)
        try:
            batch = self.collate(items)
        except Exception as error:
            raise ProblemError(
                f"items {', '.join(map(str, indices[:3]))}, ... of {self.name} must make a batch, "
                f"but that fails ({locate_error(error)}): {describe_error(error)}; return tensors "
                "of one shape, as torchvision's ToTensor does, or give `collate_fn`."
            ) from error
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ProblemError(
                f"an item of {self.name} must be a pair of inputs and target, got "
                f"{_describe_batch(batch)}; return such a pair, or give `collate_fn`, a function "
                "that makes a pair of tensors of a list of items."
            )
        x, y = batch
        if not isinstance(x, Tensor):
            raise ProblemError(
                f"the inputs of an item of {self.name} must be one tensor, got "
                f"{_describe_batch(x)}; give `collate_fn`, or train a network of several inputs by "
                "a TrainingFunction."
            )
        if x.shape[:1] != (len(indices),):
            raise ProblemError(
                "a batch must have a row for each of its items, got inputs of shape "
                f"{tuple(x.shape)} for {len(indices)} items of {self.name}; correct `collate_fn`."
            )
        is_finite = x.unsqueeze(-1).flatten(1).isfinite().all(dim=1)
        if not is_finite.all():
            raise ProblemError(
                f"item {indices[int(is_finite.int().argmin())]} of {self.name} must hold finite "
                "numbers, but its input has missing or infinite values; fill them in or drop such "
                "items."
            )
        inputs = to_input_tensor(x, f"the input of an item of {self.name}", self.input_type)
        return inputs, to_target_array(y, f"the target of an item of {self.name}", inputs)

    def read_batch(self, key: "BatchKey") -> tuple[Tensor, NDArray[Any]]:
        """Read the items of a batch."""
        return self.read(key.indices)

    def read_targets(self, key: "BatchKey") -> NDArray[Any]:
        """Read the targets of a batch."""
        return self.read(key.indices)[1]

    def _fetch(self, indices: Sequence[int]) -> list[Any]:
        fetch_all = getattr(self.dataset, "__getitems__", None)  # as the DataLoader does
        if callable(fetch_all):
            with suppress(Exception):  # below item by item, to name the one that fails
                return list(fetch_all(list(indices)))
        return [self._fetch_item(index) for index in indices]

    def _fetch_item(self, index: int) -> Any:
        try:
            return self.dataset[index]
        except Exception as error:
            raise ProblemError(
                f"item {index} of {self.name} cannot be read ({locate_error(error)}): "
                f"{describe_error(error)}."
            ) from error


def _describe_batch(value: object) -> str:
    match value:
        case dict():
            return f"a dictionary with {', '.join(map(str, value))}"
        case tuple() | list():
            return f"{len(value)} of them" if len(value) != 1 else "one of them"
        case _:
            return f"one {type(value).__name__}"


class BatchKey(NamedTuple):
    """A batch to be read.

    Args:
        part: the part of the split that it belongs to.
        seed: seed of the random transforms of its items.
        indices: its items.
    """

    part: str
    seed: int
    indices: list[int]


Read = TypeVar("Read")


class BatchLoader(Generic[Read]):
    """Reads batches, in the worker processes of a ``DataLoader`` if there are any.

    All passes over the data share the worker processes, which end with the loader. Random
    transforms draw from the seed of their batch: neither the number of workers nor the order of
    their answers matters.

    Args:
        read: reads a batch.
        num_workers: number of worker processes; 0 reads in this process.
        device: device to load for, as torch names it.
    """

    def __init__(
        self, read: Callable[[BatchKey], Read], num_workers: int, device: str = "cpu"
    ) -> None:
        self._keys: list[BatchKey] = []
        self._passes = 0
        self._loader: DataLoader[Read | LrlabError] = DataLoader(
            _BatchDataset(read),
            sampler=self._keys,
            batch_size=None,  # the keys are batches already
            collate_fn=_return_unchanged,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            pin_memory=torch.device(device).type == "cuda",
            generator=torch.Generator(),  # else every pass draws from the caller's random numbers
        )

    def load(self, keys: Iterable[BatchKey]) -> Iterator[Read]:
        """Yield batches in order; one pass at a time, since passes share the worker processes.

        Raises:
            ProblemError: a batch cannot be read.
            TrainingError: a worker process fails, for example for lack of memory.
        """
        self._keys[:] = keys
        self._passes = number = self._passes + 1
        try:
            for batch in self._loader:
                assert self._passes == number, "another pass has begun"
                if isinstance(batch, LrlabError):
                    raise batch
                yield batch
        except RuntimeError as error:
            if not self._loader.num_workers:
                raise
            raise TrainingError(
                f"a worker process of the DataLoader failed, {describe_error(error)}; use "
                "`num_workers=0` to see where, or fewer workers if memory is short."
            ) from error


class _BatchDataset(Dataset[Any]):
    """The batches as items, and errors likewise: a worker's traceback would hide their message."""

    def __init__(self, read: Callable[[BatchKey], Any]) -> None:
        self._read = read

    def __getitem__(self, key: BatchKey) -> Any:
        try:
            with fork_all_rngs(key.seed):
                return self._read(key)
        except LrlabError as error:
            return error


def _return_unchanged(value: Any) -> Any:
    return value


@dataclass(frozen=True, eq=False)
class DatasetRows:
    """The rows of a problem whose batches a ``DataLoader`` loads.

    Args:
        train: reads training rows.
        held_out: reads validation rows, and the test rows that a seed draws.
        test: reads test rows that are the same for every seed; None if every seed draws its own.
        encoding: encodes the targets for the loss.
        test_rows: number of test rows.
        strata: class of every row of ``train``, to draw test rows; None to draw without classes.
        labels: the same to draw validation rows.
        num_workers: number of worker processes of each loader.
    """

    train: ItemReader
    held_out: ItemReader
    test: ItemReader | None
    encoding: TargetEncoding
    test_rows: int
    strata: NDArray[Any] | None
    labels: NDArray[Any] | None
    num_workers: int

    @property
    def train_rows(self) -> int:
        """Number of training rows."""
        return len(self.train) - (self.test_rows if self.test is None else 0)

    def split(self, seed: int) -> "DatasetSplit":
        """Split the rows by a seed."""
        if self.test is not None:
            return DatasetSplit(self, seed, np.arange(len(self.train)), np.arange(self.test_rows))
        train, test = draw_rows(
            len(self.train), self.test_rows, derive_seeds(seed).split, self.strata
        )
        return DatasetSplit(self, seed, train, test)

    def read_batch(self, key: BatchKey) -> Batch:
        """Read a batch as network and loss take it."""
        readers = {
            "train": self.train,
            "validation": self.held_out,
            "test": self.held_out if self.test is None else self.test,
        }
        x, y = readers[key.part].read(key.indices)
        return x, self.encoding.encode(y)


_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class DatasetSplit:
    """The training, validation and test rows of one seed, which a ``DataLoader`` loads in batches.

    Args:
        rows: the rows of the problem.
        seed: the seed; also of random transforms.
        train, test: indices of the items.
        validation: indices of the validation rows; None if there are none.
        device: device that gets the batches, as torch names it.
    """

    rows: DatasetRows
    seed: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]
    validation: NDArray[np.intp] | None = None
    device: str = "cpu"

    target_scale: ClassVar[float] = 1.0
    target_mean: ClassVar[float | None] = None

    def to(self, device: str) -> Self:
        """Return the same rows, loaded to another device."""
        return replace(self, device=device)

    def hold_out(self, validation_rows: int, seed: int, has_classes: bool) -> Self:
        """Move randomly drawn training rows to the validation rows; see ``Split.hold_out``."""
        if not validation_rows:
            return self
        labels = self.rows.labels if has_classes else None
        train, validation = draw_validation_rows(
            len(self.train), validation_rows, seed, None if labels is None else labels[self.train]
        )
        return replace(self, train=self.train[train], validation=self.train[validation])

    def truncate(self, train_rows: int, test_rows: int) -> Self:
        """Return the first training rows and the first test rows."""
        return replace(self, train=self.train[:train_rows], test=self.test[:test_rows])

    @property
    def train_rows(self) -> int:
        """Number of training rows."""
        return len(self.train)

    @property
    def test_rows(self) -> int:
        """Number of test rows."""
        return len(self.test)

    def iter_train_batches(
        self, batch_size: int, order: Tensor | None, epoch: int
    ) -> Iterator[Batch]:
        """Load the training rows in batches; the last may be smaller.

        Args:
            batch_size: rows per batch.
            order: the rows in the order of their batches; None for the order of the data.
            epoch: number of the epoch, which random transforms depend on.
        """
        indices = self.train if order is None else self.train[order.numpy()]
        return self._load("train", indices, batch_size, epoch)

    def iter_test_batches(self, batch_size: int) -> Iterator[Batch]:
        """Load the test rows in batches, with the same random transforms every time."""
        return self._load("test", self.test, batch_size)

    def iter_validation_batches(self, batch_size: int) -> Iterator[Batch]:
        """Load the validation rows likewise; none without validation rows."""
        indices = self.validation
        return iter(()) if indices is None else self._load("validation", indices, batch_size)

    @cached_property
    def y_train(self) -> Tensor:
        """The targets of all training rows, which are loaded for that."""
        return _concatenate_targets(self.iter_train_batches(READ_ROWS, None, epoch=0))

    @cached_property
    def y_test(self) -> Tensor:
        """The targets of all test rows, which are loaded for that."""
        return _concatenate_targets(self.iter_test_batches(READ_ROWS))

    @cached_property
    def y_validation(self) -> Tensor | None:
        """The targets of all validation rows, which are loaded for that; None without any."""
        if self.validation is None:
            return None
        return _concatenate_targets(self.iter_validation_batches(READ_ROWS))

    def _load(
        self, part: str, indices: NDArray[np.intp], batch_size: int, epoch: int = 0
    ) -> Iterator[Batch]:
        # Test rows that are the same for every seed stay so with random transforms too.
        seed = 0 if part == "test" and self.rows.test is not None else self.seed
        for x, y in self._loader.load(plan_batches(part, indices, batch_size, seed, epoch)):
            yield x.to(self.device, non_blocking=True), y.to(self.device, non_blocking=True)

    @cached_property
    def _loader(self) -> BatchLoader[Batch]:
        return BatchLoader(self.rows.read_batch, self.rows.num_workers, self.device)


def plan_batches(
    part: str, indices: NDArray[np.intp], batch_size: int, seed: int, epoch: int
) -> list[BatchKey]:
    """Return the batches of a pass; their seeds depend on the part, the epoch and their place."""
    starts = range(0, len(indices), batch_size)
    sequence = np.random.SeedSequence(
        derive_seeds(seed).augmentation, spawn_key=(_PARTS.index(part), epoch)
    )
    seeds = sequence.generate_state(len(starts)).tolist()
    return [
        BatchKey(part, batch_seed, indices[start : start + batch_size].tolist())
        for batch_seed, start in zip(seeds, starts, strict=True)
    ]


def _concatenate_targets(batches: Iterator[Batch]) -> Tensor:
    return torch.cat([y for _, y in batches])
