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
        more_is_better: the direction.
        percent: whether it is a share, shown as a percentage.
        of: the score of outputs against targets, a tensor of one number; made of torch's
            functions alone, so that it can score many runs at once.
    """

    name: str
    more_is_better: bool
    percent: bool
    of: Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Task:
    """How outputs are trained and scored.

    Args:
        kind: ``"classification"`` or ``"regression"``.
        outputs: how many numbers the network gives per row.
        loss: what is minimised, a function of outputs and targets.
        metric: what is reported.
        guess: from the training targets, the output row of the best constant guess.
    """

    kind: str
    outputs: int
    loss: Callable[[Tensor, Tensor], Tensor]
    metric: Metric
    guess: Callable[[Tensor], Tensor]


def _accuracy_of_probabilities(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.round() == targets).double().mean()


def _accuracy_of_logits(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs > 0) == (targets > 0)).double().mean()


def _accuracy_of_classes(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(dim=1) == targets).double().mean()


def _rmse(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().square().mean().sqrt()


def _guess_probability(targets: Tensor) -> Tensor:
    return targets.mean(dim=0).round()


def _guess_logit(targets: Tensor) -> Tensor:
    return targets.mean(dim=0) - 0.5


def _guess_class(targets: Tensor) -> Tensor:
    return torch.bincount(targets).double()


def _guess_mean(targets: Tensor) -> Tensor:
    return targets.mean(dim=0)


def _accuracy(of: Callable[[Tensor, Tensor], Tensor]) -> Metric:
    return Metric("accuracy", more_is_better=True, percent=True, of=of)


def two_classes() -> Task:
    """Targets 0 and 1 of shape (rows, 1); one output, a logit."""
    return Task(
        kind="classification",
        outputs=1,
        loss=nn.BCEWithLogitsLoss(),
        metric=_accuracy(_accuracy_of_logits),
        guess=_guess_logit,
    )


def two_classes_as_probability() -> Task:
    """As ``two_classes``, but the network ends in a sigmoid: the tutorial's loss and metric."""
    return Task(
        kind="classification",
        outputs=1,
        loss=nn.BCELoss(),
        metric=_accuracy(_accuracy_of_probabilities),
        guess=_guess_probability,
    )


def several_classes(classes: int) -> Task:
    """Targets are class numbers of shape (rows,); one output per class."""
    return Task(
        kind="classification",
        outputs=classes,
        loss=nn.CrossEntropyLoss(),
        metric=_accuracy(_accuracy_of_classes),
        guess=_guess_class,
    )


def regression() -> Task:
    """Targets are standardised numbers of shape (rows, 1); one output."""
    return Task(
        kind="regression",
        outputs=1,
        loss=nn.MSELoss(),
        metric=Metric("RMSE", more_is_better=False, percent=False, of=_rmse),
        guess=_guess_mean,
    )
