"""``Problem``: data, model, loss and metric in one value, made from arrays or a table."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import pandas as pd
from torch import nn

from lrlab._checks import check_name
from lrlab.errors import ProblemError, shorten_repr
from lrlab.problems.arrays import prepare_arrays
from lrlab.problems.dataset_rows import Collate, DatasetSplit, MapDataset
from lrlab.problems.delimited import read_table
from lrlab.problems.dry_run import check_loss_and_metric
from lrlab.problems.fingerprint import compute_fingerprint
from lrlab.problems.metrics import Loss, Metric, Task
from lrlab.problems.split import Split
from lrlab.problems.table import Table, build_table_network
from lrlab.problems.torch_datasets import DatasetArrays, prepare_datasets

AnySplit = Split | DatasetSplit
"""The rows of a seed: as tensors, or read in batches."""


@runtime_checkable
class Trainable(Protocol):
    """What a study knows of anything that it trains; ``lrlab.training.train`` trains a run of it.

    ``Problem`` and ``TrainingFunction`` are trainable.
    """

    @property
    def name(self) -> str:
        """Name of the problem and of its files."""

    @property
    def fingerprint(self) -> str:
        """Hash of the content, by which stored runs are recognized."""

    @property
    def summary(self) -> str:
        """One line about it."""

    @property
    def metric(self) -> Metric:
        """The score that runs report."""

    @property
    def shuffle(self) -> bool:
        """Whether batches are reshuffled every epoch, unless the settings of a run differ."""

    @property
    def train_rows(self) -> int:
        """Number of training rows, the same for every seed; 1 without ``has_rows``."""

    @property
    def test_train_ratio(self) -> float | None:
        """Test rows per training row if every seed draws its own from the same data, else None."""

    @property
    def data_warnings(self) -> tuple[str, ...]:
        """Warnings about likely mistakes in the data."""

    @property
    def has_rows(self) -> bool:
        """Whether lrlab has the rows, and so knows batches, validation rows and time beforehand."""

    @property
    def feeds_metrics(self) -> bool:
        """Whether metric-driven schedules are sure to get their metric after every epoch."""

    @property
    def loop_only_reason(self) -> str | None:
        """Why only the loop can train it, as a sentence without a full stop; None if not so."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Data, model, loss and metric.

    Args:
        name: name of the problem and of its files.
        fingerprint: hash of the content, by which stored runs are recognized.
        split: splits the rows by a seed, without validation rows.
        train_rows: number of training rows, the same for every seed.
        model: builds the network with new weights from torch's random numbers.
        task: loss, metric and the dummy output that gives diverged runs their score.
        shuffle: whether batches are reshuffled every epoch, unless the settings of a run differ.
        summary: one line about the data.
        data_warnings: warnings about likely mistakes in the data.
        test_train_ratio: test rows per training row if every seed draws its test rows from the
            same data: splits of two seeds then overlap, so they differ less than new data would.
            None if all seeds have the same test rows.
        loop_only_reason: why only the loop can train it, as a sentence without a full stop; None if
            the ensemble may, too.
    """

    name: str
    fingerprint: str
    split: Callable[[int], AnySplit]
    train_rows: int
    model: Callable[[], nn.Module]
    task: Task
    shuffle: bool
    summary: str
    data_warnings: tuple[str, ...] = ()
    test_train_ratio: float | None = None
    loop_only_reason: str | None = None

    has_rows: ClassVar[bool] = True
    feeds_metrics: ClassVar[bool] = True

    @classmethod
    def from_arrays(
        cls,
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
    ) -> Self:
        """Make a problem from arrays and a model.

        The data is used as it is: scale it and fill in missing values first. Every seed draws its
        own test rows, stratified by class, unless ``x_test`` and ``y_test`` are given. One batch
        passes through model, loss and metric at once, so that mismatches are reported here.

        Args:
            x: inputs, shape (rows, ...): an array, a tensor or a data frame of numbers. Floats
                get the type of the model's parameters, whole numbers become int64.
            y: targets, one for each row. Whole numbers, texts and booleans are classes: encoded as
                int64 class numbers of shape (rows,) if the model has an output per class, as 0
                and 1 in the shape of the outputs if it has one output. Floats are quantities,
                reshaped like the outputs if the sizes agree.
            model: a function or class without arguments that builds a new network for every run,
                with weights drawn from torch's random numbers. Define it at the top of a module,
                where worker processes find it.
            name: name of the problem and of its files.
            loss: function of outputs and targets that returns a tensor of one number. By default
                cross-entropy for classes (binary, with a logit, if there is one output), mean
                squared error for quantities.
            metric: a name, such as ``"accuracy"`` or ``"rmse"`` (an unknown one lists all), or a
                ``Metric`` of your own. By default accuracy for classes, RMSE for quantities, else
                the loss. Accuracy takes one output as a logit, or as a probability if the loss is
                torch's ``BCELoss``.
            task: ``"classification"`` or ``"regression"``, if y could be either.
            x_test, y_test: test rows, the same for every seed.
            test_size: fraction of the rows that every seed draws as test rows if these are omitted.
            shuffle: whether batches are reshuffled every epoch, unless the settings of a run
                differ.

        Raises:
            ProblemError: the arguments do not fit together.

        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(50, 4))
        >>> problem = Problem.from_arrays(x, x[:, 0] > 0, partial(nn.Linear, 4, 2), name="sign")
        >>> problem.summary
        '50 rows of shape (4,), classification, 2 classes; 15 test rows, drawn by every seed'
        """
        checked_name = check_name(name, ProblemError)
        data = prepare_arrays(
            x, y, model, loss=loss, metric=metric, task=task,
            x_test=x_test, y_test=y_test, test_size=test_size,
        )  # fmt: skip
        return cls(
            name=checked_name,
            fingerprint=compute_fingerprint(
                "problem 1",
                data.x,
                data.y,
                data.test_rows,
                data.has_fixed_test,
                model,
                data.task.loss,
                data.task.metric,
            ),
            split=data.split,
            train_rows=data.train_rows,
            model=model,
            task=data.task,
            shuffle=bool(shuffle),
            summary=data.summary,
            test_train_ratio=data.test_train_ratio,
        )

    @classmethod
    def from_datasets(
        cls,
        train: MapDataset,
        test: MapDataset | None,
        model: Callable[[], nn.Module],
        *,
        loss: Loss | None = None,
        metric: str | Metric | None = None,
        task: str | None = None,
        name: str = "problem",
        test_size: float = 0.3,
        shuffle: bool = True,
        unaugmented_train: MapDataset | None = None,
        collate_fn: Collate | None = None,
        num_workers: int = 0,
        in_memory: bool | None = None,
        fingerprint: str | None = None,
    ) -> Self:
        """Make a problem from torch data sets and a model.

        Items that never change, have one shape and fit into memory are stacked: the problem is then
        that of ``from_arrays``, and any engine can train it. Otherwise the loop reads every batch
        through a ``DataLoader``, in the order in which it would take the rows of arrays. Random
        transforms draw from the random numbers of torch, NumPy and Python, which are seeded for
        every batch by the seed of the run: all runs of a seed train on the same augmented batches,
        whatever ``num_workers`` is.

        Args:
            train: training items: a ``Dataset`` with ``__len__`` and ``__getitem__`` whose items
                are pairs of inputs, which become one tensor, and target, a number, a text or a
                tensor; anything else with ``collate_fn``.
            test: test items, the same for every seed. If None, every seed draws test rows from
                ``train``, stratified by class.
            model: a function or class without arguments that builds a new network for every run,
                see ``from_arrays``.
            loss: function of outputs and targets that returns a tensor of one number; its default
                and that of the metric depend on the targets as in ``from_arrays``.
            metric: name of a metric, or a ``Metric`` of your own.
            task: ``"classification"`` or ``"regression"``, if targets could be either.
            name: name of the problem and of its files.
            test_size: fraction of ``train`` that every seed draws as test rows if there is no test.
            shuffle: whether batches are reshuffled every epoch, unless the settings of a run
                differ.
            unaugmented_train: the items of ``train`` without random transforms, in the same order;
                validation rows and drawn test rows are read from it. ``train`` itself if None.
            collate_fn: makes a batch of a list of items, as in a ``DataLoader``: a pair of inputs,
                one tensor, and targets, with a row for each item. ``default_collate`` if None.
            num_workers: number of processes that read batches, as in a ``DataLoader``; each process
                that trains starts so many. 0 reads in the process that trains.
            in_memory: whether to stack the items: True, or else an error says why not; False; None
                to stack them if that is possible and takes at most 1 GiB.
            fingerprint: text by which stored runs are recognized, such as the version of the data.
                If None, it covers the content of items in memory; otherwise code and attributes of
                the data sets, but no files that they read.

        Raises:
            ProblemError: the arguments do not fit together, or an item cannot be read.

        >>> import torch
        >>> from torch.utils.data import TensorDataset
        >>> x = torch.linspace(-1, 1, 50).reshape(50, 1)
        >>> train = TensorDataset(x, (x[:, 0] > 0).long())
        >>> problem = Problem.from_datasets(train, None, partial(nn.Linear, 1, 2), name="sign")
        >>> problem.summary
        '50 rows of shape (1,), classification, 2 classes; 15 test rows, drawn by every seed'
        """
        checked_name = check_name(name, ProblemError)
        # Before any item is read: a data set may cache its items.
        sources = (train, test, unaugmented_train, collate_fn)
        data_fingerprint = (
            compute_fingerprint(*sources) if fingerprint is None else str(fingerprint)
        )
        data = prepare_datasets(
            train, test, model, loss=loss, metric=metric, task=task, test_size=test_size,
            unaugmented_train=unaugmented_train, collate_fn=collate_fn, num_workers=num_workers,
            in_memory=in_memory,
        )  # fmt: skip
        if isinstance(data, DatasetArrays):
            problem = cls.from_arrays(
                data.x, data.y, model, loss=loss, metric=metric, task=task, name=checked_name,
                x_test=data.x_test, y_test=data.y_test, test_size=test_size, shuffle=shuffle,
            )  # fmt: skip
            if fingerprint is None:
                return problem
        else:
            rows = data.rows
            problem = cls(
                name=checked_name,
                fingerprint="",
                split=rows.split,
                train_rows=rows.train_rows,
                model=model,
                task=data.task,
                shuffle=bool(shuffle),
                summary=data.summary,
                data_warnings=data.data_warnings,
                test_train_ratio=None
                if rows.test is not None
                else rows.test_rows / rows.train_rows,
                loop_only_reason=data.loop_only_reason,
            )
        return replace(
            problem,
            fingerprint=compute_fingerprint(
                "datasets 1",
                data_fingerprint,
                problem.train_rows,
                model,
                problem.task.loss,
                problem.metric,
            ),
        )

    @classmethod
    def from_table(
        cls,
        table: pd.DataFrame | Path | str,
        *,
        target: str | None = None,
        task: str | None = None,
        metric: str | Metric | None = None,
        header: bool | None = None,
        test: pd.DataFrame | Path | str | None = None,
        name: str | None = None,
    ) -> Self:
        """Make the problem of predicting one column of a table from the others.

        Numbers are standardized and missing ones replaced by the median; text becomes one 0/1 input
        per category (the 32 most frequent; others are all zeros). Only training rows determine
        this: 70 % of the rows, stratified by class, unless ``test`` is given. The network has one
        hidden layer as wide as the input, with ReLU.

        Args:
            table: a file of CSV or other delimited text, or a data frame: one row per example,
                missing values as NaN.
            target: the column to predict; the last if None.
            task: ``"classification"`` or ``"regression"``; detected from the target if None.
            metric: a name, such as ``"accuracy"`` or ``"rmse"`` (an unknown one lists all), or a
                ``Metric`` of your own; by default accuracy for classes, RMSE for a quantity. Scores
                of a quantity have its unit; the loss is that of the standardized quantity.
            header: whether the first row of a file names the columns; detected if None.
            test: a second table, with the test rows of every seed and the same columns; all rows of
                ``table`` are then training rows. If None, every seed draws its own test rows.
            name: name of the problem and of its files; that of the file if None, or ``"table"``.

        Raises:
            ProblemError: a file is not a table, the target column does not exist or does not suit
                the task or the metric, or the test rows do not match the training rows.

        >>> frame = pd.DataFrame({"x": range(40), "y": ["a", "b"] * 20})
        >>> Problem.from_table(frame, metric="loss").metric.name
        'loss'
        """
        prepared = Table.from_frame(
            _read_frame(table, "table", header),
            target,
            task,
            metric,
            None if test is None else _read_frame(test, "test", header),
        )
        if header is not None and isinstance(table, pd.DataFrame):
            raise ProblemError("`header` is for the text of a file, not for a data frame.")
        default_name = "table" if isinstance(table, pd.DataFrame) else Path(table).stem
        chosen_task, sample = prepared.target.task, prepared.split(0)
        model = partial(build_table_network, prepared.input_size, chosen_task.output_shape[0])
        if isinstance(metric, Metric):
            check_loss_and_metric(chosen_task, model(), sample.x_train, sample.y_train)
        return cls(
            name=default_name if name is None else check_name(name, ProblemError),
            fingerprint=prepared.fingerprint,
            split=prepared.split,
            train_rows=len(sample.x_train),
            model=model,
            task=chosen_task,
            shuffle=True,
            summary=prepared.summary,
            data_warnings=prepared.data_warnings,
            test_train_ratio=None
            if prepared.test_rows
            else len(sample.x_test) / len(sample.x_train),
        )

    def __repr__(self) -> str:
        return f"<Problem {self.name}: {self.summary}>"

    @property
    def metric(self) -> Metric:
        """The score that runs report."""
        return self.task.metric

    def split_rows(self, seed: int, validation_rows: int = 0) -> AnySplit:
        """Split the rows by a seed, with some training rows held out for validation.

        Args:
            seed: fixes all draws.
            validation_rows: number of validation rows; fewer than there are training rows.
        """
        has_classes = self.task.kind == "classification"
        return self.split(seed).hold_out(validation_rows, seed, has_classes)

    def split_arrays(self, seed: int, validation_rows: int = 0) -> Split:
        """Split the rows like ``split_rows``, as tensors.

        Raises:
            ProblemError: they are not in memory.
        """
        split = self.split_rows(seed, validation_rows)
        if isinstance(split, DatasetSplit):
            raise ProblemError(f"{self.name} is not in memory: {self.loop_only_reason}.")
        return split


def _read_frame(
    table: pd.DataFrame | Path | str, argument: str, header: bool | None
) -> pd.DataFrame:
    """Return a data frame with texts as column names."""
    if isinstance(table, pd.DataFrame):
        return table.rename(columns=str)
    if not isinstance(table, Path | str):
        raise ProblemError(
            f"{argument} must be a file or a pandas data frame, got {shorten_repr(table)}; use "
            "Problem.from_arrays for arrays."
        )
    return read_table(Path(table), header)
