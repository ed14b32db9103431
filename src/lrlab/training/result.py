"""``Result``: the score and the learning curve of a run."""

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, field, fields
from datetime import datetime
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Epoch:
    """One epoch of a run.

    Args:
        epoch: number of the epoch, from 0.
        lr_start: learning rate of its first step; NaN if a training function does not report it.
        lr_end: learning rate of the step after its last one; NaN likewise.
        loss: mean training loss of its batches, weighted by their rows.
        test_score: metric on the test rows at its end.
        validation_loss, validation_score: mean loss and metric on the validation rows at its end;
            None without validation rows.
    """

    epoch: int
    lr_start: float
    lr_end: float
    loss: float
    test_score: float
    validation_loss: float | None = None
    validation_score: float | None = None


EPOCH_COLUMNS = tuple(field.name for field in fields(Epoch))
"""The columns of every curve; a training function may report others, which follow these."""


@dataclass(frozen=True, eq=False)
class Curve:
    """The epochs of a run, as one array that is small to store and fast to send.

    Args:
        values: shape (epochs, columns): a column for each field of ``Epoch``, then what else a
            training function reports; NaN for None.
        columns: names of the columns.

    >>> curve = Curve.from_epochs([Epoch(0, 0.1, 0.05, loss=0.7, test_score=0.8)])
    >>> len(curve), curve[0].lr_end, curve.get_column("test_score")
    (1, 0.05, array([0.8]))
    """

    values: NDArray[np.float64]
    columns: tuple[str, ...] = EPOCH_COLUMNS

    @classmethod
    def from_epochs(cls, epochs: Iterable[Epoch]) -> Self:
        """Build the curve of epochs."""
        rows = [[np.nan if v is None else v for v in astuple(epoch)] for epoch in epochs]
        return cls(np.array(rows, dtype=np.float64).reshape(-1, len(EPOCH_COLUMNS)))

    def get_column(self, name: str) -> NDArray[np.float64]:
        """Return a column: a number for each epoch."""
        return self.values[:, self.columns.index(name)]

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> Epoch:
        number, *numbers, loss, score = self.values[index, : len(EPOCH_COLUMNS)].tolist()
        validation = (None if value != value else value for value in (loss, score))
        return Epoch(int(number), *numbers, *validation)

    def __iter__(self) -> Iterator[Epoch]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Curve):
            return NotImplemented
        same = self.columns == other.columns
        return same and np.array_equal(self.values, other.values, equal_nan=True)


class DummyScores(NamedTuple):
    """The scores of a constant prediction, which a diverged run gets.

    Args:
        test: on the test rows.
        validation: on the validation rows; None without them.
    """

    test: float
    validation: float | None


@dataclass(frozen=True)
class Result:
    """The result of a run.

    Args:
        test_score: metric on the test rows after the last epoch; the dummy score if the run
            diverged.
        diverged: whether an output, a loss or a weight became infinite or NaN.
        curve: the learning curve; without the epoch in which the run diverged.
        seconds: wall time; if runs train together, their time divided by their number.
        diverged_at_step: steps of the optimizer until the divergence was detected; None if the run
            did not diverge.
        validation_dummy_score: score of a constant prediction on the validation rows, by which the
            selection of settings counts a run that diverged; None if it did not diverge, or has no
            validation rows.
        ended_at: when it was stored, in UTC; None before.
    """

    test_score: float
    diverged: bool
    curve: Curve
    seconds: float
    diverged_at_step: int | None = None
    validation_dummy_score: float | None = None
    ended_at: datetime | None = field(default=None, compare=False)

    @classmethod
    def from_diverged(
        cls, dummy_scores: DummyScores, curve: Curve, seconds: float, diverged_at_step: int | None
    ) -> Self:
        """Build the result of a run that diverged."""
        test_score, validation_score = dummy_scores
        return cls(test_score, True, curve, seconds, diverged_at_step, validation_score)
