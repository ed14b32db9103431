"""Metrics and tasks: what the outputs of a network mean, their loss, score and dummy score."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor, nn

from lrlab.errors import ProblemError, format_suggestion, shorten_repr

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Metric:
    """A score, and whether greater values of it are better.

    Args:
        name: the name that is printed.
        fn: computes the score from outputs and targets, a tensor of one number; made of torch's
            functions alone, so that it can score many runs at once.
        greater_is_better: the direction.
        percent: whether the score is a fraction, to be shown as a percentage.
    """

    name: str
    fn: Callable[[Tensor, Tensor], Tensor]
    greater_is_better: bool = True
    percent: bool = False


TASK_KINDS = ("classification", "regression")


@dataclass(frozen=True)
class Task:
    """How outputs are trained and scored.

    Args:
        kind: ``"classification"`` or ``"regression"``.
        output_size: number of outputs of the network per row.
        loss: the function of outputs and targets that training minimizes.
        metric: the score that runs report.
        dummy_output: computes the output row of the best constant predictor from training targets.
    """

    kind: str
    output_size: int
    loss: Loss
    metric: Metric
    dummy_output: Callable[[Tensor], Tensor]


class OutputKind(Enum):
    """The meaning of a network's outputs."""

    CLASS_SCORES = "one score per class"
    LOGIT = "the log-odds of class 1"
    PROBABILITY = "the probability of class 1"
    QUANTITY = "numbers to compare with the targets"
    OTHER = "anything else that the loss takes"


def _compute_class_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.argmax(dim=1) == targets).double().mean()


def _compute_logit_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return ((outputs > 0) == (targets > 0)).double().mean()


def _compute_probability_accuracy(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs.round() == targets).double().mean()


def _compute_rmse(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().square().mean().sqrt()


def _compute_mae(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).double().abs().mean()


def _compute_r2(outputs: Tensor, targets: Tensor) -> Tensor:
    residual = (outputs - targets).double().square().sum()
    return 1 - residual / (targets - targets.mean(dim=0)).double().square().sum()


METRICS: dict[OutputKind, dict[str, Metric]] = {
    OutputKind.CLASS_SCORES: {
        "accuracy": Metric("accuracy", _compute_class_accuracy, percent=True)
    },
    OutputKind.LOGIT: {"accuracy": Metric("accuracy", _compute_logit_accuracy, percent=True)},
    OutputKind.PROBABILITY: {
        "accuracy": Metric("accuracy", _compute_probability_accuracy, percent=True)
    },
    OutputKind.QUANTITY: {
        "rmse": Metric("RMSE", _compute_rmse, greater_is_better=False),
        "mae": Metric("MAE", _compute_mae, greater_is_better=False),
        "r2": Metric("R²", _compute_r2),
    },
    OutputKind.OTHER: {},
}
"""The metrics by the names that users give, for each kind of outputs; the first is the default."""


def resolve_metric(metric: str | Metric | None, output_kind: OutputKind, loss: Loss) -> Metric:
    """Return a metric by name; the default for these outputs if the name is None.

    Raises:
        ProblemError: these outputs have no such metric.
    """
    if isinstance(metric, Metric):
        return metric
    if metric is not None and not isinstance(metric, str):
        raise ProblemError(
            "metric must be a name or a Metric, which says whether greater values are better, got "
            f'{shorten_repr(metric)}; give metric=lrlab.Metric("F1", f1, greater_is_better=True).'
        )
    known = {"loss": Metric("loss", loss, greater_is_better=False)} | METRICS[output_kind]
    if metric is None:
        return next(iter(METRICS[output_kind].values()), known["loss"])
    if metric.lower() not in known:
        hint = format_suggestion(metric.lower(), known)
        raise ProblemError(
            f"the metric of these outputs and targets must be one of {', '.join(known)}, or an "
            f"lrlab.Metric of your own, got {metric}{hint}."
        )
    return known[metric.lower()]


def make_binary_task() -> Task:
    """Make the task of two classes: targets 0 and 1 of shape (rows, 1); one output, a logit."""
    return Task(
        kind="classification",
        output_size=1,
        loss=nn.BCEWithLogitsLoss(),
        metric=METRICS[OutputKind.LOGIT]["accuracy"],
        dummy_output=_compute_dummy_logit,
    )


def make_binary_probability_task() -> Task:
    """Make the task of two classes for networks that end in a sigmoid, as in the tutorial."""
    return Task(
        kind="classification",
        output_size=1,
        loss=nn.BCELoss(),
        metric=METRICS[OutputKind.PROBABILITY]["accuracy"],
        dummy_output=_compute_dummy_probability,
    )


def make_multiclass_task(classes: int) -> Task:
    """Make the task of several classes: targets are class numbers of shape (rows,)."""
    return Task(
        kind="classification",
        output_size=classes,
        loss=nn.CrossEntropyLoss(),
        metric=METRICS[OutputKind.CLASS_SCORES]["accuracy"],
        dummy_output=_compute_dummy_class_scores,
    )


def make_regression_task() -> Task:
    """Make the task of one quantity: targets are standardized numbers of shape (rows, 1)."""
    return Task(
        kind="regression",
        output_size=1,
        loss=nn.MSELoss(),
        metric=METRICS[OutputKind.QUANTITY]["rmse"],
        dummy_output=_compute_dummy_mean,
    )


def _compute_dummy_logit(targets: Tensor) -> Tensor:
    return targets.mean(dim=0) - 0.5


def _compute_dummy_probability(targets: Tensor) -> Tensor:
    return targets.mean(dim=0).round()


def _compute_dummy_class_scores(targets: Tensor) -> Tensor:
    return torch.bincount(targets).double()


def _compute_dummy_mean(targets: Tensor) -> Tensor:
    return targets.mean(dim=0)


@dataclass(frozen=True)
class DummyOutput:
    """The output row of the best constant predictor, for outputs of any shape.

    Args:
        output_kind: the meaning of the outputs.
        shape: the shape of one row of outputs.
        dtype: their type.

    >>> dummy_output = DummyOutput(OutputKind.LOGIT, (1,), torch.float32)
    >>> dummy_output(torch.tensor([[0.0], [1.0], [1.0], [1.0]])).exp()  # odds of three to one
    tensor([3.])
    """

    output_kind: OutputKind
    shape: tuple[int, ...]
    dtype: torch.dtype

    def __call__(self, targets: Tensor) -> Tensor:
        """Compute the row from training targets."""
        match self.output_kind:
            case OutputKind.CLASS_SCORES:
                valid = targets[targets >= 0].flatten()  # losses ignore labels below 0
                counts = valid.bincount(minlength=self.shape[0])[: self.shape[0]]
                log_priors = counts.double().clamp(min=0.5).log().to(self.dtype)
                return log_priors.reshape(-1, *[1] * (len(self.shape) - 1)).expand(self.shape)
            case OutputKind.LOGIT:
                positives, rows = targets.double().sum(dim=0), len(targets)
                odds = positives.clamp(min=0.5) / (rows - positives).clamp(min=0.5)
                return odds.log().to(self.dtype)
            case OutputKind.PROBABILITY | OutputKind.QUANTITY:
                return targets.double().mean(dim=0).to(self.dtype)
            case OutputKind.OTHER:
                return torch.zeros(self.shape, dtype=self.dtype)
