"""A user's own data and model as a problem."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from lrlab.errors import ProblemError
from lrlab.problems.arrays import to_input_tensor, to_target_array
from lrlab.problems.code import compute_fingerprint
from lrlab.problems.functions import check_name
from lrlab.problems.goals import Loss, prepare_targets
from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import derive_seeds
from lrlab.problems.tasks import Metric
from lrlab.problems.trial import build_network, compute_outputs, refuse_untrainable
from lrlab.schedules.numbers import to_finite_float


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
    rows, test_rows = len(inputs), len(test_inputs) if has_fixed_test else _count_test_rows(len(inputs), test_size)
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
            "problem 1", data.x, data.y, test_rows, has_fixed_test, model, prepared.task.loss, prepared.task.metric
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
        return Split(self.x[train_index], self.y[train_index], self.x[test_index], self.y[test_index])

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
        raise ProblemError(f"test_share must be above 0 and below 1, got {test_size!r}; try 0.3.")
    if rows < 3:
        raise ProblemError(f"a problem needs rows to train on and to test, got {rows} in all.")
    return min(max(1, round(fraction * rows)), rows - 2)
