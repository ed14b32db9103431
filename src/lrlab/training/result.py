"""What comes of a run: its score, and its learning curve epoch by epoch."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run.

    Args:
        epoch: its number, from 0.
        lr_start: the rate of its first step; NaN where a training function does not tell.
        lr_end: the rate of the step after its last; so it is with that.
        loss: mean training loss over its rows, as trained on.
        test_score: the metric on the test rows at its end.
        validation_loss, validation_score: mean loss and metric on the rows held out for validation
            at its end; None where none are.
    """

    epoch: int
    lr_start: float
    lr_end: float
    loss: float
    test_score: float
    validation_loss: float | None = None
    validation_score: float | None = None


EPOCH_COLUMNS = tuple(field.name for field in fields(Epoch))
"""What every curve has; others may follow."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The epochs of a run, as one array that is small to keep and quick to send.

    Args:
        values: shape (epochs, 7 or more), a column for each field of ``Epoch``, then whatever else
            a training function reports; NaN for None.
        columns: of the columns.

    >>> curve = Curve.from_epochs([Epoch(0, 0.1, 0.05, loss=0.7, test_score=0.8)])
    >>> len(curve), curve[0].lr_end, curve.get_column("test_score")
    (1, 0.05, array([0.8]))
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...] = EPOCH_COLUMNS

    @classmethod
    def from_epochs(cls, epochs: Iterable[Epoch]) -> Self:
        """The curve of these epochs."""
        rows = [[np.nan if v is None else v for v in astuple(epoch)] for epoch in epochs]
        return cls(np.array(rows, dtype=np.float64).reshape(-1, len(EPOCH_COLUMNS)))

    def get_column(self, name: str) -> NDArray[np.float64]:
        """One column: a number for each epoch."""
        return self.values[:, self.columns.index(name)]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Epoch:
        number, *row, loss, score = self.values[index, : len(EPOCH_COLUMNS)].tolist()
        validation = (None if value != value else value for value in (loss, score))
        return Epoch(int(number), *row, *validation)

    def __iter__(self) -> Iterator[Epoch]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Curve):
            return NotImplemented
        same = self.columns == other.columns
        return same and np.array_equal(self.values, other.values, equal_nan=True)


@dataclass(frozen=True)
class Result:
    """What came of a run.

    Args:
        test_score: the metric on the test rows after the last epoch; of a diverged run, that of a
            constant guess.
        diverged: whether an output, a loss or a weight became infinite or NaN.
        curve: the learning curve; of a diverged run, the epochs before that of the divergence.
        seconds: wall time; of a run that was trained among others, its share.
        diverged_at_step: of a diverged run, how many steps of the optimizer it had taken when that was
            noticed.
    """

    test_score: float
    diverged: bool
    curve: Curve
    seconds: float
    diverged_at_step: int | None = None
