"""Columns of text that look as if they were meant as numbers."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import Tensor, nn

from lrlab._checks import MAX_MAGNITUDE, pluralize
from lrlab.errors import ProblemError
from lrlab.problems.metrics import (
    Task,
    make_binary_task,
    make_multiclass_task,
    make_regression_task,
)
from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import derive_seeds


def find_non_numeric_cells(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells of a column that are neither missing nor plain numbers."""
    cells = column.dropna()
    return cells[pd.to_numeric(cells, errors="coerce").isna()]


def looks_like_numbers(column: "pd.Series[Any]") -> bool:
    """Whether most cells are made of digits and signs alone: ``12``, ``1,017``, ``$3``, ``29%``.

    >>> looks_like_numbers(pd.Series(["1", "2", "unknown"]))
    True
    >>> looks_like_numbers(pd.Series(["A1", "B2", "3"]))
    False
    """
    cells = column.dropna().astype(str)
    return bool(cells.str.fullmatch(r"\W*\d[\d\W]*(e-?\d+)?").mean() > 0.5)


TASK_KINDS = ("classification", "regression")
_KIND_DESCRIPTIONS = {"classification": "a name of a class", "regression": "a quantity"}
_MAX_INFERRED_CLASSES = 20


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
        prepared = (
            _read_quantities(column, name) if kind == "regression" else _read_classes(column, name)
        )
        # Whole numbers may count or name things; only then is there anything to ask back.
        other_kind = "regression" if kind == "classification" else "classification"
        is_ambiguous = task is None and _holds_whole_numbers(column)
        hint = (
            f" (if it is {_KIND_DESCRIPTIONS[other_kind]}: --task {other_kind})"
            if is_ambiguous
            else ""
        )
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
        return (
            _to_column((train_values - mean) / scale),
            _to_column((test_values - mean) / scale),
            scale,
        )


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


TRAIN_FRACTION = 0.7
_MAX_CATEGORIES = 32
_MISSING_CATEGORY = "(missing)"


def make_table_problem(
    name: str,
    frame: pd.DataFrame,
    target: str | None = None,
    task: str | None = None,
    test: pd.DataFrame | None = None,
) -> Problem:
    """The problem of predicting one column of a table from the others.

    Text columns become one 0/1 input per category (the 32 most frequent; the others are all
    zeros), missing numbers the median and numbers standardised, by the training rows alone. 70 % of
    the rows, stratified by class, are trained on, unless the test rows are given; the network has
    one hidden layer as wide as the input, with ReLU.

    Args:
        name: what people call it.
        frame: the table; every column but the target is an input.
        target: the column to predict, the last one when left out.
        task: ``"classification"`` or ``"regression"``, told apart by the target when left out.
        test: the test rows, the same for every seed, with the same columns; then all of ``frame``
            is trained on.

    Raises:
        ProblemError: there is no such column, the target does not suit the task, or the test rows
            do not suit the others.
    """
    column = _resolve_target(frame, target)
    train_frame, test_rows = frame, 0
    if test is not None:
        frame, test_rows = _append_test_rows(frame, test, column), len(test)
    prepared_target = Target.from_column(frame[column], column, task)
    inputs = frame.drop(columns=[column, *_find_empty_columns(train_frame, column)])
    if inputs.shape[1] == 0:
        raise ProblemError(f"{name}: every column beside the target is empty; there is no input.")
    data = Table.from_frame(inputs, prepared_target, test_rows)
    sample = data.split(0)
    width = sample.x_train.shape[1]
    return Problem(
        name=name,
        fingerprint=_compute_table_fingerprint(frame, column, prepared_target.task.kind, test_rows),
        split=data.split,
        train_rows=len(sample.x_train),
        model=partial(build_table_network, width, prepared_target.task.output_size),
        task=prepared_target.task,
        shuffle=True,
        summary=(
            f"{len(frame)} rows, {pluralize(inputs.shape[1], 'column')} as "
            f"{pluralize(width, 'input')}, target {column}: {prepared_target.summary}"
            + (f"; the last {test_rows} rows are the test file's" if test_rows else "")
        ),
        data_warnings=tuple(
            doubt for text in data.categories for doubt in _find_data_warnings(inputs[text])
        ),
        test_train_ratio=None if test_rows else len(sample.x_test) / len(sample.x_train),
    )


def build_table_network(inputs: int, outputs: int) -> nn.Module:
    """The tutorial's network: one hidden layer as wide as the input, with ReLU."""
    return nn.Sequential(nn.Linear(inputs, inputs), nn.ReLU(), nn.Linear(inputs, outputs))


