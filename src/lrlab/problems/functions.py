"""A problem whose training is the user's own: a function that is given a run and reports."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from lrlab._checks import check_name, to_finite_float
from lrlab.errors import TrainingError
from lrlab.problems.fingerprint import compute_fingerprint, find_source_file
from lrlab.problems.metrics import Metric
from lrlab.problems.problem import Problem


@dataclass(frozen=True, eq=False, init=False)
class TrainingFunction:
    """A training of the user's own as a problem: whatever it trains, lrlab gives it the schedule.

    The function is called once for each run, with a ``RunContext``: it trains ``run.epochs`` epochs at
    the base rate ``run.lr`` under ``run.create_scheduler(optimizer)``, with random numbers that
    ``run.seed`` fixes, and calls ``run.report(epoch, ...)`` at the end of each.

    Args:
        train: a function of one argument, the run. At the top of a module, where worker processes
            find it.
        metric: the name it reports its score by: that of the test rows.
        greater_is_better: the direction of the metric.
        percent: whether the metric is a share, to be shown as a percentage.
        dummy_score: what a diverged run is scored as: what guessing without any training scores. 0 when
            left out, which is the least that accuracy and its like can be; needed where less is
            better.
        name: what people call it; the name of its file when left out.
        test_train_ratio: test rows per row not tested, such as 0.43 for a split of 70 to 30, where the
            function draws its test rows by ``run.seed`` from the same data; a study then speaks of
            new data too. None where test rows are fixed, or it is not known.
        fingerprint: a text by which stored runs are recognised. When left out, all code in its
            file and what it uses of the user's own other files; data that it reads is not in it.

    Raises:
        TrainingError: ``train`` is no function of one argument, less is better and there is no
            guess, or a name is none.

    >>> def train(run):
    ...     for epoch in range(run.epochs):
    ...         run.report(epoch, accuracy=1 - run.schedule(epoch, base=run.lr))
    >>> function = TrainingFunction(train, metric="accuracy", percent=True)
    >>> function.metric.name, function.dummy_score
    ('accuracy', 0.0)
    """

    train: Callable[[Any], object]
    metric: Metric
    dummy_score: float
    name: str
    fingerprint: str
    summary: str
    test_train_ratio: float | None

    train_rows: ClassVar[int] = 1
    """Its rows are its own; with one, a step of the schedule is an epoch."""
    shuffle: ClassVar[bool] = True
    data_warnings: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        train: Callable[[Any], object],
        metric: str = "score",
        greater_is_better: bool = True,
        percent: bool = False,
        dummy_score: float | None = None,
        name: str | None = None,
        fingerprint: str | None = None,
        test_train_ratio: float | None = None,
    ) -> None:
        if not (callable(train) and accepts_arguments(train, 1)):
            raise TrainingError(
                f"a training function takes one argument, the run, got {train!r}; write it as "
                "def train(run): ..."
            )
        if not isinstance(metric, str) or not metric.isidentifier():
            raise TrainingError(
                f"the metric must be the name that run.report(...) gives it, got {metric!r}; such "
                'as metric="accuracy".'
            )
        if dummy_score is None and not greater_is_better:
            raise TrainingError(
                f"for a metric to minimize, such as {metric} here, give dummy_score (--dummy-score): the "
                "score of a constant predictor, which diverged runs get."
            )
        checked_score = 0.0 if dummy_score is None else to_finite_float(dummy_score)
        if checked_score is None:
            raise TrainingError(f"dummy_score must be a finite number, got {dummy_score!r}.")
        checked_ratio = None if test_train_ratio is None else to_finite_float(test_train_ratio)
        if test_train_ratio is not None and (checked_ratio is None or checked_ratio <= 0):
            raise TrainingError(
                f"test_train_ratio must be test rows per row not tested, above 0, got {test_train_ratio!r}; such as "
                "0.43, or leave it out."
            )
        checked_name = _infer_name(train) if name is None else check_name(name, TrainingError)
        metric_text = f"{metric} as {getattr(train, '__name__', 'a function')} reports it"
        attributes = {
            "train": train,
            "metric": Metric(metric, _refuse_to_score, greater_is_better, percent),
            "dummy_score": checked_score,
            "name": checked_name,
            "fingerprint": compute_fingerprint(
                "training function 1",
                _read_code(train) if fingerprint is None else str(fingerprint),
                (metric, checked_score),
            ),
            "summary": f"a training function, {metric_text}",
            "test_train_ratio": checked_ratio,
        }
        for attribute, what in attributes.items():
            object.__setattr__(self, attribute, what)


Trainable = Problem | TrainingFunction
"""What a study can be made of."""


def accepts_arguments(function: Callable[..., object], count: int) -> bool:
    """Whether a function can be called with so many arguments by place, and needs no others."""
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # written in C, and silent about what it takes
        return False
    return True


def _infer_name(train: Callable[..., object]) -> str:
    file = find_source_file(train)
    return file.stem if file else getattr(train, "__name__", "training")


def _read_code(train: Callable[..., object]) -> tuple[bytes, Callable[..., object]]:
    file = find_source_file(train)
    return file.read_bytes() if file else b"", train


def _refuse_to_score(outputs: Tensor, targets: Tensor) -> Tensor:
    """The metric is what the function reports: there are no outputs here."""
    raise TrainingError("the metric of a training function is what it reports.")
