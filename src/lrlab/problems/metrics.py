"""Metrics: one registry of the scores that users select by name; tasks: loss, metric and dummy."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor, nn

from lrlab.errors import ProblemError, format_suggestion, shorten_repr

Loss = Callable[[Tensor, Tensor], Tensor]
ScoreFunction = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Metric:
    """A score, and whether greater values of it are better.

    Args:
        name: the name that is printed.
        fn: computes the score from outputs and targets, a tensor of one number; made of torch's
            functions alone, so that it can score many runs at once (with ``if``, ``item()`` or a
            mask that selects rows, it scores one after another). ``OutputKind`` has their shapes.
        greater_is_better: the direction.
        percent: whether the score is a fraction, to be shown as a percentage.
    """

    name: str
    fn: ScoreFunction
    greater_is_better: bool = True
    percent: bool = False


class OutputKind(Enum):
    """The meaning of a network's outputs: what the function of a metric gets.

    ``CLASS_SCORES``: outputs of shape (rows, classes) and targets of shape (rows,), the numbers of
    the classes as int64. With a class for every pixel the shapes are (rows, classes, height, width)
    and (rows, height, width). A class may be absent from the rows, and a target below 0 belongs to
    none: torch's losses ignore it.
    ``LOGIT``: outputs and targets of one shape, usually (rows, 1). An output above 0 means class 1,
    a target is 0.0 or 1.0.
    ``PROBABILITY``: the same, but an output is from 0 to 1, and above 0.5 means class 1.
    ``QUANTITY``: outputs and targets of one shape; (rows, 1) for one column of a table.
    ``OTHER``: outputs and targets as the loss takes them.
    """

    CLASS_SCORES = "one score per class"
    LOGIT = "the log-odds of class 1"
    PROBABILITY = "the probability of class 1"
    QUANTITY = "numbers to compare with the targets"
    OTHER = "anything else that the loss takes"


TASK_KINDS = ("classification", "regression")

_DEFAULT_LOSSES: dict[OutputKind, Callable[[], Loss]] = {
    OutputKind.CLASS_SCORES: nn.CrossEntropyLoss,
    OutputKind.LOGIT: nn.BCEWithLogitsLoss,
    OutputKind.PROBABILITY: nn.BCELoss,
    OutputKind.QUANTITY: nn.MSELoss,
    OutputKind.OTHER: nn.MSELoss,
}

_DEFAULT_METRICS: dict[OutputKind, str] = {
    OutputKind.CLASS_SCORES: "accuracy",
    OutputKind.LOGIT: "accuracy",
    OutputKind.PROBABILITY: "accuracy",
    OutputKind.QUANTITY: "rmse",
    OutputKind.OTHER: "loss",
}


# What a dummy predicts: the output row of a constant prediction, from training targets and the
# shape of a row.

DummyRule = Callable[[Tensor, tuple[int, ...]], Tensor]


def predict_class_frequencies(targets: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Predict the log frequencies of the classes; losses ignore labels below 0, so this does."""
    counts = targets[targets >= 0].flatten().bincount(minlength=shape[0])[: shape[0]]
    # Of the sum 1, since some losses take log-probabilities.
    log_frequencies = counts.double().clamp(min=0.5).log().log_softmax(dim=0)
    return log_frequencies.reshape(-1, *[1] * (len(shape) - 1)).expand(shape)


