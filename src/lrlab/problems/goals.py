"""What a user's own model is trained for: targets as the loss wants them, loss, metric, guess."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrlab.errors import ProblemError, did_you_mean
from lrlab.problems import tasks
from lrlab.problems.targets import TASKS
from lrlab.problems.tasks import Metric, Task

Loss = Callable[[Tensor, Tensor], Tensor]

_CLASSES, _TWO, _PROBABILITY, _QUANTITY, _OTHER = (
    "classes",
    "two",
    "probability",
    "quantity",
    "other",
)
"""What outputs are: one for each class, a logit, a probability, quantities, something else."""


@dataclass(frozen=True, eq=False)
class Goal:
    """What is trained for.

    Args:
        targets: of every row, as the loss wants them.
        task: loss, metric and guess.
        labels: the class of every row, None where rows have none.
        summary: a few words for people.
    """

    targets: Tensor
    task: Task
    labels: NDArray[np.int64] | None
    summary: str


def goal_of(
    values: NDArray[Any],
    outputs: Tensor,
    loss: Loss | None,
    metric: str | Metric | None,
    task: str | None,
) -> Goal:
    """The goal that targets, and the outputs for a few rows, tell.

    Raises:
        ProblemError: they do not go together, or there is no such task or metric.
    """
    if task is not None and task not in TASKS:
        raise ProblemError(f"task must be classification or regression, got {task!r}.")
    if loss is not None and not callable(loss):
        raise ProblemError(f"the loss must be a function of outputs and targets, got {loss!r}.")
    row = tuple(outputs.shape[1:])
    labels: NDArray[np.int64] | None = None
    if _are_classes(values, task):
        targets, labels = _classes(values, outputs, own=loss is not None)
        two = targets.is_floating_point()
        meaning = (_PROBABILITY if _is_bce(loss) else _TWO) if two else _CLASSES
        count = "" if labels is None else f", {len(np.unique(labels))} classes"
        kind, summary = "classification", f"classification{count}"
        default: Loss = nn.BCEWithLogitsLoss() if two else nn.CrossEntropyLoss()
    else:
        targets = _quantities(values, outputs, own=loss is not None)
        meaning = _QUANTITY if targets.shape[1:] == row else _OTHER
        kind = summary = "regression"
        default = nn.MSELoss()
        if _is_bce(loss) or isinstance(loss, nn.BCEWithLogitsLoss):
            meaning = _PROBABILITY if _is_bce(loss) else _TWO
            kind, summary = "classification", "classification, targets from 0 to 1"
    chosen = default if loss is None else loss
    return Goal(
        targets=targets,
        task=Task(
            kind=kind,
            outputs=row[0] if row else 1,
            loss=chosen,
            metric=_metric(metric, meaning, chosen),
            guess=Guess(meaning, row, outputs.dtype),
        ),
        labels=labels,
        summary=summary,
    )


def _are_classes(values: NDArray[Any], task: str | None) -> bool:
    numbers = values.dtype.kind in "iuf"
    if task == "regression":
        if not numbers:
            raise ProblemError("regression needs targets that are numbers, got names of classes.")
        return False
    if task == "classification" and values.dtype.kind == "f":
        if not (values == np.round(values)).all():
            raise ProblemError(
                "classes must be whole numbers or texts, but y holds parts of numbers; leave task "
                "out."
            )
        return True
    return values.dtype.kind != "f"


def _classes(
    values: NDArray[Any], outputs: Tensor, own: bool
) -> tuple[Tensor, NDArray[np.int64] | None]:
    """Targets that are classes, and the class of every row where each has one."""
    row = tuple(outputs.shape[1:])
    if values.size != len(values):  # a class for every pixel, say
        if values.dtype.kind in "US":
            raise ProblemError("several classes in a row must be numbers from 0, got texts.")
        return torch.from_numpy(values.astype(np.int64)), None
    names, numbers = np.unique(values.reshape(-1), return_inverse=True)
    labels: NDArray[np.int64] = numbers.reshape(-1).astype(np.int64)
    if len(names) < 2:
        raise ProblemError(
            f"there is nothing to predict: y is {names[0]} in every row; classification needs two "
            "classes or more."
        )
    if math.prod(row) == 1 and (len(names) == 2 or not own):
        if len(names) > 2:
            raise ProblemError(
                f"{len(names)} classes need {len(names)} outputs, the model gives one; give it "
                'more, or say task="regression" if y counts something.'
            )
        shaped = labels.reshape(-1, *row) if row else labels
        return torch.from_numpy(shaped).to(outputs.dtype), labels
    if row and len(names) > row[0]:
        raise ProblemError(
            f"{len(names)} classes need {len(names)} outputs, the model gives {row[0]}; give it "
            'more, or say task="regression" if y counts something.'
        )
    numbered = values.dtype.kind not in "USOb" and row and names[0] >= 0 and names[-1] < row[0]
    kept = values.reshape(-1).astype(np.int64) if numbered else labels
    return torch.from_numpy(kept), labels


def _quantities(values: NDArray[Any], outputs: Tensor, own: bool) -> Tensor:
    """Targets that are quantities, in the shape of the outputs where they are as many."""
    targets = torch.from_numpy(np.ascontiguousarray(values)).to(outputs.dtype)
    row = tuple(outputs.shape[1:])
    if targets[0].numel() == math.prod(row):
        return targets.reshape(len(targets), *row)
    if not own:
        raise ProblemError(
            f"targets of shape {tuple(targets.shape[1:]) or 'one number'} need outputs of that "
            f"shape for each row, the model gives {row or 'one number'}; mend either, or give a "
            "loss."
        )
    return targets


def _is_bce(loss: object) -> bool:
    """Whether outputs are probabilities to a loss."""
    return isinstance(loss, nn.BCELoss) or loss is nn.functional.binary_cross_entropy


def _metric(metric: str | Metric | None, meaning: str, loss: Loss) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if metric is not None and not isinstance(metric, str):
        raise ProblemError(
            "a metric must say whether more of it is better, which a function alone does not: "
            'give lrlab.Metric("F1", more_is_better=True, percent=True, of=f1), or a name.'
        )
    known = {"loss": Metric("loss", more_is_better=False, percent=False, of=loss)}
    match meaning:
        case "classes":
            known["accuracy"] = tasks.several_classes(2).metric
        case "two":
            known["accuracy"] = tasks.two_classes().metric
        case "probability":
            known["accuracy"] = tasks.two_classes_as_probability().metric
        case "quantity":
            known["rmse"] = tasks.regression().metric
            known["mae"] = Metric("MAE", more_is_better=False, percent=False, of=_mae)
            known["r2"] = Metric("R²", more_is_better=True, percent=False, of=_r2)
    if metric is None:
        return next((known[name] for name in ("accuracy", "rmse") if name in known), known["loss"])
    if metric.lower() not in known:
        hint = did_you_mean(metric.lower(), known)
        raise ProblemError(
            f"the metric of such outputs and targets is one of {', '.join(known)}, or a Metric of "
            f"your own, got {metric}{hint}."
        )
    return known[metric.lower()]


def _mae(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().abs().mean()


def _r2(outputs: Tensor, targets: Tensor) -> Tensor:
    left = (outputs - targets).double().square().sum()
    return 1 - left / (targets - targets.mean(dim=0)).double().square().sum()


@dataclass(frozen=True)
class Guess:
    """The best constant guess by training targets: what each kind of output is at its best.

    Args:
        meaning: what outputs are.
        row: the shape of the outputs of a row.
        dtype: their type.

    >>> guess = Guess("two", (1,), torch.float32)
    >>> guess(torch.tensor([[0.0], [1.0], [1.0], [1.0]])).exp()  # odds of three to one
    tensor([3.])
    """

    meaning: str
    row: tuple[int, ...]
    dtype: torch.dtype

    def __call__(self, targets: Tensor) -> Tensor:
        """The output row."""
        match self.meaning:
            case "classes":
                known = targets[targets >= 0].flatten()  # below 0 is what a loss ignores
                counts = known.bincount(minlength=self.row[0])[: self.row[0]]
                shares = counts.double().clamp(min=0.5).log().to(self.dtype)
                return shares.reshape(-1, *[1] * (len(self.row) - 1)).expand(self.row)
            case "two":
                ones, rows = targets.double().sum(dim=0), len(targets)
                odds = ones.clamp(min=0.5) / (rows - ones).clamp(min=0.5)
                return odds.log().to(self.dtype)
            case "probability" | "quantity":
                return targets.double().mean(dim=0).to(self.dtype)
            case _:
                return torch.zeros(self.row, dtype=self.dtype)