@dataclass(frozen=True, eq=False)
class Table:
    """The inputs of a table, not yet standardised, and its target.

    Args:
        inputs: numbers as float64 with NaN where missing, text as objects.
        numeric_columns: the names of the columns of numbers.
        categories: for each column of text, the categories that become inputs.
        target: what is predicted.
        test_rows: how many of the last rows are the test rows; 0 where every seed draws its own.
    """

    inputs: pd.DataFrame
    numeric_columns: list[str]
    categories: dict[str, list[str]]
    target: Target
    test_rows: int = 0

    @staticmethod
    def from_frame(frame: pd.DataFrame, target: Target, test_rows: int = 0) -> "Table":
        """Tells the columns of numbers from those of text."""
        columns = [str(c) for c in frame.columns]
        numeric_columns = [c for c in columns if pd.api.types.is_numeric_dtype(frame[c])]
        text_columns = [c for c in columns if c not in numeric_columns]
        inputs = frame.astype(dict.fromkeys(numeric_columns, float))
        for column in numeric_columns:
            if (inputs[column].abs() > MAX_MAGNITUDE).any():
                raise ProblemError(
                    f"column {column} must hold numbers below {MAX_MAGNITUDE:g}, but some are larger or "
                    "infinite; replace them by empty cells."
                )
        for column in text_columns:
            cells = inputs[column].astype(object)
            inputs[column] = cells.where(cells.notna(), _MISSING_CATEGORY).astype(str)
        # All rows are asked that a seed may train on, so that the network is equally wide whatever
        # the split.
        trainable_inputs = inputs.iloc[: len(inputs) - test_rows]
        categories = {
            c: sorted(trainable_inputs[c].value_counts().index[:_MAX_CATEGORIES])
            for c in text_columns
        }
        return Table(inputs, numeric_columns, categories, target, test_rows)

    def split(self, seed: int) -> Split:
        """The rows as ``seed`` divides them, encoded by the training rows alone."""
        train, test = self._split_indices(seed)
        encoder = self._build_encoder()
        x_train = encoder.fit_transform(self.inputs.iloc[train])
        x_test = encoder.transform(self.inputs.iloc[test])
        y_train, y_test, unit = self.target.standardize(train, test)
        return Split(
            x_train=torch.tensor(x_train, dtype=torch.float32),
            y_train=y_train,
            x_test=torch.tensor(x_test, dtype=torch.float32),
            y_test=y_test,
            target_scale=unit,
        )

    def _split_indices(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The places of training and test rows."""
        rows = np.arange(len(self.inputs))
        if self.test_rows:
            return rows[: -self.test_rows], rows[-self.test_rows :]
        train, test = train_test_split(
            rows,
            train_size=TRAIN_FRACTION,
            random_state=derive_seeds(seed).split,
            stratify=self.target.strata,
        )
        return train, test

    def _build_encoder(self) -> Any:
        numbers = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
        )
        texts = OneHotEncoder(
            categories=list(self.categories.values()), handle_unknown="ignore", sparse_output=False
        )
        return ColumnTransformer(
            [("numbers", numbers, self.numeric_columns), ("texts", texts, list(self.categories))],
            sparse_threshold=0,
        )


def _resolve_target(frame: pd.DataFrame, target: str | None) -> str:
    columns = [str(c) for c in frame.columns]
    if target is None:
        return columns[-1]
    if target not in columns:
        raise ProblemError(
            f"no column is called {target}; the columns are {_join_names(columns)} (columns of a table "
            "without a header are counted from 0)."
        )
    return target


def _append_test_rows(frame: pd.DataFrame, test: pd.DataFrame, target: str) -> pd.DataFrame:
    """Training rows, then test rows.

    Raises:
        ProblemError: the test rows lack a column, hold text where the others hold numbers, or a
            class that the others lack.
    """
    missing_columns = [str(c) for c in frame.columns if c not in test.columns]
    if missing_columns:
        raise ProblemError(
            f"the test rows must have the columns of the others, but lack {_join_names(missing_columns)}; give "
            "both files the same header, or none (--no-header)."
        )
    test = test[frame.columns]
    for column in frame.columns:
        numeric = pd.api.types.is_numeric_dtype
        if numeric(frame[column]) and not numeric(test[column]) and test[column].notna().any():
            raise ProblemError(
                f"column {column} holds numbers in the training rows and text in the test rows, "
                f"such as {find_non_numeric_cells(test[column]).iloc[0]}; mend that."
            )
    if not numeric(frame[target]):
        unseen = test[target][~test[target].isin(frame[target].unique())].dropna()
        if len(unseen):
            raise ProblemError(
                f"every class must be in the training rows, but {unseen.iloc[0]} of column {target} "
                "is in the test rows alone; drop those rows."
            )
    return pd.concat([frame, test], ignore_index=True)


def _find_empty_columns(frame: pd.DataFrame, target: str) -> list[str]:
    """The columns of inputs without a value."""
    return [c for c in frame.columns if c != target and frame[c].isna().all()]


def _find_data_warnings(column: "pd.Series[str]") -> Iterator[str]:
    """What a person may not have meant about a column that was taken for text."""
    category_count = column.nunique()
    if looks_like_numbers(column):
        cells = find_non_numeric_cells(column)
        yield (
            f"column {column.name} is taken for categories because {len(cells)} of its "
            f"{column.count()} cells are no plain numbers, such as {cells.iloc[0]}; mend those if "
            "it is a column of numbers."
        )
    elif category_count > _MAX_CATEGORIES:
        yield (
            f"column {column.name} holds {category_count} different texts, of which the {_MAX_CATEGORIES} "
            "most frequent become inputs; take it out if it names the rows."
        )


def _join_names(names: list[str], max_names: int = 12) -> str:
    return ", ".join(
        names if len(names) <= max_names else [*names[: max_names - 1], "...", names[-1]]
    )


def _compute_table_fingerprint(frame: pd.DataFrame, target: str, kind: str, test_rows: int) -> str:
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    # The number is raised when rows come to be encoded in another way.
    fixed = [f"{test_rows} tested"] if test_rows else []
    words = "\n".join(["table 1", *map(str, frame.columns), target, kind, *fixed]).encode()
    return hashlib.sha256(words + rows.tobytes()).hexdigest()
