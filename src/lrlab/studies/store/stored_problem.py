"""``StoredProblem``: the facts of a problem in a database, without its data and its code."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, NoReturn, Self

from torch import Tensor

from lrlab.errors import StudyError
from lrlab.problems import Metric, Trainable
from lrlab.training.dispatch import require_rows, train

_METRIC_FACTS = ("name", "greater_is_better", "percent")


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return f"<StoredProblem {self.name}: {self.summary}>"

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Build the problem with the facts of ``describe_problem``.

        Raises:
            KeyError, TypeError, ValueError: a fact is missing, unknown or no fact.
        """
        ratio, reason = facts["test_train_ratio"], facts["loop_only_reason"]
        return cls(
            name=str(facts["name"]),
            fingerprint=str(facts["fingerprint"]),
            summary=str(facts["summary"]),
            metric=Metric(fn=_refuse_to_score, **facts["metric"]),
            train_rows=int(facts["train_rows"]),
            shuffle=bool(facts["shuffle"]),
            test_train_ratio=None if ratio is None else float(ratio),
            data_warnings=tuple(map(str, facts["data_warnings"])),
            has_rows=bool(facts["has_rows"]),
            feeds_metrics=bool(facts["feeds_metrics"]),
            loop_only_reason=None if reason is None else str(reason),
        )


def describe_problem(problem: Trainable) -> dict[str, Any]:
    """Return the facts of a problem as JSON types."""
    facts = {field.name: getattr(problem, field.name) for field in fields(StoredProblem)}
    metric = {name: getattr(problem.metric, name) for name in _METRIC_FACTS}
    return facts | {"metric": metric, "data_warnings": list(problem.data_warnings)}


@train.register
def _refuse_to_train(problem: StoredProblem, *args: Any, **options: Any) -> NoReturn:
    _refuse(problem.name)


@require_rows.register
def _refuse_rows(problem: StoredProblem) -> NoReturn:
    _refuse(problem.name)


def _refuse_to_score(outputs: Tensor, targets: Tensor) -> NoReturn:
    _refuse("this problem")


def _refuse(name: str) -> NoReturn:
    raise StudyError(
        f"{name} comes from a database, which has its facts but neither data nor code, so it "
        "cannot be trained; give the problem itself to `lrlab.compare(...)`."
    )
