"""What a user's own model is trained for: targets as the loss wants them, loss, metric, guess."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrlab.errors import ProblemError, format_suggestion
from lrlab.problems import tasks
from lrlab.problems.targets import TASK_KINDS
from lrlab.problems.tasks import Metric, Task

Loss = Callable[[Tensor, Tensor], Tensor]

_CLASS_SCORES, _LOGIT, _PROBABILITY, _QUANTITY, _OTHER = (
    "classes",
    "two",
    "probability",
    "quantity",
    "other",
)
"""What outputs are: one for each class, a logit, a probability, quantities, something else."""


@dataclass(frozen=True, eq=False)
class PreparedTargets:
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


def prepare_targets(
    values: NDArray[Any],
    outputs: Tensor,
    loss: Loss | None,
    metric: str | Metric | None,
    task: str | None,
) -> PreparedTargets:
    """The goal that targets, and the outputs for a few rows, tell.

    Raises:
        ProblemError: they do not go together, or there is no such task or metric.
    """
    if task is not None and task not in TASK_KINDS:
        raise ProblemError(f"task must be classification or regression, got {task!r}.")
    if loss is not None and not callable(loss):
        raise ProblemError(f"the loss must be a function of outputs and targets, got {loss!r}.")
    output_shape = tuple(outputs.shape[1:])
    labels: NDArray[np.int64] | None = None
    if _are_classes(values, task):
        targets, labels = _encode_classes(values, outputs, has_loss=loss is not None)
        is_binary = targets.is_floating_point()
        output_kind = (_PROBABILITY if _is_bce(loss) else _LOGIT) if is_binary else _CLASS_SCORES
        count = "" if labels is None else f", {len(np.unique(labels))} classes"
        kind, summary = "classification", f"classification{count}"
        default: Loss = nn.BCEWithLogitsLoss() if is_binary else nn.CrossEntropyLoss()
    else:
        targets = _encode_quantities(values, outputs, has_loss=loss is not None)
        output_kind = _QUANTITY if targets.shape[1:] == output_shape else _OTHER
        kind = summary = "regression"
        default = nn.MSELoss()
        if _is_bce(loss) or isinstance(loss, nn.BCEWithLogitsLoss):
            output_kind = _PROBABILITY if _is_bce(loss) else _LOGIT
            kind, summary = "classification", "classification, targets from 0 to 1"
    loss_function = default if loss is None else loss
    return PreparedTargets(
        targets=targets,
        task=Task(
            kind=kind,
            output_size=output_shape[0] if output_shape else 1,
            loss=loss_function,
            metric=_resolve_metric(metric, output_kind, loss_function),
            dummy_output=DummyOutput(output_kind, output_shape, outputs.dtype),
        ),
        labels=labels,
        summary=summary,
    )


def _are_classes(values: NDArray[Any], task: str | None) -> bool:
    is_numeric = values.dtype.kind in "iuf"
    if task == "regression":
        if not is_numeric:
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


def _encode_classes(
    values: NDArray[Any], outputs: Tensor, has_loss: bool
) -> tuple[Tensor, NDArray[np.int64] | None]:
    """Targets that are classes, and the class of every row where each has one."""
    output_shape = tuple(outputs.shape[1:])
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
    if math.prod(output_shape) == 1 and (len(names) == 2 or not has_loss):
        if len(names) > 2:
            raise ProblemError(
                f"{len(names)} classes need {len(names)} outputs, the model gives one; give it "
                'more, or say task="regression" if y counts something.'
            )
        shaped = labels.reshape(-1, *output_shape) if output_shape else labels
        return torch.from_numpy(shaped).to(outputs.dtype), labels
    if output_shape and len(names) > output_shape[0]:
        raise ProblemError(
            f"{len(names)} classes need {len(names)} outputs, the model gives {output_shape[0]}; give it "
            'more, or say task="regression" if y counts something.'
        )
    has_class_numbers = values.dtype.kind not in "USOb" and output_shape and names[0] >= 0 and names[-1] < output_shape[0]
    class_numbers = values.reshape(-1).astype(np.int64) if has_class_numbers else labels
    return torch.from_numpy(class_numbers), labels


def _encode_quantities(values: NDArray[Any], outputs: Tensor, has_loss: bool) -> Tensor:
    """Targets that are quantities, in the shape of the outputs where they are as many."""
    targets = torch.from_numpy(np.ascontiguousarray(values)).to(outputs.dtype)
    output_shape = tuple(outputs.shape[1:])
    if targets[0].numel() == math.prod(output_shape):
        return targets.reshape(len(targets), *output_shape)
    if not has_loss:
        raise ProblemError(
            f"targets of shape {tuple(targets.shape[1:]) or 'one number'} need outputs of that "
            f"shape for each row, the model gives {output_shape or 'one number'}; mend either, or give a "
            "loss."
        )
    return targets


def _is_bce(loss: object) -> bool:
    """Whether outputs are probabilities to a loss."""
    return isinstance(loss, nn.BCELoss) or loss is nn.functional.binary_cross_entropy


def _resolve_metric(metric: str | Metric | None, output_kind: str, loss: Loss) -> Metric:
    if isinstance(metric, Metric):
        return metric
    if metric is not None and not isinstance(metric, str):
        raise ProblemError(
            "a metric must say whether more of it is better, which a function alone does not: "
            'give lrlab.Metric("F1", more_is_better=True, percent=True, of=f1), or a name.'
        )
    known = {"loss": Metric("loss", greater_is_better=False, percent=False, fn=loss)}
    match output_kind:
        case "classes":
            known["accuracy"] = tasks.make_multiclass_task(2).metric
        case "two":
            known["accuracy"] = tasks.make_binary_task().metric
        case "probability":
            known["accuracy"] = tasks.make_binary_probability_task().metric
        case "quantity":
            known["rmse"] = tasks.make_regression_task().metric
            known["mae"] = Metric("MAE", greater_is_better=False, percent=False, fn=_compute_mae)
            known["r2"] = Metric("R²", greater_is_better=True, percent=False, fn=_compute_r2)
    if metric is None:
        return next((known[name] for name in ("accuracy", "rmse") if name in known), known["loss"])
    if metric.lower() not in known:
        hint = format_suggestion(metric.lower(), known)
        raise ProblemError(
            f"the metric of such outputs and targets is one of {', '.join(known)}, or a Metric of "
            f"your own, got {metric}{hint}."
        )
    return known[metric.lower()]


def _compute_mae(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().abs().mean()


def _compute_r2(outputs: Tensor, targets: Tensor) -> Tensor:
    residual = (outputs - targets).double().square().sum()
    return 1 - residual / (targets - targets.mean(dim=0)).double().square().sum()


@dataclass(frozen=True)
class DummyOutput:
    """The best constant guess by training targets: what each kind of output is at its best.

    Args:
        output_kind: what outputs are.
        shape: the shape of the outputs of a row.
        dtype: their type.

    >>> guess = DummyOutput("two", (1,), torch.float32)
    >>> guess(torch.tensor([[0.0], [1.0], [1.0], [1.0]])).exp()  # odds of three to one
    tensor([3.])
    """

    output_kind: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    def __call__(self, targets: Tensor) -> Tensor:
        """The output row."""
        match self.output_kind:
            case "classes":
                known = targets[targets >= 0].flatten()  # below 0 is what a loss ignores
                counts = known.bincount(minlength=self.shape[0])[: self.shape[0]]
                log_priors = counts.double().clamp(min=0.5).log().to(self.dtype)
                return log_priors.reshape(-1, *[1] * (len(self.shape) - 1)).expand(self.shape)
            case "two":
                ones, rows = targets.double().sum(dim=0), len(targets)
                odds = ones.clamp(min=0.5) / (rows - ones).clamp(min=0.5)
                return odds.log().to(self.dtype)
            case "probability" | "quantity":
                return targets.double().mean(dim=0).to(self.dtype)
            case _:
                return torch.zeros(self.shape, dtype=self.dtype)
