"""The rows of several seeds beside each other, in batches that all runs of a seed share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Split, derive_seeds

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class StackedRows:
    """Rows of every seed: ``x`` and ``y`` of shape (seeds, rows, ...)."""

    x: Tensor
    y: Tensor

    @classmethod
    def from_parts(cls, parts: Sequence[Batch]) -> "StackedRows":
        """Rows of several seeds, one part each.

        Raises:
            TrainingError: seeds have different numbers of rows.
        """
        try:
            return cls(*(torch.stack(tensors) for tensors in zip(*parts, strict=True)))
        except RuntimeError:
            sizes = sorted({len(x) for x, _ in parts})
            raise TrainingError(
                "runs can be trained together only where every seed has equally many rows, got "
                f"{sizes}; use the loop, or make the split keep its sizes."
            ) from None

    def select_seeds(self, seeds: Tensor) -> "StackedRows":
        """The rows of some of the seeds."""
        return StackedRows(self.x[seeds], self.y[seeds])


class Batches:
    """The batches of every epoch, in the order that each seed gives them.

    Args:
        seeds: those of the rows.
        rows: to train on.
        batch_size: of a batch; the last one of an epoch may be smaller.
        shuffle: whether they are reshuffled every epoch, as the loop does it.
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
            None if shuffle else [self._slice_batch(places) for places in self._indices]
        )

    def iter_epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch: inputs and targets of shape (seeds, rows of it, ...)."""
        if self._fixed_batches is not None:
            yield from self._fixed_batches
            return
        rows = self.rows.x.shape[1]
        order = torch.stack([torch.randperm(rows, generator=own) for own in self._generators])
        order = order.to(self.rows.x.device)
        seeds = torch.arange(len(order), device=order.device)[:, None]
        for places in self._indices:
            batch_rows = order[:, places[0] : places[-1] + 1]
            yield self.rows.x[seeds, batch_rows], self.rows.y[seeds, batch_rows]

    def _slice_batch(self, indices: Tensor) -> Batch:
        first, last = int(indices[0]), int(indices[-1])
        x, y = self.rows.x[:, first : last + 1], self.rows.y[:, first : last + 1]
        return x.contiguous(), y.contiguous()

    def keep_seeds(self, seeds: Tensor) -> None:
        """Goes on with some of the seeds."""
        self.rows = self.rows.select_seeds(seeds)
        self._generators = [self._generators[i] for i in seeds.tolist()]
        if self._fixed_batches is not None:
            self._fixed_batches = [self._slice_batch(places) for places in self._indices]


def stack_validation_rows(splits: Sequence[Split]) -> StackedRows | None:
    """The rows held out of every seed, if there are any."""
    parts = [(s.x_validation, s.y_validation) for s in splits]
    available = [(x, y) for x, y in parts if x is not None and y is not None]
    return StackedRows.from_parts(available) if available else None
