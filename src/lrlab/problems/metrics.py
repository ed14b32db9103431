"""Tasks: what the network's outputs mean, how they are trained and how they are scored."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Metric:
    """A score, and which direction of it is better.

    Args:
        name: as it is printed.
        fn: computes the score from outputs and targets, a tensor of one number; made of torch's
            functions alone, so that it can score many runs at once.
        greater_is_better: the direction.
        percent: whether the score is a fraction to show as a percentage.
    """

    name: str
    fn: Callable[[Tensor, Tensor], Tensor]
    greater_is_better: bool = True
    percent: bool = False


@dataclass(frozen=True)
class Task:
    """How outputs are trained and scored.

    Args:
        kind: ``"classification"`` or ``"regression"``.
        output_size: how many numbers the network gives per row.
        loss: what is minimised, a function of outputs and targets.
        metric: what is reported.
        dummy_output: from the training targets, the output row of the best constant guess.
    """

    kind: str
    output_size: int
    loss: Callable[[Tensor, Tensor], Tensor]
    metric: Metric
    dummy_output: Callable[[Tensor], Tensor]


def _compute_probability_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.round() == targets).double().mean()


def _compute_logit_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs > 0) == (targets > 0)).double().mean()


def _compute_class_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(dim=1) == targets).double().mean()


def _compute_rmse(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().square().mean().sqrt()


def _compute_dummy_probability(targets: Tensor) -> Tensor:
    return targets.mean(dim=0).round()


def _compute_dummy_logit(targets: Tensor) -> Tensor:
    return targets.mean(dim=0) - 0.5


def _compute_dummy_class_scores(targets: Tensor) -> Tensor:
    return torch.bincount(targets).double()


def _compute_dummy_mean(targets: Tensor) -> Tensor:
    return targets.mean(dim=0)


def _make_accuracy(fn: Callable[[Tensor, Tensor], Tensor]) -> Metric:
    return Metric("accuracy", fn, percent=True)


def make_binary_task() -> Task:
    """Targets 0 and 1 of shape (rows, 1); one output, a logit."""
    return Task(
        kind="classification",
        output_size=1,
        loss=nn.BCEWithLogitsLoss(),
        metric=_make_accuracy(_compute_logit_accuracy),
        dummy_output=_compute_dummy_logit,
    )


def make_binary_probability_task() -> Task:
    """As ``make_binary_task``, but the network ends in a sigmoid: the tutorial's loss and metric."""
    return Task(
        kind="classification",
        output_size=1,
        loss=nn.BCELoss(),
        metric=_make_accuracy(_compute_probability_accuracy),
        dummy_output=_compute_dummy_probability,
    )


def make_multiclass_task(classes: int) -> Task:
    """Targets are class numbers of shape (rows,); one output per class."""
    return Task(
        kind="classification",
        output_size=classes,
        loss=nn.CrossEntropyLoss(),
        metric=_make_accuracy(_compute_class_accuracy),
        dummy_output=_compute_dummy_class_scores,
    )


def make_regression_task() -> Task:
    """Targets are standardised numbers of shape (rows, 1); one output."""
    return Task(
        kind="regression",
        output_size=1,
        loss=nn.MSELoss(),
        metric=Metric("RMSE", _compute_rmse, greater_is_better=False),
        dummy_output=_compute_dummy_mean,
    )
