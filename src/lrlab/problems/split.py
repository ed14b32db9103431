"""``Split``: the training, validation and test rows of one seed."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor

from lrlab.problems.seeds import derive_seeds

Batch = tuple[Tensor, Tensor]
"""Inputs and targets of some rows."""

_MAX_PART_BYTES = 8 << 20
"""Inputs that a network evaluates at a time; convolutions need some hundred times that memory."""


def draw_rows(
    rows: int, count: int, seed: int, strata: NDArray[Any] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw ``count`` of ``rows`` rows; return the other rows and the drawn ones.

    Args:
        rows, count: numbers of rows.
        seed: fixes the draw.
        strata: class of every row, to draw from all classes alike; None to draw without classes.
    """
    others, drawn = train_test_split(
        np.arange(rows), test_size=count, random_state=seed, stratify=strata
    )
    return others, drawn


def draw_validation_rows(
    train_rows: int, validation_rows: int, seed: int, labels: NDArray[Any] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw validation rows; return the remaining training rows and them, each in order.

    The draw is stratified by class if every class has enough rows.

    Args:
        train_rows: number of training rows.
        validation_rows: number of validation rows, fewer than there are training rows.
        seed: the seed of the run.
        labels: class of every training row; None to draw without classes.
    """
    if labels is not None:
        sizes = np.unique(labels, return_counts=True)[1]
        if sizes.min() < 2 or len(sizes) > min(validation_rows, train_rows - validation_rows):
            labels = None
    train, validation = draw_rows(
        train_rows, validation_rows, derive_seeds(seed).validation, labels
    )
    return np.sort(train), np.sort(validation)


@dataclass(frozen=True, eq=False)
class Split:
    """The training, validation and test rows of one seed.

    Args:
        x_train, x_test: inputs, shape (rows, inputs).
        y_train, y_test: targets, in the shape that the task's loss takes.
        x_validation, y_validation: the validation rows, None if there are none.
        target_scale, target_mean: by which targets were standardized. Scores are multiplied by the
            scale; with a mean, outputs and targets are restored instead, before they are scored.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    target_scale: float = 1.0
    x_validation: Tensor | None = None
    y_validation: Tensor | None = None
    target_mean: float | None = None

    def to(self, device: str) -> Self:
        """Return the same rows on another device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            name: value.to(device) for name, value in values.items() if isinstance(value, Tensor)
        }
        return replace(self, **moved)

    def hold_out(self, validation_rows: int, seed: int, has_classes: bool) -> Self:
        """Move randomly drawn training rows to the validation rows.

        The draw is stratified by class if every class has enough rows. Test rows and inputs stay
        as they are: a table is standardized by all its training rows.

        Args:
            validation_rows: number of validation rows, fewer than there are training rows.
            seed: fixes the draw.
            has_classes: whether the targets are classes.
        """
        if not validation_rows:
            return self
        labels = self.y_train.flatten().numpy() if has_classes else None
        train, validation = map(
            torch.from_numpy,
            draw_validation_rows(
                len(self.x_train),
                validation_rows,
                seed,
                labels if labels is not None and len(labels) == len(self.y_train) else None,
            ),
        )
        return replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_validation=self.x_train[validation],
            y_validation=self.y_train[validation],
        )

    @property
    def train_rows(self) -> int:
        """Number of training rows."""
        return len(self.x_train)

    @property
    def test_rows(self) -> int:
        """Number of test rows."""
        return len(self.x_test)

    def truncate(self, train_rows: int, test_rows: int) -> Self:
        """Return the first training rows and the first test rows."""
        return replace(
            self,
            x_train=self.x_train[:train_rows],
            y_train=self.y_train[:train_rows],
            x_test=self.x_test[:test_rows],
            y_test=self.y_test[:test_rows],
        )

    def iter_train_batches(
        self, batch_size: int, order: Tensor | None, epoch: int
    ) -> Iterator[Batch]:
        """Yield the training rows in batches; the last may be smaller.

        Args:
            batch_size: rows per batch.
            order: the rows in the order of their batches; None for the order of the data.
            epoch: number of the epoch; it does not matter for arrays.
        """
        x, y = self.x_train, self.y_train
        if order is not None:
            x, y = x[order], y[order]
        size = min(batch_size, len(x))  # torch refuses sizes above 2^63
        yield from zip(x.split(size), y.split(size), strict=True)

    def iter_test_batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield the test rows: all at once, or in parts if their inputs are large."""
        return _iter_parts(self.x_test, self.y_test)

    def iter_validation_batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield the validation rows likewise; nothing without validation rows."""
        if self.x_validation is None or self.y_validation is None:
            return iter(())
        return _iter_parts(self.x_validation, self.y_validation)


def _iter_parts(x: Tensor, y: Tensor) -> Iterator[Batch]:
    rows = max(1, _MAX_PART_BYTES // max(1, x[:1].nbytes))
    return zip(x.split(rows), y.split(rows), strict=True)
