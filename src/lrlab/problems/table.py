"""Problems from tables: encode inputs, detect the task, warn about suspicious columns."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
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

from lrlab._checks import MAX_MAGNITUDE
from lrlab.errors import ProblemError, pluralize
from lrlab.problems.fingerprint import compute_fingerprint
from lrlab.problems.metrics import TASK_KINDS, Metric, OutputKind, Scaling, Task, make_task
from lrlab.problems.seeds import derive_seeds
from lrlab.problems.split import Split

TRAIN_FRACTION = 0.7
_MAX_CATEGORIES = 32
_MISSING_CATEGORY = "(missing)"
_MAX_INFERRED_CLASSES = 20
_KIND_DESCRIPTIONS = {"classification": "the name of a class", "regression": "a quantity"}


@dataclass(frozen=True, eq=False)
class Table:
    """The inputs of a table, not yet encoded, and its target.

    Args:
        inputs: numbers as float64 with NaN for missing numbers, text as objects.
        numeric_columns: names of the columns of numbers.
        categories: for each column of text, the categories that become inputs.
        target: the column to predict.
        test_rows: number of rows at the end that are the test rows of every seed; 0 if every seed
            draws its own.
        fingerprint: hash of the content.
        data_warnings: warnings about likely mistakes in the columns.
    """

    inputs: pd.DataFrame
    numeric_columns: list[str]
    categories: dict[str, list[str]]
    target: "Target"
    test_rows: int
    fingerprint: str
    data_warnings: tuple[str, ...]

    @staticmethod
    def from_frame(
        frame: pd.DataFrame,
        target: str | None,
        task: str | None,
        metric: str | Metric | None,
        test: pd.DataFrame | None,
    ) -> "Table":
        """Check a data frame with texts as column names; see ``Problem.from_table``."""
        target = _resolve_target(frame, target)
        empty_columns = _find_empty_columns(frame, target)
        test_rows = 0 if test is None else len(test)
        if test is not None:
            frame = _append_test_rows(frame, test, target)
        prepared_target = Target.from_column(frame[target], target, task, metric)
        raw_inputs = frame.drop(columns=[target, *empty_columns])
        if raw_inputs.shape[1] == 0:
            raise ProblemError(
                f"a table needs an input column with values, but all columns except {target} are "
                "empty."
            )
        columns = [str(c) for c in raw_inputs.columns]
        numeric_columns = [c for c in columns if pd.api.types.is_numeric_dtype(raw_inputs[c])]
        text_columns = [c for c in columns if c not in numeric_columns]
        inputs = raw_inputs.astype(dict.fromkeys(numeric_columns, float))
        for column in numeric_columns:
            if (inputs[column].abs() > MAX_MAGNITUDE).any():
                raise ProblemError(
                    f"column {column} must hold numbers below {MAX_MAGNITUDE:g}, but some are "
                    "larger or infinite; replace them by empty cells."
                )
        for column in text_columns:
            cells = inputs[column].astype(object)
            inputs[column] = cells.where(cells.notna(), _MISSING_CATEGORY).astype(str)
        # Categories come from all rows that a seed may train on, so that all splits are as wide.
        trainable_inputs = inputs.iloc[: len(inputs) - test_rows]
        return Table(
            inputs=inputs,
            numeric_columns=numeric_columns,
            categories={
                c: sorted(trainable_inputs[c].value_counts().index[:_MAX_CATEGORIES])
                for c in text_columns
            },
            target=prepared_target,
            test_rows=test_rows,
            fingerprint=_compute_fingerprint(frame, target, prepared_target.task, test_rows),
            data_warnings=tuple(
                warning for c in text_columns for warning in _find_data_warnings(raw_inputs[c])
            ),
        )

    @property
    def input_size(self) -> int:
        """Number of encoded inputs per row."""
        return len(self.numeric_columns) + sum(map(len, self.categories.values()))

    @property
    def summary(self) -> str:
        """Rows, columns and target in one line."""
        fixed_rows = f"; the last {self.test_rows} are test rows, the same for every seed"
        return (
            f"{len(self.inputs)} rows, {pluralize(self.inputs.shape[1], 'column')} as "
            f"{pluralize(self.input_size, 'input')}, target column {self.target.name!r}: "
            f"{self.target.summary}{fixed_rows if self.test_rows else ''}"
        )

    def split(self, seed: int) -> Split:
        """Split the rows by a seed; only training rows determine their encoding."""
        train, test = self._split_indices(seed)
        encoder = self._build_encoder()
        x_train = encoder.fit_transform(self.inputs.iloc[train])
        x_test = encoder.transform(self.inputs.iloc[test])
        mean, scale = self.target.compute_scaling(train)
        scaling = self.target.task.scaling
        return Split(
            x_train=torch.tensor(x_train, dtype=torch.float32),
            y_train=self.target.encode(train, mean, scale),
            x_test=torch.tensor(x_test, dtype=torch.float32),
            y_test=self.target.encode(test, mean, scale),
            target_scale=1.0 if scaling == Scaling.NONE else scale,
            target_mean=mean if scaling == Scaling.VALUES else None,
        )

    def _split_indices(self, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the positions of training and test rows."""
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


