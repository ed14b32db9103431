"""Problems from arrays: check arrays, tensors or frames; convert them to tensors and a task."""

import math
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lrlab._checks import to_finite_float
from lrlab.errors import ProblemError
from lrlab.problems.dry_run import build_network, check_loss_and_metric, compute_outputs
from lrlab.problems.metrics import TASK_KINDS, Loss, Metric, OutputKind, Task, make_task
from lrlab.problems.seeds import derive_seeds
from lrlab.problems.split import Split, draw_rows


@dataclass(frozen=True, eq=False)
class ArrayData:
    """The rows of a problem from arrays, checked and as tensors.

    Args:
        x, y: inputs and targets; fixed test rows are the last ones.
        task: loss, metric and dummy output.
        test_rows: number of test rows.
        has_fixed_test: whether the test rows are the same for every seed.
        strata: class of every row, for stratified splits; None to split without classes.
        summary: rows and targets in a few words.
    """

    x: Tensor
    y: Tensor
    task: Task
    test_rows: int
    has_fixed_test: bool
    strata: NDArray[np.int64] | None
    summary: str

    @property
    def train_rows(self) -> int:
        """Number of rows that are not test rows."""
        return len(self.x) - self.test_rows

    @property
    def test_train_ratio(self) -> float | None:
        """Test rows per training row, None if the test rows are fixed."""
        return None if self.has_fixed_test else self.test_rows / self.train_rows

    def split(self, seed: int) -> Split:
        """Split the rows by a seed."""
        rows = np.arange(len(self.x))
        if self.has_fixed_test:
            train, test = rows[: -self.test_rows], rows[-self.test_rows :]
        else:
            train, test = draw_rows(
                len(rows), self.test_rows, derive_seeds(seed).split, self.strata
            )
        train_index, test_index = torch.from_numpy(train), torch.from_numpy(test)
        return Split(
            self.x[train_index], self.y[train_index], self.x[test_index], self.y[test_index]
        )


def prepare_arrays(
    x: Any,
    y: Any,
    model: Callable[[], nn.Module],
    *,
    loss: Loss | None,
    metric: str | Metric | None,
    task: str | None,
    x_test: Any,
    y_test: Any,
    test_size: float,
) -> ArrayData:
    """Check and convert the arguments of ``Problem.from_arrays``, which documents them.

    Raises:
        ProblemError: the arguments do not fit together.
    """
    network = build_network(model)
    input_type = get_input_type(network)
    inputs = to_input_tensor(x, "x", input_type)
    has_fixed_test = x_test is not None
    if has_fixed_test != (y_test is not None):
        raise ProblemError("test rows need both x_test and y_test, got one of them; give both.")
    test_inputs = to_input_tensor(x_test, "x_test", input_type) if has_fixed_test else inputs[:0]
    if test_inputs.shape[1:] != inputs.shape[1:]:
        raise ProblemError(
            f"rows of x_test must have the shape of those of x, {tuple(inputs.shape[1:])}, got "
            f"{tuple(test_inputs.shape[1:])}."
        )
    values = to_target_array(y, "y", inputs)
    if has_fixed_test:
        values = np.concatenate([values, to_target_array(y_test, "y_test", test_inputs)])
    outputs = compute_outputs(network, inputs)
    targets = prepare_targets(values, outputs, loss, metric, task)
    check_loss_and_metric(targets.task, network, inputs, targets.encoded)
    test_rows = len(test_inputs) if has_fixed_test else count_test_rows(len(inputs), test_size)
    strata = None if has_fixed_test else targets.labels
    if strata is not None:
        check_class_sizes(strata, test_rows)
    all_inputs = torch.cat([inputs, test_inputs]) if has_fixed_test else inputs
    seeds_text = "the same for every seed" if has_fixed_test else "drawn by every seed"
    return ArrayData(
        x=all_inputs,
        y=targets.encoded,
        task=targets.task,
        test_rows=test_rows,
        has_fixed_test=has_fixed_test,
        strata=strata,
        summary=(
            f"{len(all_inputs)} rows of shape {tuple(inputs.shape[1:])}, {targets.summary}; "
            f"{test_rows} test rows, {seeds_text}"
        ),
    )