def predict_log_odds(targets: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Predict the log-odds of class 1.

    >>> predict_log_odds(torch.tensor([[0.0], [1.0], [1.0], [1.0]]), (1,)).exp().round(decimals=6)
    tensor([3.], dtype=torch.float64)
    """
    positives = targets.double().sum(dim=0)
    return (positives.clamp(min=0.5) / (len(targets) - positives).clamp(min=0.5)).log()


def predict_mean(targets: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Predict the mean of the targets."""
    return targets.mean(dim=0)


def predict_zeros(targets: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Predict zeros, for outputs whose meaning is not known."""
    return targets.new_zeros(shape)


DUMMY_RULES: dict[OutputKind, DummyRule] = {
    OutputKind.CLASS_SCORES: predict_class_frequencies,
    OutputKind.LOGIT: predict_log_odds,
    OutputKind.PROBABILITY: predict_mean,
    OutputKind.QUANTITY: predict_mean,
    OutputKind.OTHER: predict_zeros,
}
"""What the dummy predicts for each kind of outputs: what minimizes the default loss."""


class Scaling(Enum):
    """How a score gets the user's unit if targets were standardized for the training."""

    NONE = "it has no unit, or that of the loss"
    SCORE = "it is proportional to the unit of the targets, so it is multiplied"
    VALUES = "outputs and targets get their unit back before it is computed"


@dataclass(frozen=True)
class MetricEntry:
    """A metric that users select by name.

    Args:
        name: the name that is printed.
        functions: the function that computes it, for each kind of outputs that it suits; None for
            the loss itself, which suits all. The function takes outputs and targets, as that of
            ``Metric``.
        greater_is_better: the direction.
        percent: whether it is a fraction, to be shown as a percentage.
        scaling: how it gets the user's unit.
        dummy_rules: what the dummy predicts for each kind of outputs; the metric of that on test
            rows is the dummy score, which diverged runs get.
    """

    name: str
    functions: Mapping[OutputKind, ScoreFunction] | None
    greater_is_better: bool = True
    percent: bool = False
    scaling: Scaling = Scaling.NONE
    dummy_rules: Mapping[OutputKind, DummyRule] = field(default_factory=lambda: DUMMY_RULES)

    def suits(self, output_kind: OutputKind) -> bool:
        """Whether it can be computed from such outputs."""
        return self.functions is None or output_kind in self.functions

    def create(self, output_kind: OutputKind, loss: Loss) -> Metric:
        """Create the metric of such outputs."""
        function = loss if self.functions is None else self.functions[output_kind]
        return Metric(self.name, function, self.greater_is_better, self.percent)


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


METRICS: dict[str, MetricEntry] = {
    "accuracy": MetricEntry(
        "accuracy",
        {
            OutputKind.CLASS_SCORES: _compute_class_accuracy,
            OutputKind.LOGIT: _compute_logit_accuracy,
            OutputKind.PROBABILITY: _compute_probability_accuracy,
        },
        percent=True,
    ),
    "rmse": MetricEntry(
        "RMSE",
        {OutputKind.QUANTITY: _compute_rmse},
        greater_is_better=False,
        scaling=Scaling.SCORE,
    ),
    "mae": MetricEntry(
        "MAE",
        {OutputKind.QUANTITY: _compute_mae},
        greater_is_better=False,
        scaling=Scaling.SCORE,
    ),
    "r2": MetricEntry("R²", {OutputKind.QUANTITY: _compute_r2}),
    "loss": MetricEntry("loss", functions=None, greater_is_better=False),
}
"""The metrics by the names that users give: a new one is one entry, anywhere in the list.

Its functions get all rows that are scored at once, see ``OutputKind``. A score must be a number for
whatever rows these are: a mean over classes leaves out classes without rows. ``dummy_rules`` are
needed only if the dummy has to predict something else than what minimizes the default loss.
"""


@dataclass(frozen=True)
class DummyOutput:
    """Computes the output row of a constant prediction.

    Args:
        rule: what is predicted.
        shape: the shape of one row of outputs.
        dtype: their type if the targets are whole numbers; else it is that of the targets.

    >>> dummy_output = DummyOutput(predict_class_frequencies, (2,), torch.float32)
    >>> dummy_output(torch.tensor([0, 1, 1, 1])).exp().round(decimals=6)
    tensor([0.2500, 0.7500])
    """

    rule: DummyRule
    shape: tuple[int, ...]
    dtype: torch.dtype

    def __call__(self, targets: Tensor) -> Tensor:
        """Compute the row from training targets."""
        dtype = targets.dtype if targets.is_floating_point() else self.dtype
        return self.rule(targets, self.shape).to(dtype)


@dataclass(frozen=True)
class Task:
    """How outputs are trained and scored; made by ``make_task``.

    Args:
        output_kind: the meaning of the outputs.
        output_shape: the shape of one row of outputs.
        loss: the function of outputs and targets that training minimizes.
        metric: the score that runs report.
        scaling: how the score gets the user's unit.
        dummy_output: computes the output row of a constant prediction from training targets.
    """

    output_kind: OutputKind
    output_shape: tuple[int, ...]
    loss: Loss
    metric: Metric
    scaling: Scaling
    dummy_output: Callable[[Tensor], Tensor]

    @property
    def kind(self) -> str:
        """``"classification"`` or ``"regression"``."""
        is_regression = self.output_kind in (OutputKind.QUANTITY, OutputKind.OTHER)
        return "regression" if is_regression else "classification"


def make_task(
    output_kind: OutputKind,
    output_shape: tuple[int, ...] = (1,),
    dtype: torch.dtype = torch.float32,
    loss: Loss | None = None,
    metric: str | Metric | None = None,
) -> Task:
    """Make the task of a kind of outputs.

    Args:
        output_kind: the meaning of the outputs.
        output_shape: the shape of one row of outputs.
        dtype: their type.
        loss: what training minimizes; the usual loss of such outputs if None.
        metric: a name of ``METRICS``, or a metric of the user's own; the default of such outputs if
            None.

    Raises:
        ProblemError: these outputs have no such metric.

    >>> task = make_task(OutputKind.CLASS_SCORES, (3,))
    >>> task.kind, task.loss, task.metric.name
    ('classification', CrossEntropyLoss(), 'accuracy')
    """
    loss_function = _DEFAULT_LOSSES[output_kind]() if loss is None else loss
    if isinstance(metric, Metric):  # its function may need values in the user's units
        chosen, scaling, dummy_rule = metric, Scaling.VALUES, DUMMY_RULES[output_kind]
    else:
        entry = find_metric(metric, output_kind)
        chosen = entry.create(output_kind, loss_function)
        scaling, dummy_rule = entry.scaling, entry.dummy_rules[output_kind]
    dummy_output = DummyOutput(dummy_rule, output_shape, dtype)
    return Task(output_kind, output_shape, loss_function, chosen, scaling, dummy_output)


def find_metric(name: str | None, output_kind: OutputKind) -> MetricEntry:
    """Return the metric of a name, or the default one, for a kind of outputs.

    Raises:
        ProblemError: these outputs have no such metric.
    """
    known = {key: entry for key, entry in METRICS.items() if entry.suits(output_kind)}
    if name is None:
        return METRICS[_DEFAULT_METRICS[output_kind]]
    if not isinstance(name, str):
        raise ProblemError(
            "`metric` must be a name or a Metric, which says whether greater values are better, "
            f'got {shorten_repr(name)}; give metric=lrlab.Metric("F1", f1, greater_is_better=True).'
        )
    if name.lower() not in known:
        hint = format_suggestion(name.lower(), known) or "."
        raise ProblemError(
            f"`metric` must be one of {', '.join(known)} for these outputs and targets, or an "
            f"lrlab.Metric of your own, got {name}{hint}"
        )
    return known[name.lower()]