def build_table_network(inputs: int, outputs: int) -> nn.Module:
    """Build the network of the tutorial: one hidden layer as wide as the input, with ReLU."""
    return nn.Sequential(nn.Linear(inputs, inputs), nn.ReLU(), nn.Linear(inputs, outputs))


def _resolve_target(frame: pd.DataFrame, target: str | None) -> str:
    columns = [str(c) for c in frame.columns]
    if target is None:
        return columns[-1]
    if target not in columns:
        raise ProblemError(
            f"the table has no column {target}; its columns are {_join_names(columns)} (without a "
            "header, columns are numbered from 0)."
        )
    return target


def _append_test_rows(frame: pd.DataFrame, test: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return the training rows followed by the test rows.

    Raises:
        ProblemError: the test rows lack a column, or hold text where the training rows hold
            numbers, or a class that the training rows lack.
    """
    missing_columns = [c for c in frame.columns if c not in test.columns]
    if missing_columns:
        raise ProblemError(
            "the test rows must have the columns of the training rows, but lack "
            f"{_join_names(missing_columns)}; give both the same header, or none "
            "(`header=False`)."
        )
    test = test[frame.columns]
    is_numeric = pd.api.types.is_numeric_dtype
    for column in frame.columns:
        if (
            is_numeric(frame[column])
            and not is_numeric(test[column])
            and test[column].notna().any()
        ):
            raise ProblemError(
                f"column {column} holds numbers in the training rows, but text in the test rows, "
                f"such as {find_non_numeric_cells(test[column]).iloc[0]}; fix those cells."
            )
    if not is_numeric(frame[target]):
        unseen = test[target][~test[target].isin(frame[target].unique())].dropna()
        if len(unseen):
            raise ProblemError(
                f"every class needs a training row, but class {unseen.iloc[0]} of column {target} "
                "has test rows only; drop those."
            )
    return pd.concat([frame, test], ignore_index=True)


def _find_empty_columns(frame: pd.DataFrame, target: str) -> list[str]:
    """Return the input columns that have no value."""
    return [c for c in frame.columns if c != target and frame[c].isna().all()]


def _find_data_warnings(column: "pd.Series[str]") -> Iterator[str]:
    """Yield warnings about a text column that may hold numbers or identifiers."""
    category_count = column.nunique()
    if looks_like_numbers(column):
        cells = find_non_numeric_cells(column)
        yield (
            f"column {column.name} is encoded as categories because {len(cells)} of its "
            f"{column.count()} cells are not plain numbers, such as {cells.iloc[0]}; fix those if "
            "the column holds numbers."
        )
    elif category_count > _MAX_CATEGORIES:
        yield (
            f"column {column.name} holds {category_count} different texts, but only the "
            f"{_MAX_CATEGORIES} most frequent become inputs; drop the column if it is an "
            "identifier."
        )


def _join_names(names: list[str], max_names: int = 12) -> str:
    return ", ".join(
        names if len(names) <= max_names else [*names[: max_names - 1], "...", names[-1]]
    )


def _compute_fingerprint(frame: pd.DataFrame, target: str, task: Task, test_rows: int) -> str:
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    test_part = [f"{test_rows} tested"] if test_rows else []
    default_metric = make_task(task.output_kind).metric
    metric_part = [compute_fingerprint(task.metric)] if task.metric != default_metric else []
    # Raise the version if the encoding of rows changes.
    header = "\n".join(["table 1", *frame.columns, target, task.kind, *test_part, *metric_part])
    return hashlib.sha256(header.encode() + rows.tobytes()).hexdigest()


@dataclass(frozen=True, eq=False)
class Target:
    """The column to predict.

    Args:
        name: name of the column.
        values: class numbers (int64) or the quantity itself (float64), one per row.
        task: loss, metric and dummy output.
        summary: the task in a few words.
    """

    name: str
    values: NDArray[Any]
    task: Task
    summary: str

    @staticmethod
    def from_column(
        column: "pd.Series[Any]", name: str, task: str | None, metric: str | Metric | None
    ) -> "Target":
        """Make a target from a column.

        If ``task`` is None, text means classes, and so do whole numbers with at most 20 different
        values that each occur twice or more; other numbers are a quantity.

        Raises:
            ProblemError: a cell is missing, or the column does not suit the task or the metric.
        """
        if task is not None and task not in TASK_KINDS:
            raise ProblemError(f"`task` must be classification or regression, got {task}.")
        if column.isna().any():
            raise ProblemError(
                f"every row needs a target, but column {name} is missing "
                f"{pluralize(int(column.isna().sum()), 'value')} (NA, None and ? count as "
                "missing); drop those rows or fill them in."
            )
        kind = task or _infer_kind(column)
        read = _read_quantities if kind == "regression" else _read_classes
        prepared = read(column, name, metric)
        # Whole numbers may be quantities or names of classes: name the option for the other.
        other_kind = "regression" if kind == "classification" else "classification"
        is_ambiguous = task is None and _holds_whole_numbers(column)
        hint = (
            f' (if it is {_KIND_DESCRIPTIONS[other_kind]}: `task="{other_kind}"`)'
            if is_ambiguous
            else ""
        )
        return replace(prepared, summary=prepared.summary + hint)

    @property
    def strata(self) -> NDArray[Any] | None:
        """Class of every row, for stratified splits; None for a quantity."""
        return self.values if self.task.kind == "classification" else None

    def compute_scaling(self, train: NDArray[np.intp]) -> tuple[float, float]:
        """Return mean and standard deviation by which a quantity is standardized."""
        if self.task.kind == "classification":
            return 0.0, 1.0
        values = self.values[train]
        return float(values.mean()), float(values.std()) or 1.0

    def encode(self, rows: NDArray[np.intp], mean: float, scale: float) -> Tensor:
        """Return the targets of some rows as the loss takes them."""
        values = self.values[rows]
        match self.task.output_kind:
            case OutputKind.CLASS_SCORES:
                return torch.tensor(values)
            case OutputKind.QUANTITY:
                values = (values - mean) / scale
        return torch.tensor(values, dtype=torch.float32).reshape(-1, 1)


def _infer_kind(column: "pd.Series[Any]") -> str:
    if not _holds_numbers(column):
        return "classification"
    counts = column.value_counts()
    has_few_values = (
        len(counts) <= min(_MAX_INFERRED_CLASSES, len(column) // 2) and counts.min() > 1
    )
    are_classes = has_few_values and _holds_whole_numbers(column)
    return "classification" if are_classes else "regression"


def _holds_whole_numbers(column: "pd.Series[Any]") -> bool:
    if not _holds_numbers(column):
        return False
    values = column.to_numpy(dtype=float)
    return bool(np.all(values == np.round(values)))


def _holds_numbers(column: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _read_quantities(column: "pd.Series[Any]", name: str, metric: str | Metric | None) -> Target:
    if not _holds_numbers(column):
        raise ProblemError(
            f"regression needs a target of numbers, but {_describe_non_numeric(column, name)}; fix "
            'those, name another column with `target`, or set `task="classification"`.'
        )
    values = column.to_numpy(dtype=float)
    if not (np.abs(values) < MAX_MAGNITUDE).all():
        raise ProblemError(
            f"a target must be below {MAX_MAGNITUDE:g}, but column {name} holds "
            f"{np.abs(values).max():g}; fix that, or name another column with `target`."
        )
    if values.min() == values.max():
        raise ProblemError(
            f"regression needs a target that varies, but column {name} is {values[0]:g} in every "
            "row; name another column with `target`."
        )
    return Target(name, values, make_task(OutputKind.QUANTITY, metric=metric), "regression")


def _read_classes(column: "pd.Series[Any]", name: str, metric: str | Metric | None) -> Target:
    labels, numbers, sizes = np.unique(
        column.to_numpy() if _holds_numbers(column) else column.astype(str).to_numpy(dtype=object),
        return_inverse=True,
        return_counts=True,
    )
    if len(labels) == 1:
        raise ProblemError(
            f"classification needs at least two classes, but column {name} is {labels[0]} in every "
            "row; name another column with `target`."
        )
    if sizes.min() < 2 and not _holds_numbers(column) and looks_like_numbers(column):
        raise ProblemError(
            "a target must be either numbers or names of classes, but "
            f"{_describe_non_numeric(column, name)} and numbers in others; fix those, or name "
            "another column with `target`."
        )
    if sizes.min() < 2:
        remedy = (
            'set `task="regression"`' if _holds_numbers(column) else "drop or merge such classes"
        )
        raise ProblemError(
            f"every class needs a training and a test row, but class {labels[sizes.argmin()]} in "
            f"column {name} has only one row; {remedy}, or name another column with `target`."
        )
    if len(labels) > 0.3 * len(column):
        raise ProblemError(
            f"a table must have more test rows than classes, but column {name} has {len(labels)} "
            f"classes in {len(column)} rows; name another column with `target`."
        )
    task = (
        make_task(OutputKind.LOGIT, metric=metric)
        if len(labels) == 2
        else make_task(OutputKind.CLASS_SCORES, (len(labels),), metric=metric)
    )
    summary = f"classification, {len(labels)} classes"
    return Target(name, numbers.astype(np.int64), task, summary)


def _describe_non_numeric(column: "pd.Series[Any]", name: str) -> str:
    cells = find_non_numeric_cells(column.astype(str))
    return f"column {name} holds text such as {cells.iloc[0]} in {len(cells)} rows"


def find_non_numeric_cells(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the cells of a column that are neither missing nor plain numbers."""
    cells = column.dropna()
    return cells[pd.to_numeric(cells, errors="coerce").isna()]


def looks_like_numbers(column: "pd.Series[Any]") -> bool:
    """Whether most cells consist of digits and signs: ``12``, ``1,017``, ``$3``, ``29%``.

    >>> looks_like_numbers(pd.Series(["1", "2", "unknown"]))
    True
    >>> looks_like_numbers(pd.Series(["A1", "B2", "3"]))
    False
    """
    cells = column.dropna().astype(str)
    return bool(cells.str.fullmatch(r"\W*\d[\d\W]*(e-?\d+)?").mean() > 0.5)
