"""``Split``: the training, validation and test rows of one seed."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import Tensor

from lrlab.problems.seeds import derive_seeds


@dataclass(frozen=True, eq=False)
class Split:
    """The training, validation and test rows of one seed.

    Args:
        x_train, x_test: inputs, shape (rows, inputs).
        y_train, y_test: targets, in the shape that the task's loss takes.
        x_validation, y_validation: the validation rows, None if there are none.
        target_scale: factor from the target's units to the user's (regression targets are
            standardized); regression scores are multiplied by it.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    target_scale: float = 1.0
    x_validation: Tensor | None = None
    y_validation: Tensor | None = None

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
        train, validation = train_test_split(
            np.arange(len(self.x_train)),
            test_size=validation_rows,
            random_state=derive_seeds(seed).validation,
            stratify=self._get_strata(validation_rows) if has_classes else None,
        )
        train, validation = torch.from_numpy(np.sort(train)), torch.from_numpy(np.sort(validation))
        return replace(
            self,
            x_train=self.x_train[train],
            y_train=self.y_train[train],
            x_validation=self.x_train[validation],
            y_validation=self.y_train[validation],
        )

    def _get_strata(self, validation_rows: int) -> object:
        labels = self.y_train.flatten()
        _, sizes = labels.unique(return_counts=True)
        train_rows = len(labels) - validation_rows
        are_enough = sizes.min() >= 2 and len(sizes) <= min(validation_rows, train_rows)
        return labels.numpy() if are_enough and len(labels) == len(self.y_train) else None
