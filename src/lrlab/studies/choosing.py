"""Which settings each schedule does best with, by the rows held out and no others."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from lrlab.problems import AnyProblem, TrainingFunction, split_of
from lrlab.schedules import Schedule
from lrlab.studies.grid import edge_of, rates_of
from lrlab.studies.scoring import epoch_of
from lrlab.training import Result, Settings
from lrlab.training.loop import score_of_a_guess

Candidate = tuple[Schedule, Settings]
"""A schedule with settings that it may do well with."""

_TIE = 1e-9
"""Relative; means of the same shares that differ by their last bits are equal."""


@dataclass(frozen=True)
class Tuned:
    """The settings chosen for a schedule.

    Args:
        settings: those it does best with.
        side: 1 where their rate is the highest that was tried, -1 where it is the lowest, so that a
            better one may lie beyond; else 0.
        score: the mean score of the held-out rows; None where there was nothing to choose.
    """

    settings: Settings
    side: int = 0
    score: float | None = None

    @property
    def edge(self) -> bool:
        """Whether a better rate may lie beyond those that were tried."""
        return self.side != 0


def tune(
    problem: AnyProblem,
    trials: Mapping[Candidate, Sequence[Result]],
    seeds: Sequence[int],
    score: str = "final",
) -> dict[Schedule, Tuned]:
    """Each schedule at its best settings: those with the best mean score of the held-out rows.

    A diverged run counts as what a constant guess scores on the same held-out rows: it is part of
    what a schedule does at that rate, and is scored in the comparison in the same way. Of equal
    settings those inside the grid are taken before those at its edge, then those of the lowest
    rate, then the first.

    Args:
        problem: what was trained.
        trials: the results of every candidate, in the order of the seeds.
        seeds: of their runs.
        score: as in ``Protocol``.
    """
    guess = _guesses(problem)

    def mean_score(candidate: Candidate) -> float:
        scores = (
            guess(seed, candidate[1])
            if result.diverged
            else float(result.epochs.column("validation_score")[epoch_of(result, problem, score)])
            for seed, result in zip(seeds, trials[candidate], strict=True)
        )
        return math.fsum(scores) / len(seeds)

    means: dict[Schedule, dict[Settings, float]] = {}
    for schedule, settings in trials:
        means.setdefault(schedule, {})[settings] = mean_score((schedule, settings))
    more_is_better = problem.metric.more_is_better
    return {schedule: _best(own, more_is_better) for schedule, own in means.items()}


def _best(means: Mapping[Settings, float], more_is_better: bool) -> Tuned:
    top = max(means.values()) if more_is_better else min(means.values())
    near = [s for s, mean in means.items() if math.isclose(mean, top, rel_tol=_TIE)]
    rates = rates_of(means)
    best = min(near, key=lambda s: (edge_of(s.lr, rates) != 0, s.lr))
    return Tuned(best, edge_of(best.lr, rates), means[best])


def _guesses(problem: AnyProblem) -> Callable[[int, Settings], float]:
    """What a constant guess scores on the held-out rows of a seed, each computed once."""
    if isinstance(problem, TrainingFunction):
        return lambda seed, settings: problem.guess

    @cache
    def guess(seed: int, held_out: int) -> float:
        split = split_of(problem, seed, held_out)
        assert split.x_validation is not None
        assert split.y_validation is not None
        return score_of_a_guess(
            problem, replace(split, x_test=split.x_validation, y_test=split.y_validation)
        )

    return lambda seed, settings: guess(seed, settings.held_out(problem.train_rows))
