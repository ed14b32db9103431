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
from lrlab.problems.arrays import inputs_of, values_of
from lrlab.problems.code import fingerprint_of
from lrlab.problems.functions import named
from lrlab.problems.goals import Loss, goal_of
from lrlab.problems.problem import Problem, Split
from lrlab.problems.seeds import streams
from lrlab.problems.tasks import Metric
from lrlab.problems.trial import built, outputs_of, refuse_untrainable
from lrlab.schedules.numbers import real


def problem(
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
    test_share: float = 0.3,
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
        test_share: the share of the rows that is tested otherwise; that of tables when left out.
        shuffle: whether batches are reshuffled every epoch, unless a run says otherwise.

    Raises:
        ProblemError: something does not fit together.

    >>> from functools import partial
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> own = problem(x, x[:, 0] > 0, partial(nn.Linear, 4, 2), name="sign")
    >>> own.summary
    '50 rows of shape (4,), classification, 2 classes; 15 are tested, others for every seed'
    """
    label = named(name, ProblemError)
    network = built(model)
    inputs = inputs_of(x, "x", network)
    fixed = x_test is not None
    if fixed != (y_test is not None):
        raise ProblemError("test rows need both x_test and y_test, got one of them; give both.")
    tests = inputs_of(x_test, "x_test", network) if fixed else inputs[:0]
    if tests.shape[1:] != inputs.shape[1:]:
        raise ProblemError(
            f"rows of x_test must be shaped like those of x, got {tuple(tests.shape[1:])} and "
            f"{tuple(inputs.shape[1:])}."
        )
    values = values_of(y, "y", inputs)
    if fixed:
        values = np.concatenate([values, values_of(y_test, "y_test", tests)])
    outputs = outputs_of(network, inputs)
    goal = goal_of(values, outputs, loss, metric, task)
    refuse_untrainable(goal.task, network, inputs, goal.targets)
    rows, tested = len(inputs), len(tests) if fixed else _tested(len(inputs), test_share)
    data = Own(
        x=torch.cat([inputs, tests]) if fixed else inputs,
        y=goal.targets,
        tested=tested,
        fixed=fixed,
        strata=None if fixed or goal.labels is None else goal.labels,
    )
    data.refuse_few()
    which = "the same" if fixed else "others"
    return Problem(
        name=label,
        fingerprint=fingerprint_of(
            "problem 1", data.x, data.y, tested, fixed, model, goal.task.loss, goal.task.metric
        ),
        split=data.split,
        train_rows=rows if fixed else rows - tested,
        model=model,
        task=goal.task,
        shuffle=bool(shuffle),
        summary=(
            f"{rows + len(tests)} rows of shape {tuple(inputs.shape[1:])}, {goal.summary}; "
            f"{tested} are tested, {which} for every seed"
        ),
        overlap=None if fixed else tested / (rows - tested),
    )


@dataclass(frozen=True, eq=False)
class Own:
    """The rows.

    Args:
        x, y: inputs and targets; where test rows are fixed they stand last.
        tested: how many are.
        fixed: whether test rows are the same for every seed.
        strata: classes whose shares a split keeps, None for none.
    """

    x: Tensor
    y: Tensor
    tested: int
    fixed: bool
    strata: NDArray[np.int64] | None

    def split(self, seed: int) -> Split:
        """The rows as ``seed`` divides them."""
        rows = np.arange(len(self.x))
        if self.fixed:
            train, test = rows[: -self.tested], rows[-self.tested :]
        else:
            train, test = train_test_split(
                rows,
                test_size=self.tested,
                random_state=streams(seed).split,
                stratify=self.strata,
            )
        chosen, others = torch.from_numpy(train), torch.from_numpy(test)
        return Split(self.x[chosen], self.y[chosen], self.x[others], self.y[others])

    def refuse_few(self) -> None:
        """Refuses classes that cannot be in training and test rows both."""
        if self.strata is None:
            return
        classes, sizes = np.unique(self.strata, return_counts=True)
        least = min(self.tested, len(self.x) - self.tested)
        if sizes.min() < 2 or least < len(classes):
            raise ProblemError(
                "every class needs a row to train on and one to test, but of "
                f"{len(classes)} classes the rarest has {sizes.min()} of {len(self.x)} rows, and "
                f"{self.tested} are tested; merge or drop such classes, or give x_test and y_test."
            )


def _tested(rows: int, share: float) -> int:
    number = real(share)
    if number is None or not 0 < number < 1:
        raise ProblemError(f"test_share must be above 0 and below 1, got {share!r}; try 0.3.")
    if rows < 3:
        raise ProblemError(f"a problem needs rows to train on and to test, got {rows} in all.")
    return min(max(1, round(number * rows)), rows - 2)
