"""Which epoch of a run its score is read at."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from lrlab.problems import Trainable, TrainingFunction
from lrlab.schedules import Schedule
from lrlab.studies.plan.grid import find_edge_side, list_lrs
from lrlab.training import Result, Settings
from lrlab.training.loop import compute_dummy_score


def find_scored_epoch(result: Result, problem: Trainable, score: str) -> int:
    """The place of that epoch in the curve of a run that has not diverged.

    Args:
        result: of the run.
        problem: what was trained; its metric says what is best.
        score: ``"final"`` for the last epoch; ``"best"`` for the first of those that are best on
            the rows held out for validation, never on test rows.
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
    """The score of a run on the test rows; of a diverged one, that of a constant guess."""
    if result.diverged or score == "final":
        return result.test_score
    return float(result.curve.get_column("test_score")[find_scored_epoch(result, problem, score)])


Candidate = tuple[Schedule, Settings]
"""A schedule with settings that it may do well with."""

_RELATIVE_TOLERANCE = 1e-9
"""Relative; means of the same shares that differ by their last bits are equal."""


@dataclass(frozen=True)
class Selection:
    """The settings chosen for a schedule.

    Args:
        settings: those it does best with.
        edge_side: 1 where their rate is the highest that was tried, -1 where it is the lowest, so that a
            better one may lie beyond; else 0.
        validation_score: the mean score of the held-out rows; None where there was nothing to choose.
    """

    settings: Settings
    edge_side: int = 0
    validation_score: float | None = None

    @property
    def at_grid_edge(self) -> bool:
        """Whether a better rate may lie beyond those that were tried."""
        return self.edge_side != 0


def select_settings(
    problem: Trainable,
    results: Mapping[Candidate, Sequence[Result]],
    seeds: Sequence[int],
    score: str = "final",
) -> dict[Schedule, Selection]:
    """Each schedule at its best settings: those with the best mean score of the held-out rows.

    A diverged run counts as what a constant guess scores on the same held-out rows: it is part of
    what a schedule does at that rate, and is scored in the comparison in the same way. Of equal
    settings those inside the grid are taken before those at its edge, then those of the lowest
    rate, then the first.

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


def _select_best(means: Mapping[Settings, float], greater_is_better: bool) -> Selection:
    best_mean = max(means.values()) if greater_is_better else min(means.values())
    tied = [
        s for s, mean in means.items() if math.isclose(mean, best_mean, rel_tol=_RELATIVE_TOLERANCE)
    ]
    lrs = list_lrs(means)
    best = min(tied, key=lambda s: (find_edge_side(s.lr, lrs) != 0, s.lr))
    return Selection(best, find_edge_side(best.lr, lrs), means[best])


def _make_dummy_scorer(problem: Trainable) -> Callable[[int, Settings], float]:
    """What a constant guess scores on the held-out rows of a seed, each computed once."""
    if isinstance(problem, TrainingFunction):
        return lambda seed, settings: problem.dummy_score

    @cache
    def score_dummy(seed: int, validation_rows: int) -> float:
        split = problem.split_rows(seed, validation_rows)
        assert split.x_validation is not None
        assert split.y_validation is not None
        return compute_dummy_score(
            problem, replace(split, x_test=split.x_validation, y_test=split.y_validation)
        )

    return lambda seed, settings: score_dummy(
        seed, settings.count_validation_rows(problem.train_rows)
    )
