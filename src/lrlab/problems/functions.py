"""``TrainingFunction``: a problem that a user's function trains and reports."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from lrlab._checks import check_name, to_finite_float
from lrlab.errors import TrainingError
from lrlab.problems.fingerprint import compute_fingerprint
from lrlab.problems.metrics import METRICS, Metric
from lrlab.user_code import accepts_arguments, find_source_file


@dataclass(frozen=True, eq=False, init=False)
class TrainingFunction:
    """A training function of your own as a problem: it trains anything with lrlab's schedule.

    lrlab calls the function once per run, with a ``RunContext``. The function trains ``run.epochs``
    epochs at the base rate ``run.lr`` with ``run.create_scheduler(optimizer)``, draws all random
    numbers from ``run.seed``, and calls ``run.report(epoch, ...)`` at the end of each epoch.

    Args:
        train: a function of one argument, the run, defined at the top of a module, where worker
            processes find it.
        metric: the name under which it reports its score on the test rows.
        greater_is_better: the direction of the metric; that of lrlab's metric of the same name if
            None, such as False for ``"rmse"``, else True.
        percent: whether the metric is a fraction, to be shown as a percentage.
        dummy_score: the score given to diverged runs, such as that of a constant predictor; 0 if
            None, the lowest accuracy. Required if lower values are better.
        name: the name of the problem; the name of the function's file if None.
        test_train_ratio: number of test rows per row that is not a test row, such as 0.43 for a
            split of 70 to 30, if the function draws its test rows from the same data by
            ``run.seed``; a study then draws conclusions about new data too. None if the test rows
            are fixed or the ratio is unknown.
        fingerprint: a text by which stored runs are recognized. If None, it covers the code of the
            function's file and the code that it uses from your other files, but no data.

    Raises:
        TrainingError: ``train`` is not a function of one argument, ``dummy_score`` is missing, or
            an argument has the wrong form.

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
    """One row, so that a step of the schedule is an epoch; the function loads its data itself."""
    shuffle: ClassVar[bool] = True
    data_warnings: ClassVar[tuple[str, ...]] = ()
    has_rows: ClassVar[bool] = False
    feeds_metrics: ClassVar[bool] = False
    loop_only_reason: ClassVar[str | None] = "a training function trains one run at a time"

    def __init__(
        self,
        train: Callable[[Any], object],
        metric: str = "score",
        greater_is_better: bool | None = None,
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
                f"`metric` must be the name that run.report(...) gives the score, got {metric!r}; "
                'such as metric="accuracy".'
            )
        if greater_is_better is None:
            known = METRICS.get(metric.lower())
            greater_is_better = known is None or known.greater_is_better
        if dummy_score is None and not greater_is_better:
            raise TrainingError(
                f"a metric to minimize, such as {metric} here, needs `dummy_score`: the score of a "
                "constant predictor, which diverged runs get."
            )
        checked_score = 0.0 if dummy_score is None else to_finite_float(dummy_score)
        if checked_score is None:
            raise TrainingError(f"`dummy_score` must be a finite number, got {dummy_score!r}.")
        checked_ratio = None if test_train_ratio is None else to_finite_float(test_train_ratio)
        if test_train_ratio is not None and (checked_ratio is None or checked_ratio <= 0):
            raise TrainingError(
                "`test_train_ratio` must be test rows per row that is not a test row, above 0, got "
                f"{test_train_ratio!r}; such as 0.43, or leave it out."
            )
        checked_name = _infer_name(train) if name is None else check_name(name, TrainingError)
        metric_text = f"{metric} as {getattr(train, '__name__', 'a function')} reports it"
        attributes = {
            "train": train,
            "metric": Metric(metric, _refuse_to_score, bool(greater_is_better), bool(percent)),
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
        for attribute, value in attributes.items():
            object.__setattr__(self, attribute, value)


def _infer_name(train: Callable[..., object]) -> str:
    file = find_source_file(train)
    return file.stem if file else getattr(train, "__name__", "training")


def _read_code(train: Callable[..., object]) -> tuple[bytes, Callable[..., object]]:
    file = find_source_file(train)
    return file.read_bytes() if file else b"", train


def _refuse_to_score(outputs: Tensor, targets: Tensor) -> Tensor:
    """Raise, because the function reports the metric and lrlab has no outputs."""
    raise TrainingError(
        "a training function reports its metric; it cannot be computed from outputs."
    )
