"""Arrays, tensors and frames of a user's own as tensors, checked."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from lrlab._checks import check_name, to_finite_float
from lrlab.errors import ProblemError, format_suggestion
from lrlab.problems import metrics
from lrlab.problems.dry_run import build_network, compute_outputs, refuse_untrainable
from lrlab.problems.fingerprint import compute_fingerprint
from lrlab.problems.metrics import Metric, Task
from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import derive_seeds
from lrlab.problems.table import TASK_KINDS


def to_input_tensor(x: Any, name: str, network: nn.Module) -> Tensor:
    """Inputs as a tensor on the CPU: floats of the type of the network's parameters, or int64.

    Raises:
        ProblemError: they are no rows of finite numbers.
    """
    values = _to_array_or_tensor(x, name)
    if isinstance(values, np.ndarray) and values.dtype.kind not in "iufb":
        text_column = _find_text_column(x)
        raise ProblemError(
            f"{name} must hold numbers, but {text_column or 'it'} holds {_describe_dtype(values)}; turn it into "
            "numbers, or save a table as CSV and name the file to lrlab, which encodes text."
        )
    tensor = torch.as_tensor(values)
    if tensor.dim() == 0 or len(tensor) == 0:
        raise ProblemError(f"{name} needs rows, got shape {tuple(tensor.shape)}.")
    if tensor.is_floating_point() or tensor.dtype == torch.bool:
        floats = (p.dtype for p in network.parameters() if p.is_floating_point())
        tensor = tensor.to(next(floats, torch.float32))
        non_finite = (
            ~tensor.isfinite().flatten(1).all(dim=1) if tensor.dim() > 1 else ~tensor.isfinite()
        )
        _refuse_non_finite(int(non_finite.sum()), len(tensor), name)
    else:
        tensor = tensor.to(torch.int64)
    return tensor.contiguous()


def to_target_array(y: Any, name: str, inputs: Tensor) -> NDArray[Any]:
    """Targets as an array: numbers, texts or booleans, one for each row of the inputs.

    Raises:
        ProblemError: there are more or fewer, or some are missing.
    """
    plain = _to_array_or_tensor(y, name)
    values = plain if isinstance(plain, np.ndarray) else plain.numpy()
    rows = "x_test" if name == "y_test" else "x"
    if values.ndim == 0 or len(values) != len(inputs):
        count = len(values) if values.ndim else "no"
        raise ProblemError(
            f"{name} needs one target for each row of {rows}, got {count} targets for "
            f"{len(inputs)} rows."
        )
    if values.dtype.kind not in "iufbOUS":
        raise ProblemError(
            f"{name} must hold numbers or names of classes, got {_describe_dtype(values)}; turn it into "
            "either."
        )
    if values.dtype.kind in "Of":
        non_finite = pd.isna(values) if values.dtype.kind == "O" else ~np.isfinite(values)
        _refuse_non_finite(
            int(non_finite.reshape(len(values), -1).any(axis=1).sum()), len(values), name
        )
    return np.asarray(values.astype(str)) if values.dtype.kind in "OS" else values


def _to_array_or_tensor(values: Any, name: str) -> NDArray[Any] | Tensor:
    if isinstance(values, Tensor):
        return values.detach().cpu()
    if isinstance(values, pd.DataFrame | pd.Series):
        return np.ascontiguousarray(values.to_numpy())
    if not (isinstance(values, list | tuple) or hasattr(values, "__array__")):
        raise ProblemError(
            f"{name} must be an array, a tensor or a frame, got {type(values).__name__}; collect "
            "the rows of a data set or a loader into one."
        )
    try:
        return np.ascontiguousarray(values)
    except (ValueError, TypeError):
        raise ProblemError(
            f"{name} must be an array, a tensor or a frame, and this {type(values).__name__} "
            "cannot be made one; its rows may differ in length."
        ) from None


def _refuse_non_finite(bad_rows: int, rows: int, name: str) -> None:
    if bad_rows:
        raise ProblemError(
            f"{name} must hold finite numbers, but {bad_rows} of {rows} rows have missing or infinite "
            "ones; fill them in or drop those rows."
        )


def _find_text_column(x: Any) -> str:
    """The first column of a frame that holds no numbers."""
    if not isinstance(x, pd.DataFrame):
        return ""
    texts = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    return f"column {texts[0]}" if texts else ""


def _describe_dtype(values: NDArray[Any]) -> str:
    return {"O": "text", "U": "text", "S": "text", "M": "times", "c": "complex numbers"}.get(
        values.dtype.kind, str(values.dtype)
    )


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
    has_class_numbers = (
        values.dtype.kind not in "USOb"
        and output_shape
        and names[0] >= 0
        and names[-1] < output_shape[0]
    )
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
            "a function alone does not say whether greater values are better; give metric=lrlab.Metric("
            '"F1", f1, greater_is_better=True), or a name.'
        )
    known = {"loss": Metric("loss", loss, greater_is_better=False)}
    match output_kind:
        case "classes":
            known["accuracy"] = metrics.make_multiclass_task(2).metric
        case "two":
            known["accuracy"] = metrics.make_binary_task().metric
        case "probability":
            known["accuracy"] = metrics.make_binary_probability_task().metric
        case "quantity":
            known["rmse"] = metrics.make_regression_task().metric
            known["mae"] = Metric("MAE", _compute_mae, greater_is_better=False)
            known["r2"] = Metric("R²", _compute_r2)
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


def from_arrays(
    x: Any,
    y: Any,
    model: Callable[[], nn.Module],
    *,
    name: str = "problem",
    loss: Loss | None = None,
    metric: str | Metric | None = None,
    task: str | None = None,
    x_test: Any = None,
    y_test: Any = None,
    test_size: float = 0.3,
    shuffle: bool = True,
) -> Problem:
    """The problem of training a model of your own on data of your own.

    The data is taken as it is: scale it, fill in what is missing, before. Every seed draws its own
    test rows, stratified by class, unless ``x_test`` and ``y_test`` are given. One batch is tried
    at once, so that what does not fit together is said here.

    Args:
        x: inputs, shape (rows, ...): an array, a tensor, a frame of numbers. Floats get the type of
            the model's parameters, whole numbers become int64.
        y: targets, one for each row. Whole numbers, texts and booleans are classes: with an output
            for each class they become its number, int64 of shape (rows,); with one output in all, 0
            or 1 in the shape of the outputs. Floats are quantities; where there are as many as
            outputs, they get the shape of the outputs.
        model: what builds the network anew for every run, with weights drawn from torch's random
            numbers: a function or a class without arguments. At the top of a module, where worker
            processes find it.
        name: what people call it; the picture is named so too.
        loss: a function of outputs and targets that gives a tensor of one number. For classes
            cross-entropy when left out (of a logit where there is one output), for quantities the
            mean squared error.
        metric: ``"accuracy"``, ``"rmse"``, ``"mae"``, ``"r2"``, ``"loss"``, or a ``Metric`` of your
            own, which says whether more of it is better. Accuracy of classes when left out, RMSE of
            quantities, the loss of anything else. One output is a logit to accuracy, but a
            probability where the loss is torch's ``BCELoss``.
        task: ``"classification"`` or ``"regression"``, where y could be either.
        x_test, y_test: test rows, the same for every seed.
        test_size: the share of the rows that is tested otherwise; that of tables when left out.
        shuffle: whether batches are reshuffled every epoch, unless a run says otherwise.

    Raises:
        ProblemError: something does not fit together.

    >>> from functools import partial
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> own = problem(x, x[:, 0] > 0, partial(nn.Linear, 4, 2), name="sign")
    >>> own.summary
    '50 rows of shape (4,), classification, 2 classes; 15 are tested, others for every seed'
    """
    checked_name = check_name(name, ProblemError)
    network = build_network(model)
    inputs = to_input_tensor(x, "x", network)
    has_fixed_test = x_test is not None
    if has_fixed_test != (y_test is not None):
        raise ProblemError("test rows need both x_test and y_test, got one of them; give both.")
    test_inputs = to_input_tensor(x_test, "x_test", network) if has_fixed_test else inputs[:0]
    if test_inputs.shape[1:] != inputs.shape[1:]:
        raise ProblemError(
            f"rows of x_test must be shaped like those of x, got {tuple(test_inputs.shape[1:])} and "
            f"{tuple(inputs.shape[1:])}."
        )
    values = to_target_array(y, "y", inputs)
    if has_fixed_test:
        values = np.concatenate([values, to_target_array(y_test, "y_test", test_inputs)])
    outputs = compute_outputs(network, inputs)
    prepared = prepare_targets(values, outputs, loss, metric, task)
    refuse_untrainable(prepared.task, network, inputs, prepared.targets)
    rows, test_rows = (
        len(inputs),
        len(test_inputs) if has_fixed_test else _count_test_rows(len(inputs), test_size),
    )
    data = ArrayData(
        x=torch.cat([inputs, test_inputs]) if has_fixed_test else inputs,
        y=prepared.targets,
        test_rows=test_rows,
        has_fixed_test=has_fixed_test,
        strata=None if has_fixed_test or prepared.labels is None else prepared.labels,
    )
    data.refuse_rare_classes()
    which = "the same" if has_fixed_test else "others"
    return Problem(
        name=checked_name,
        fingerprint=compute_fingerprint(
            "problem 1",
            data.x,
            data.y,
            test_rows,
            has_fixed_test,
            model,
            prepared.task.loss,
            prepared.task.metric,
        ),
        split=data.split,
        train_rows=rows if has_fixed_test else rows - test_rows,
        model=model,
        task=prepared.task,
        shuffle=bool(shuffle),
        summary=(
            f"{rows + len(test_inputs)} rows of shape {tuple(inputs.shape[1:])}, {prepared.summary}; "
            f"{test_rows} are tested, {which} for every seed"
        ),
        test_train_ratio=None if has_fixed_test else test_rows / (rows - test_rows),
    )


@dataclass(frozen=True, eq=False)
class ArrayData:
    """The rows.

    Args:
        x, y: inputs and targets; where test rows are fixed they stand last.
        test_rows: how many are.
        has_fixed_test: whether test rows are the same for every seed.
        strata: classes whose shares a split keeps, None for none.
    """

    x: Tensor
    y: Tensor
    test_rows: int
    has_fixed_test: bool
    strata: NDArray[np.int64] | None

    def split(self, seed: int) -> Split:
        """The rows as ``seed`` divides them."""
        rows = np.arange(len(self.x))
        if self.has_fixed_test:
            train, test = rows[: -self.test_rows], rows[-self.test_rows :]
        else:
            train, test = train_test_split(
                rows,
                test_size=self.test_rows,
                random_state=derive_seeds(seed).split,
                stratify=self.strata,
            )
        train_index, test_index = torch.from_numpy(train), torch.from_numpy(test)
        return Split(
            self.x[train_index], self.y[train_index], self.x[test_index], self.y[test_index]
        )

    def refuse_rare_classes(self) -> None:
        """Refuses classes that cannot be in training and test rows both."""
        if self.strata is None:
            return
        classes, sizes = np.unique(self.strata, return_counts=True)
        least = min(self.test_rows, len(self.x) - self.test_rows)
        if sizes.min() < 2 or least < len(classes):
            raise ProblemError(
                "every class needs a row to train on and one to test, but of "
                f"{len(classes)} classes the rarest has {sizes.min()} of {len(self.x)} rows, and "
                f"{self.test_rows} are tested; merge or drop such classes, or give x_test and y_test."
            )


def _count_test_rows(rows: int, test_size: float) -> int:
    fraction = to_finite_float(test_size)
    if fraction is None or not 0 < fraction < 1:
        raise ProblemError(f"test_size must be above 0 and below 1, got {test_size!r}; try 0.3.")
    if rows < 3:
        raise ProblemError(f"a problem needs rows to train on and to test, got {rows} in all.")
    return min(max(1, round(fraction * rows)), rows - 2)
