"""The rows of several seeds beside each other, in batches that all runs of a seed share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lrlab.errors import TrainingError
from lrlab.problems import Split, streams

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of every seed: ``x`` and ``y`` of shape (seeds, rows, ...)."""

    x: Tensor
    y: Tensor

    @classmethod
    def of(cls, parts: Sequence[Batch]) -> "Rows":
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

    def kept(self, seeds: Tensor) -> "Rows":
        """The rows of some of the seeds."""
        return Rows(self.x[seeds], self.y[seeds])


class Batches:
    """The batches of every epoch, in the order that each seed gives them.

    Args:
        seeds: those of the rows.
        rows: to train on.
        size: of a batch; the last one of an epoch may be smaller.
        shuffle: whether they are reshuffled every epoch, as the loop does it.
    """

    def __init__(self, seeds: Sequence[int], rows: Rows, size: int, shuffle: bool) -> None:
        self.rows = rows
        self._orders = [torch.Generator().manual_seed(streams(seed).order) for seed in seeds]
        self._places = torch.arange(rows.x.shape[1]).split(min(size, rows.x.shape[1]))
        self.sizes = [len(places) for places in self._places]
        self._fixed = None if shuffle else [self._batch(places) for places in self._places]

    def epoch(self) -> Iterator[Batch]:
        """The batches of the next epoch: inputs and targets of shape (seeds, rows of it, ...)."""
        if self._fixed is not None:
            yield from self._fixed
            return
        rows = self.rows.x.shape[1]
        order = torch.stack([torch.randperm(rows, generator=own) for own in self._orders])
        order = order.to(self.rows.x.device)
        seeds = torch.arange(len(order), device=order.device)[:, None]
        for places in self._places:
            chosen = order[:, places[0] : places[-1] + 1]
            yield self.rows.x[seeds, chosen], self.rows.y[seeds, chosen]

    def _batch(self, places: Tensor) -> Batch:
        first, last = int(places[0]), int(places[-1])
        x, y = self.rows.x[:, first : last + 1], self.rows.y[:, first : last + 1]
        return x.contiguous(), y.contiguous()

    def keep(self, seeds: Tensor) -> None:
        """Goes on with some of the seeds."""
        self.rows = self.rows.kept(seeds)
        self._orders = [self._orders[i] for i in seeds.tolist()]
        if self._fixed is not None:
            self._fixed = [self._batch(places) for places in self._places]


def validation_rows(splits: Sequence[Split]) -> Rows | None:
    """The rows held out of every seed, if there are any."""
    parts = [(s.x_validation, s.y_validation) for s in splits]
    held = [(x, y) for x, y in parts if x is not None and y is not None]
    return Rows.of(held) if held else None
