"""``StoredProblem``: the facts of a problem in a database, without its data and its code."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, Self

from lrlab.errors import StudyError
from lrlab.problems import Metric, Trainable
from lrlab.training import dispatch

_METRIC_FACTS = ("name", "greater_is_better", "percent")


@dataclass(frozen=True)
class StoredProblem:
    """A problem as a database describes it: enough to show its studies, too little to train it.

    Args:
        name, fingerprint, summary, metric, train_rows, shuffle, test_train_ratio, data_warnings,
            has_rows, feeds_metrics, loop_only_reason: see ``Trainable``; the metric cannot compute
            scores.
    """

    name: str
    fingerprint: str
    summary: str
    metric: Metric
    train_rows: int
    shuffle: bool
    test_train_ratio: float | None
    data_warnings: tuple[str, ...]
    has_rows: bool
    feeds_metrics: bool
    loop_only_reason: str | None

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Build the problem with the facts of ``describe_problem``.

        Raises:
            KeyError, TypeError: a fact is missing or unknown.
        """
        metric = Metric(fn=_refuse_to_score, **facts["metric"])
        return cls(**{**facts, "metric": metric, "data_warnings": tuple(facts["data_warnings"])})


def describe_problem(problem: Trainable) -> dict[str, Any]:
    """Return the facts of a problem as JSON types."""
    facts = {field.name: getattr(problem, field.name) for field in fields(StoredProblem)}
    metric = {name: getattr(problem.metric, name) for name in _METRIC_FACTS}
    return facts | {"metric": metric, "data_warnings": list(problem.data_warnings)}


@dispatch.train.register
@dispatch.require_rows.register
def _refuse_to_train(problem: StoredProblem, *_: object, **__: object) -> NoReturn:
    """Raise, because the database has neither the data nor the code."""
    _refuse_to_score()


def _refuse_to_score(*_: object) -> NoReturn:
    """Raise, because the database has the name of the metric and not its code."""
    raise StudyError(
        "a stored study has its problem's facts but neither data nor code, so it cannot be trained "
        "or scored; compare the problem itself."
    )
