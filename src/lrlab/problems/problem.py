"""What is trained: data, model, loss and metric in one value."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from torch import Tensor, nn

from lrlab.problems.metrics import Metric, Task


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of a problem as one seed divides them.

    Args:
        x_train, x_test: inputs, shape (rows, inputs).
        y_train, y_test: targets, shaped as the task's loss wants them.
        x_validation, y_validation: the training rows that are held out of training, None where none
            are; see ``hold_out``.
        target_scale: what one unit of the target is in the user's own units (a regression target is
            standardised); scores of regression are multiplied by it.
    """

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    target_scale: float = 1.0
    x_validation: Tensor | None = None
    y_validation: Tensor | None = None

    def to(self, device: str) -> "Split":
        """The same rows on another device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            k: v.to(device) for k, v in values.items() if isinstance(v, Tensor)
        }
        return replace(self, **moved)


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, model, loss and metric.

    Args:
        name: what people call it.
        fingerprint: a hash of its content, by which stored runs are recognised.
        split: the rows as a seed divides them.
        train_rows: how many training rows there are, whatever the seed.
        model: builds the network with fresh weights from torch's random numbers.
        task: loss, metric and the constant guess that a diverged run is scored as.
        shuffle: whether batches are reshuffled every epoch, unless a run says otherwise.
        summary: one line that says what was read, for people.
        test_train_ratio: test rows for each row that is not tested, where every seed draws its own test
            rows from the same data: splits of two seeds then share rows, and are less different
            than new data would be. None where all seeds have the same test rows.
        data_warnings: sentences on what may have been read in another way than it was meant.
    """

    name: str
    fingerprint: str
    split: Callable[[int], Split]
    train_rows: int
    model: Callable[[], nn.Module]
    task: Task
    shuffle: bool
    summary: str
    data_warnings: tuple[str, ...] = ()
    test_train_ratio: float | None = None

    @property
    def metric(self) -> Metric:
        """What runs are scored by."""
        return self.task.metric