def count_test_rows(rows: int, test_size: float) -> int:
    """Return how many rows are test rows if every seed draws them.

    Raises:
        ProblemError: ``test_size`` is not a fraction, or there are too few rows.
    """
    fraction = to_finite_float(test_size)
    if fraction is None or not 0 < fraction < 1:
        raise ProblemError(f"`test_size` must be above 0 and below 1, got {test_size!r}; try 0.3.")
    if rows < 3:
        raise ProblemError(f"a problem needs at least 3 rows to train and test on, got {rows}.")
    return min(max(1, round(fraction * rows)), rows - 2)


def check_class_sizes(strata: NDArray[np.int64], test_rows: int) -> None:
    """Check that every class can have both a training and a test row.

    Raises:
        ProblemError: a class cannot.
    """
    classes, sizes = np.unique(strata, return_counts=True)
    smaller_part = min(test_rows, len(strata) - test_rows)
    if sizes.min() < 2 or smaller_part < len(classes):
        raise ProblemError(
            f"every class needs a training and a test row, but the rarest of {len(classes)} "
            f"classes has {sizes.min()} of {len(strata)} rows, and {test_rows} are test rows; "
            "merge or drop such classes, or give x_test and y_test."
        )


def get_input_type(network: nn.Module) -> torch.dtype:
    """Return the type that a network takes floats in: that of its parameters."""
    return next((p.dtype for p in network.parameters() if p.is_floating_point()), torch.float32)


def to_input_tensor(x: Any, name: str, float_type: torch.dtype) -> Tensor:
    """Convert inputs to a tensor on the CPU: floats of a type, or int64.

    Raises:
        ProblemError: the inputs are not rows of finite numbers.
    """
    values = _to_array_or_tensor(x, name)
    if isinstance(values, np.ndarray) and values.dtype.kind not in "iufb":
        text_column = _find_text_column(x)
        raise ProblemError(
            f"{name} must hold numbers, but {text_column or 'it'} holds {_describe_dtype(values)}; "
            "convert it to numbers, or use Problem.from_table(path), which encodes text."
        )
    tensor = torch.as_tensor(values)
    if tensor.dim() == 0 or len(tensor) == 0:
        raise ProblemError(f"{name} needs rows, got shape {tuple(tensor.shape)}.")
    if tensor.is_floating_point() or tensor.dtype == torch.bool:
        tensor = tensor.to(float_type)
        non_finite = (
            ~tensor.isfinite().flatten(1).all(dim=1) if tensor.dim() > 1 else ~tensor.isfinite()
        )
        _check_finite(int(non_finite.sum()), len(tensor), name)
    else:
        tensor = tensor.to(torch.int64)
    return tensor.contiguous()


def to_target_array(y: Any, name: str, inputs: Sized) -> NDArray[Any]:
    """Convert targets to an array of numbers, texts or booleans, one for each row of the inputs.

    Raises:
        ProblemError: there are more or fewer targets than rows, or some are missing.
    """
    array_or_tensor = _to_array_or_tensor(y, name)
    values = array_or_tensor if isinstance(array_or_tensor, np.ndarray) else array_or_tensor.numpy()
    rows = "x_test" if name == "y_test" else "x"
    if values.ndim == 0 or len(values) != len(inputs):
        count = len(values) if values.ndim else "no"
        raise ProblemError(
            f"{name} needs one target for each row of {rows}, got {count} targets for "
            f"{len(inputs)} rows."
        )
    if values.dtype.kind not in "iufbOUS":
        raise ProblemError(
            f"{name} must hold numbers or names of classes, got {_describe_dtype(values)}; convert "
            "the targets."
        )
    if values.dtype.kind in "Of":
        non_finite = pd.isna(values) if values.dtype.kind == "O" else ~np.isfinite(values)
        _check_finite(int(non_finite.reshape(len(values), -1).any(axis=1).sum()), len(values), name)
    return np.asarray(values.astype(str)) if values.dtype.kind in "OS" else values


