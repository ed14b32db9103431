"""The target column: classes or numbers, told apart by what it holds."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from lrlab.errors import ProblemError
from lrlab.problems.slips import looks_like_numbers, slips
from lrlab.problems.tasks import Task, regression, several_classes, two_classes

TASKS = ("classification", "regression")
_MEANINGS = {"classification": "a name of a class", "regression": "a quantity"}
_MOST_CLASSES = 20
LARGEST = 1e100
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
    def read(column: "pd.Series[Any]", name: str, task: str | None) -> "Target":
        """The target in a column.

        Left to itself, a column of text is classes; so is one of whole numbers with at most 20
        different values, none of them alone; any other is a quantity.

        Raises:
            ProblemError: a cell is missing, or the column does not suit the task.
        """
        if task is not None and task not in TASKS:
            raise ProblemError(f"task must be classification or regression, got {task}.")
        if column.isna().any():
            raise ProblemError(
                f"every row needs a target, but column {name} lacks {int(column.isna().sum())} "
                "(cells such as NA, None and ? count as missing); drop those rows or fill them in."
            )
        kind = task or _kind(column)
        goal = _quantity(column, name) if kind == "regression" else _classes(column, name)
        # Whole numbers may count or name things; only then is there anything to ask back.
        other = "regression" if kind == "classification" else "classification"
        ask = task is None and _holds_whole_numbers(column)
        hint = f" (if it is {_MEANINGS[other]}: --task {other})" if ask else ""
        return replace(goal, summary=goal.summary + hint)

    @property
    def strata(self) -> NDArray[Any] | None:
        """What a split keeps the shares of: the classes."""
        return self.values if self.task.kind == "classification" else None

    def standardised(
        self, train: NDArray[np.intp], test: NDArray[np.intp]
    ) -> tuple[Tensor, Tensor, float]:
        """Targets of training and test rows as the loss wants them, and the size of one unit."""
        chosen, others = self.values[train], self.values[test]
        if self.task.kind == "classification":
            if self.task.outputs > 1:
                return torch.tensor(chosen), torch.tensor(others), 1.0
            return _column(chosen), _column(others), 1.0
        mean, unit = chosen.mean(), float(chosen.std()) or 1.0
        return _column((chosen - mean) / unit), _column((others - mean) / unit), unit


def _kind(column: "pd.Series[Any]") -> str:
    if not _holds_numbers(column):
        return "classification"
    rows_of_each = column.value_counts()
    few = len(rows_of_each) <= min(_MOST_CLASSES, len(column) // 2) and rows_of_each.min() > 1
    return "classification" if few and _holds_whole_numbers(column) else "regression"


def _holds_whole_numbers(column: "pd.Series[Any]") -> bool:
    if not _holds_numbers(column):
        return False
    values = column.to_numpy(dtype=float)
    return bool(np.all(values == np.round(values)))


def _holds_numbers(column: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _quantity(column: "pd.Series[Any]", name: str) -> Target:
    if not _holds_numbers(column):
        raise ProblemError(
            f"regression needs a target of numbers, but {_slips(column, name)}; mend that, name "
            "another column with --target, or use --task classification."
        )
    values = column.to_numpy(dtype=float)
    if not (np.abs(values) < LARGEST).all():
        raise ProblemError(
            f"a target must be below {LARGEST:g}, but column {name} holds "
            f"{np.abs(values).max():g}; mend that, or name another column with --target."
        )
    if values.min() == values.max():
        raise ProblemError(
            f"there is nothing to predict: column {name} is {values[0]:g} in every row; name "
            "another column with --target."
        )
    return Target(values, regression(), "regression")


def _classes(column: "pd.Series[Any]", name: str) -> Target:
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
            f"a target is numbers or names of classes, but {_slips(column, name)} beside numbers; "
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
    chosen = two_classes() if len(labels) == 2 else several_classes(len(labels))
    return Target(numbers.astype(np.int64), chosen, f"classification, {len(labels)} classes")


def _slips(column: "pd.Series[Any]", name: str) -> str:
    wrong = slips(column.astype(str))
    return f"column {name} holds text such as {wrong.iloc[0]} in {len(wrong)} rows"


def _column(values: NDArray[Any]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(-1, 1)
