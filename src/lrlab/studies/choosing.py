"""Which settings of the grid each schedule does best with, by the rows held out and no others."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lrlab.problems import AnyProblem, TrainingFunction, split_of
from lrlab.schedules import Schedule
from lrlab.studies.grid import edge_of
from lrlab.studies.plan import Plan
from lrlab.training import Result, Settings
from lrlab.training.loop import score_of_a_guess

_TIE = 1e-9
"""Relative; means of the same shares that differ by their last bits are equal."""


@dataclass(frozen=True)
class Tuned:
    """A schedule with the settings chosen for it.

    Args:
        settings: those of the grid that it does best with.
        results: of its runs with them, in the order of the seeds.
        edge: whether the rate is the lowest or the highest of the grid, so that a better one may
            lie beyond.
    """

    settings: Settings
    results: tuple[Result, ...]
    edge: bool


def tune(plan: Plan, results: Mapping[str, Result]) -> dict[Schedule, Tuned]:
    """Each schedule at its best settings: those with the best mean score of the held-out rows.

    What counts is the score after the last epoch, over all seeds. A diverged run counts as what a
    constant guess scores on the same held-out rows: it is part of what a schedule does at that
    rate, and is scored in the comparison in the same way. Ties go to the lowest rate, then to the
    settings that come first in the grid.

    Args:
        plan: the study; with one setting there is nothing to choose.
        results: of all its runs by id.
    """
    grid, groups = plan.settings, plan.by_candidate(results)
    guess = _guesses(plan.problem, grid[0])
    tuned = {}
    for schedule in plan.schedules:
        best = grid[0]
        if len(grid) > 1:
            means = [
                _mean_score(groups[schedule, settings], plan.seeds, guess) for settings in grid
            ]
            best = _best(grid, means, plan.problem.metric.more_is_better)
        own = tuple(groups[schedule, best])
        tuned[schedule] = Tuned(best, own, edge_of(best, grid))
    return tuned


def _mean_score(
    results: Sequence[Result], seeds: Sequence[int], guess: Callable[[int], float]
) -> float:
    scores = (
        guess(seed) if result.diverged else float(result.epochs.column("validation_score")[-1])
        for seed, result in zip(seeds, results, strict=True)
    )
    return math.fsum(scores) / len(results)


def _best(grid: Sequence[Settings], means: Sequence[float], more_is_better: bool) -> Settings:
    top = max(means) if more_is_better else min(means)
    near = [
        settings
        for settings, mean in zip(grid, means, strict=True)
        if math.isclose(mean, top, rel_tol=_TIE)
    ]
    return min(near, key=lambda settings: settings.lr)


def _guesses(problem: AnyProblem, settings: Settings) -> Callable[[int], float]:
    """What a constant guess scores on the held-out rows of a seed, each computed once."""
    if isinstance(problem, TrainingFunction):
        return lambda seed: problem.guess
    held_out = settings.held_out(problem.train_rows)

    @cache
    def guess(seed: int) -> float:
        split = split_of(problem, seed, held_out)
        assert split.x_validation is not None
        assert split.y_validation is not None
        return score_of_a_guess(
            problem, replace(split, x_test=split.x_validation, y_test=split.y_validation)
        )

    return guess