def _to_array_or_tensor(values: Any, name: str) -> NDArray[Any] | Tensor:
    if isinstance(values, Tensor):
        return values.detach().cpu()
    if isinstance(values, pd.DataFrame | pd.Series):
        return np.ascontiguousarray(values.to_numpy())
    if not (isinstance(values, list | tuple) or hasattr(values, "__array__")):
        raise ProblemError(
            f"{name} must be an array, a tensor or a data frame, got {type(values).__name__}; "
            "collect the rows of a data set or a loader into one."
        )
    try:
        return np.ascontiguousarray(values)
    except (ValueError, TypeError):
        raise ProblemError(
            f"{name} must be an array, a tensor or a data frame, but this {type(values).__name__} "
            "cannot be converted; do its rows differ in length?"
        ) from None


def _check_finite(bad_rows: int, rows: int, name: str) -> None:
    if bad_rows:
        raise ProblemError(
            f"{name} must hold finite numbers, but {bad_rows} of {rows} rows have missing or "
            "infinite values; fill them in or drop those rows."
        )


def _find_text_column(x: Any) -> str:
    """Return the first column of a data frame that does not hold numbers."""
    if not isinstance(x, pd.DataFrame):
        return ""
    texts = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    return f"column {texts[0]}" if texts else ""


def _describe_dtype(values: NDArray[Any]) -> str:
    return {"O": "text", "U": "text", "S": "text", "M": "times", "c": "complex numbers"}.get(
        values.dtype.kind, str(values.dtype)
    )


@dataclass(frozen=True, eq=False)
class TargetEncoding:
    """How targets become the tensor that the loss takes.

    Args:
        dtype: type of the tensor.
        row_shape: shape of the target of a row; None for the shape that it has.
        classes: the classes in order, which are numbered from 0; None if numbers stay as they are.

    >>> encoding = TargetEncoding(torch.int64, (), np.array(["no", "yes"]))
    >>> encoding.encode(np.array(["yes", "no", "yes"]))
    tensor([1, 0, 1])
    """

    dtype: torch.dtype
    row_shape: tuple[int, ...] | None = None
    classes: NDArray[Any] | None = None

    def encode(self, values: NDArray[Any]) -> Tensor:
        """Encode one target for each row.

        Raises:
            ProblemError: a target is none of the classes.
        """
        if self.classes is not None:
            values = _number_classes(values.reshape(-1), self.classes)
        elif self.dtype == torch.int64:
            values = values.astype(np.int64)
        targets = torch.from_numpy(np.ascontiguousarray(values)).to(self.dtype)
        return targets if self.row_shape is None else targets.reshape(len(targets), *self.row_shape)


