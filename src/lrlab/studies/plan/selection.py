"""Selects the settings of each schedule by validation scores, and reads the scores of runs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from lrlab.errors import StudyError
from lrlab.problems import Metric
from lrlab.schedules import Schedule
from lrlab.studies.plan.grid import find_edge_side, list_lrs
from lrlab.training import Result, Settings

Candidate = tuple[Schedule, Settings]
"""A schedule with settings to try."""

_RELATIVE_TOLERANCE = 1e-9
"""Means of the same fractions that differ only in their last bits count as equal."""


@dataclass(frozen=True)
class Selection:
    """The settings selected for a schedule.

    Args:
        settings: the best ones.
        edge_side: 1 if their learning rate is the highest tried, -1 if it is the lowest, so that a
            better one may lie beyond; otherwise 0.
        validation_score: the mean validation score; None without tuning.
        scores_tried: the mean validation scores of all settings tried; empty without tuning.
    """

    settings: Settings
    edge_side: int = 0
    validation_score: float | None = None
    scores_tried: Mapping[Settings, float] = field(default_factory=dict, compare=False)

    @property
    def at_grid_edge(self) -> bool:
        """Whether a better learning rate may lie beyond those tried."""
        return self.edge_side != 0


def select_settings(
    metric: Metric, results: Mapping[Candidate, Sequence[Result]], score: str = "final"
) -> dict[Schedule, Selection]:
    """Select the best settings of each schedule: those with the best mean validation score.

    A diverged run counts with the dummy score on the same validation rows: divergence is part of
    how a schedule behaves at a learning rate, and the comparison scores it in the same way. Of
    equal settings, those inside the grid win over those at its edge, then the lowest learning rate,
    then the first.

    Args:
        metric: of the scores; it says which direction is better.
        results: the results of every candidate, in the order of the seeds.
        score: as in ``Protocol``.

    Raises:
        StudyError: a run has no validation score.
    """
    means: dict[Schedule, dict[Settings, float]] = {}
    for schedule, settings in results:
        scores = [
            _compute_validation_score(result, metric, score)
            for result in results[schedule, settings]
        ]
        means.setdefault(schedule, {})[settings] = math.fsum(scores) / len(scores)
    greater_is_better = metric.greater_is_better
    return {
        schedule: _select_best(mean_by_settings, greater_is_better)
        for schedule, mean_by_settings in means.items()
    }


def find_scored_epoch(result: Result, metric: Metric, score: str) -> int:
    """Return the index of the epoch at which a run is scored.

    Args:
        result: of a run that has not diverged.
        metric: of the scores; it says which direction is better.
        score: ``"final"`` for the last epoch; ``"best"`` for the first epoch with the best
            validation score, never by test rows.
    """
    if score == "final":
        return len(result.curve) - 1
    validation_scores = result.curve.get_column("validation_score")
    return int(
        np.argmax(validation_scores) if metric.greater_is_better else np.argmin(validation_scores)
    )


def compute_test_score(result: Result, metric: Metric, score: str) -> float:
    """Return the test score of a run; the dummy score of a diverged one."""
    if result.diverged or score == "final":
        return result.test_score
    return float(result.curve.get_column("test_score")[find_scored_epoch(result, metric, score)])


def _compute_validation_score(result: Result, metric: Metric, score: str) -> float:
    if result.diverged:
        if result.validation_dummy_score is None:
            raise StudyError(
                "a diverged run of the tuning has no dummy score on validation rows, the database "
                "is damaged; restore a copy of it."
            )
        return result.validation_dummy_score
    epoch = find_scored_epoch(result, metric, score)
    return float(result.curve.get_column("validation_score")[epoch])


def _select_best(means: Mapping[Settings, float], greater_is_better: bool) -> Selection:
    best_mean = max(means.values()) if greater_is_better else min(means.values())
    tied = [
        s for s, mean in means.items() if math.isclose(mean, best_mean, rel_tol=_RELATIVE_TOLERANCE)
    ]
    lrs = list_lrs(means)
    best = min(tied, key=lambda s: (find_edge_side(s.lr, lrs) != 0, s.lr))
    return Selection(best, find_edge_side(best.lr, lrs), means[best], means)
