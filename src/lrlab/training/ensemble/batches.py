"""Stacked rows of several seeds, and the batches that all runs of a seed share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Split, derive_seeds

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class StackedRows:
    """The rows of all seeds: ``x`` and ``y`` of shape (seeds, rows, ...)."""

    x: Tensor
    y: Tensor

    @classmethod
    def from_parts(cls, parts: Sequence[Batch]) -> "StackedRows":
        """Stack the rows of several seeds.

        Args:
            parts: inputs and targets of each seed.

        Raises:
            TrainingError: seeds have different numbers of rows.
        """
        try:
            return cls(*(torch.stack(tensors) for tensors in zip(*parts, strict=True)))
        except RuntimeError:
            sizes = " and ".join(map(str, sorted({len(x) for x, _ in parts})))
            raise TrainingError(
                f"the ensemble needs equally many rows for every seed, got {sizes}; use "
                '`engine="loop"`, or give every split the same sizes.'
            ) from None

    def select_seeds(self, seeds: Tensor) -> "StackedRows":
        """Return the rows of some of the seeds."""
        return StackedRows(self.x[seeds], self.y[seeds])


class Batches:
    """The batches of every epoch, in the order of the loop.

    Args:
        seeds: the seeds of the rows.
        rows: the training rows.
        batch_size: rows per batch; the last batch of an epoch may be smaller.
        shuffle: whether the rows are shuffled before every epoch.
    """

    def __init__(
        self, seeds: Sequence[int], rows: StackedRows, batch_size: int, shuffle: bool
    ) -> None:
        self.rows = rows
        self._generators = [
            torch.Generator().manual_seed(derive_seeds(seed).batch_order) for seed in seeds
        ]
        self._indices = torch.arange(rows.x.shape[1]).split(min(batch_size, rows.x.shape[1]))
        self.batch_sizes = [len(indices) for indices in self._indices]
        self._fixed_batches = (
            None if shuffle else [self._slice_batch(indices) for indices in self._indices]
        )

    def iter_epoch(self) -> Iterator[Batch]:
        """Yield the batches of the next epoch: inputs and targets of shape (seeds, rows, ...)."""
        if self._fixed_batches is not None:
            yield from self._fixed_batches
            return
        rows = self.rows.x.shape[1]
        order = torch.stack([torch.randperm(rows, generator=g) for g in self._generators])
        order = order.to(self.rows.x.device)
        seeds = torch.arange(len(order), device=order.device)[:, None]
        for indices in self._indices:
            batch_rows = order[:, indices[0] : indices[-1] + 1]
            yield self.rows.x[seeds, batch_rows], self.rows.y[seeds, batch_rows]

    def keep_seeds(self, seeds: Tensor) -> None:
        """Drop all other seeds."""
        self.rows = self.rows.select_seeds(seeds)
        self._generators = [self._generators[i] for i in seeds.tolist()]
        if self._fixed_batches is not None:
            self._fixed_batches = [self._slice_batch(indices) for indices in self._indices]

    def _slice_batch(self, indices: Tensor) -> Batch:
        first, last = int(indices[0]), int(indices[-1])
        x, y = self.rows.x[:, first : last + 1], self.rows.y[:, first : last + 1]
        return x.contiguous(), y.contiguous()


def stack_validation_rows(splits: Sequence[Split]) -> StackedRows | None:
    """Stack the validation rows of all seeds; None if there are none."""
    parts = [(s.x_validation, s.y_validation) for s in splits]
    available = [(x, y) for x, y in parts if x is not None and y is not None]
    return StackedRows.from_parts(available) if available else None