def _number_classes(values: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    numbers = np.searchsorted(classes, values).clip(max=len(classes) - 1)
    is_unknown = classes[numbers] != values
    if is_unknown.any():
        raise ProblemError(
            f"every target must be one of the {len(classes)} classes of y, got "
            f"{values[is_unknown][0]}."
        )
    return numbers.astype(np.int64)


@dataclass(frozen=True, eq=False)
class PreparedTargets:
    """Targets, encoded for the loss, and their task.

    Args:
        encoding: encodes targets like these.
        encoded: one target for each row, as the loss takes it.
        task: loss, metric and dummy output.
        labels: the class of every row; None if a row has no single class.
        summary: the task in a few words.
    """

    encoding: TargetEncoding
    encoded: Tensor
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
    """Choose loss, metric and encoding that suit the targets and the outputs of a few rows.

    Raises:
        ProblemError: targets and outputs do not match, or the task or metric is unknown.
    """
    if task is not None and task not in TASK_KINDS:
        raise ProblemError(f"`task` must be classification or regression, got {task!r}.")
    if loss is not None and not callable(loss):
        raise ProblemError(f"`loss` must be a function of outputs and targets, got {loss!r}.")
    output_shape = tuple(outputs.shape[1:])
    labels: NDArray[np.int64] | None = None
    if _are_classes(values, task):
        encoding, labels = _choose_class_encoding(values, outputs, has_loss=loss is not None)
        targets = encoding.encode(values)
        is_binary = targets.is_floating_point()
        output_kind = _get_binary_kind(loss) if is_binary else OutputKind.CLASS_SCORES
        count = "" if labels is None else f", {len(np.unique(labels))} classes"
        summary = f"classification{count}"
    else:
        encoding = _choose_quantity_encoding(values, outputs, has_loss=loss is not None)
        targets = encoding.encode(values)
        has_same_shape = targets.shape[1:] == output_shape
        output_kind = OutputKind.QUANTITY if has_same_shape else OutputKind.OTHER
        summary = "regression"
        if _is_bce(loss) or isinstance(loss, nn.BCEWithLogitsLoss):
            output_kind = _get_binary_kind(loss)
            summary = "classification, targets from 0 to 1"
    return PreparedTargets(
        encoding=encoding,
        encoded=targets,
        task=make_task(output_kind, output_shape, outputs.dtype, loss, metric),
        labels=labels,
        summary=summary,
    )


def _are_classes(values: NDArray[Any], task: str | None) -> bool:
    is_numeric = values.dtype.kind in "iuf"
    if task == "regression":
        if not is_numeric:
            raise ProblemError("regression needs numbers as targets, but y holds names of classes.")
        return False
    if task == "classification" and values.dtype.kind == "f":
        if not (values == np.round(values)).all():
            raise ProblemError(
                "classes must be whole numbers or texts, but y holds fractions; leave out "
                'task="classification".'
            )
        return True
    return values.dtype.kind != "f"


def _choose_class_encoding(
    values: NDArray[Any], outputs: Tensor, has_loss: bool
) -> tuple[TargetEncoding, NDArray[np.int64] | None]:
    """Choose the encoding of classes; also return the class of every row, None for several."""
    output_shape = tuple(outputs.shape[1:])
    if values.size != len(values):  # for example, a class for every pixel
        if values.dtype.kind in "US":
            raise ProblemError("several classes per row must be numbers from 0, but y holds texts.")
        return TargetEncoding(torch.int64), None
    names, numbers = np.unique(values.reshape(-1), return_inverse=True)
    labels: NDArray[np.int64] = numbers.reshape(-1).astype(np.int64)
    if len(names) < 2:
        raise ProblemError(
            f"classification needs at least two classes, but y is {names[0]} in every row."
        )
    if math.prod(output_shape) == 1 and (len(names) == 2 or not has_loss):
        if len(names) > 2:
            raise ProblemError(
                f"{len(names)} classes need {len(names)} outputs, but the model returns one; give "
                'it more, or set task="regression" if y is a quantity.'
            )
        return TargetEncoding(outputs.dtype, output_shape, names), labels
    if output_shape and len(names) > output_shape[0]:
        raise ProblemError(
            f"{len(names)} classes need {len(names)} outputs, but the model returns "
            f'{output_shape[0]}; give it more, or set task="regression" if y is a quantity.'
        )
    has_class_numbers = (
        values.dtype.kind not in "USOb"
        and output_shape
        and names[0] >= 0
        and names[-1] < output_shape[0]
    )
    return TargetEncoding(torch.int64, (), None if has_class_numbers else names), labels


def _choose_quantity_encoding(
    values: NDArray[Any], outputs: Tensor, has_loss: bool
) -> TargetEncoding:
    """Choose the encoding of quantities: the shape of the outputs if the sizes agree."""
    row_shape, output_shape = values.shape[1:], tuple(outputs.shape[1:])
    if math.prod(row_shape) == math.prod(output_shape):
        return TargetEncoding(outputs.dtype, output_shape)
    if not has_loss:
        raise ProblemError(
            f"targets of shape {row_shape or 'one number'} need outputs of that shape for each "
            f"row, but the model returns {output_shape or 'one number'}; change either, or give a "
            "loss."
        )
    return TargetEncoding(outputs.dtype)


def _get_binary_kind(loss: object) -> OutputKind:
    return OutputKind.PROBABILITY if _is_bce(loss) else OutputKind.LOGIT


def _is_bce(loss: object) -> bool:
    """Whether a loss takes outputs as probabilities."""
    return isinstance(loss, nn.BCELoss) or loss is nn.functional.binary_cross_entropy
