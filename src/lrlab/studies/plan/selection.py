"""Selects the settings of each schedule by validation scores, and reads the scores of runs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from lrlab.problems import Trainable, TrainingFunction
from lrlab.schedules import Schedule
from lrlab.studies.plan.grid import find_edge_side, list_lrs
from lrlab.training import Result, Settings
from lrlab.training.dispatch import require_rows
from lrlab.training.loop import compute_dummy_scores

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
    problem: Trainable,
    results: Mapping[Candidate, Sequence[Result]],
    seeds: Sequence[int],
    score: str = "final",
) -> dict[Schedule, Selection]:
    """Select the best settings of each schedule: those with the best mean validation score.

    A diverged run counts with the dummy score on the same validation rows: divergence is part of
    how a schedule behaves at a learning rate, and the comparison scores it in the same way. Of
    equal settings, those inside the grid win over those at its edge, then the lowest learning rate,
    then the first.

    Args:
        problem: what was trained.
        results: the results of every candidate, in the order of the seeds.
        seeds: of their runs.
        score: as in ``Protocol``.
    """
    score_dummy = _make_dummy_scorer(problem)

    def compute_mean_score(candidate: Candidate) -> float:
        scores = (
            score_dummy(seed, candidate[1])
            if result.diverged
            else float(
                result.curve.get_column("validation_score")[
                    find_scored_epoch(result, problem, score)
                ]
            )
            for seed, result in zip(seeds, results[candidate], strict=True)
        )
        return math.fsum(scores) / len(seeds)

    means: dict[Schedule, dict[Settings, float]] = {}
    for schedule, settings in results:
        means.setdefault(schedule, {})[settings] = compute_mean_score((schedule, settings))
    greater_is_better = problem.metric.greater_is_better
    return {
        schedule: _select_best(mean_by_settings, greater_is_better)
        for schedule, mean_by_settings in means.items()
    }


def find_scored_epoch(result: Result, problem: Trainable, score: str) -> int:
    """Return the index of the epoch at which a run is scored.

    Args:
        result: of a run that has not diverged.
        problem: what was trained; its metric says which direction is better.
        score: ``"final"`` for the last epoch; ``"best"`` for the first epoch with the best
            validation score, never by test rows.
    """
    if score == "final":
        return len(result.curve) - 1
    validation_scores = result.curve.get_column("validation_score")
    return int(
        np.argmax(validation_scores)
        if problem.metric.greater_is_better
        else np.argmin(validation_scores)
    )


def compute_test_score(result: Result, problem: Trainable, score: str) -> float:
    """Return the test score of a run; the dummy score of a diverged one."""
    if result.diverged or score == "final":
        return result.test_score
    return float(result.curve.get_column("test_score")[find_scored_epoch(result, problem, score)])


def _select_best(means: Mapping[Settings, float], greater_is_better: bool) -> Selection:
    best_mean = max(means.values()) if greater_is_better else min(means.values())
    tied = [
        s for s, mean in means.items() if math.isclose(mean, best_mean, rel_tol=_RELATIVE_TOLERANCE)
    ]
    lrs = list_lrs(means)
    best = min(tied, key=lambda s: (find_edge_side(s.lr, lrs) != 0, s.lr))
    return Selection(best, find_edge_side(best.lr, lrs), means[best], means)


def _make_dummy_scorer(problem: Trainable) -> Callable[[int, Settings], float]:
    """Return a function that computes the dummy score on the validation rows of a seed, cached."""
    if isinstance(problem, TrainingFunction):
        return lambda seed, settings: problem.dummy_score

    @cache
    def score_dummy(seed: int, validation_rows: int) -> float:
        rows = require_rows(problem)
        score = compute_dummy_scores(rows, rows.split_rows(seed, validation_rows)).validation
        assert score is not None
        return score

    return lambda seed, settings: score_dummy(
        seed, settings.count_validation_rows(problem.train_rows)
    )
