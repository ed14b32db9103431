"""The target column: classes or numbers, told apart by what it holds."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.errors import ProblemError
from lrlab.problems.slips import looks_like_numbers, find_non_numeric_cells
from lrlab.problems.tasks import Task, make_regression_task, make_multiclass_task, make_binary_task

TASK_KINDS = ("classification", "regression")
_KIND_DESCRIPTIONS = {"classification": "a name of a class", "regression": "a quantity"}
_MAX_INFERRED_CLASSES = 20
MAX_MAGNITUDE = 1e100
"""Of the numbers in a table: the squares that standardising takes must fit float64."""


@dataclass(frozen=True, eq=False)
class Target:
    """What is predicted.

    Args:
        values: class numbers (int64) or the quantity itself (float64), one per row.
        task: how it is trained and scored.
        summary: a few words for people.
    """

    values: NDArray[Any]
    task: Task
    summary: str

    @staticmethod
    def from_column(column: "pd.Series[Any]", name: str, task: str | None) -> "Target":
        """The target in a column.

        Left to itself, a column of text is classes; so is one of whole numbers with at most 20
        different values, none of them alone; any other is a quantity.

        Raises:
            ProblemError: a cell is missing, or the column does not suit the task.
        """
        if task is not None and task not in TASK_KINDS:
            raise ProblemError(f"task must be classification or regression, got {task}.")
        if column.isna().any():
            raise ProblemError(
                f"every row needs a target, but column {name} lacks {int(column.isna().sum())} "
                "(cells such as NA, None and ? count as missing); drop those rows or fill them in."
            )
        kind = task or _infer_kind(column)
        prepared = _read_quantities(column, name) if kind == "regression" else _read_classes(column, name)
        # Whole numbers may count or name things; only then is there anything to ask back.
        other_kind = "regression" if kind == "classification" else "classification"
        is_ambiguous = task is None and _holds_whole_numbers(column)
        hint = f" (if it is {_KIND_DESCRIPTIONS[other_kind]}: --task {other_kind})" if is_ambiguous else ""
        return replace(prepared, summary=prepared.summary + hint)

    @property
    def strata(self) -> NDArray[Any] | None:
        """What a split keeps the shares of: the classes."""
        return self.values if self.task.kind == "classification" else None

    def standardize(
        self, train: NDArray[np.intp], test: NDArray[np.intp]
    ) -> tuple[Tensor, Tensor, float]:
        """Targets of training and test rows as the loss wants them, and the size of one unit."""
        train_values, test_values = self.values[train], self.values[test]
        if self.task.kind == "classification":
            if self.task.output_size > 1:
                return torch.tensor(train_values), torch.tensor(test_values), 1.0
            return _to_column(train_values), _to_column(test_values), 1.0
        mean, scale = train_values.mean(), float(train_values.std()) or 1.0
        return _to_column((train_values - mean) / scale), _to_column((test_values - mean) / scale), scale


def _infer_kind(column: "pd.Series[Any]") -> str:
    if not _holds_numbers(column):
        return "classification"
    counts = column.value_counts()
    few = len(counts) <= min(_MAX_INFERRED_CLASSES, len(column) // 2) and counts.min() > 1
    return "classification" if few and _holds_whole_numbers(column) else "regression"


def _holds_whole_numbers(column: "pd.Series[Any]") -> bool:
    if not _holds_numbers(column):
        return False
    values = column.to_numpy(dtype=float)
    return bool(np.all(values == np.round(values)))


def _holds_numbers(column: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _read_quantities(column: "pd.Series[Any]", name: str) -> Target:
    if not _holds_numbers(column):
        raise ProblemError(
            f"regression needs a target of numbers, but {_describe_non_numeric(column, name)}; mend that, name "
            "another column with --target, or use --task classification."
        )
    values = column.to_numpy(dtype=float)
    if not (np.abs(values) < MAX_MAGNITUDE).all():
        raise ProblemError(
            f"a target must be below {MAX_MAGNITUDE:g}, but column {name} holds "
            f"{np.abs(values).max():g}; mend that, or name another column with --target."
        )
    if values.min() == values.max():
        raise ProblemError(
            f"there is nothing to predict: column {name} is {values[0]:g} in every row; name "
            "another column with --target."
        )
    return Target(values, make_regression_task(), "regression")


def _read_classes(column: "pd.Series[Any]", name: str) -> Target:
    labels, numbers, sizes = np.unique(
        column.to_numpy() if _holds_numbers(column) else column.astype(str).to_numpy(dtype=object),
        return_inverse=True,
        return_counts=True,
    )
    if len(labels) == 1:
        raise ProblemError(
            f"classification needs two or more classes, but column {name} is {labels[0]} in every "
            "row; name another column with --target."
        )
    if sizes.min() < 2 and not _holds_numbers(column) and looks_like_numbers(column):
        raise ProblemError(
            f"a target is numbers or names of classes, but {_describe_non_numeric(column, name)} beside numbers; "
            "mend that, or name another column with --target."
        )
    if sizes.min() < 2:
        remedy = "use --task regression" if _holds_numbers(column) else "drop or merge such classes"
        raise ProblemError(
            "every class needs a row to train on and one to test, but class "
            f"{labels[sizes.argmin()]} in column {name} has one row in all; {remedy}, or name "
            "another column with --target."
        )
    if len(labels) > 0.3 * len(column):
        raise ProblemError(
            f"there must be more test rows than classes, but column {name} has {len(labels)} "
            f"classes in {len(column)} rows; name another column with --target."
        )
    task = make_binary_task() if len(labels) == 2 else make_multiclass_task(len(labels))
    return Target(numbers.astype(np.int64), task, f"classification, {len(labels)} classes")


def _describe_non_numeric(column: "pd.Series[Any]", name: str) -> str:
    cells = find_non_numeric_cells(column.astype(str))
    return f"column {name} holds text such as {cells.iloc[0]} in {len(cells)} rows"


def _to_column(values: NDArray[Any]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1)
