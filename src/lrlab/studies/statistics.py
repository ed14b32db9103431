"""Paired differences of schedules to the baseline, with their intervals. Numbers only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from lrlab.problems.tasks import Metric
from lrlab.schedules import Schedule
from lrlab.studies.choosing import Tuned
from lrlab.training import Result

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """How much better than the baseline, in units of the metric; positive is better.

    Args:
        mean: over the seeds.
        low, high: ends of the 95 % interval of the mean as seeds vary on this data; None where
            the seeds do not show how they vary (one seed, or the same difference in all).
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Row:
    """One schedule in a comparison.

    Args:
        schedule: its text.
        mean, sd: of the scores over the seeds; sd (n - 1) is None for one seed.
        difference: to the baseline; None for the baseline itself.
        diverged: how many runs diverged.
        tuned: the settings chosen for it; None where all schedules have the same.
    """

    schedule: str
    mean: float
    sd: float | None
    difference: Difference | None
    diverged: int
    tuned: Tuned | None = None

    @property
    def edge(self) -> bool:
        """Whether its best rate is the lowest or the highest that was tried."""
        return self.tuned is not None and self.tuned.edge


@dataclass(frozen=True)
class Comparison:
    """All schedules of a study, the best mean first.

    Args:
        rows: one per schedule.
        metric: of the scores.
        seeds: how many each schedule was run with.
    """

    rows: tuple[Row, ...]
    metric: Metric
    seeds: int


def compare(
    results: Mapping[Schedule, Sequence[Result]],
    baseline: Schedule,
    metric: Metric,
    tuned: Mapping[Schedule, Tuned] = MappingProxyType({}),
) -> Comparison:
    """Compares schedules with the baseline, seed by seed.

    Args:
        results: of each schedule, the baseline among them, in the same order of seeds.
        baseline: what the others are compared to.
        metric: says which direction is better.
        tuned: how each schedule came to its settings, where they were chosen from a grid.
    """
    sign = 1 if metric.more_is_better else -1
    scores = {
        schedule: np.array([result.score for result in of_seeds])
        for schedule, of_seeds in results.items()
    }
    rows = [
        Row(
            schedule=repr(schedule),
            mean=float(np.mean(own)),
            sd=float(np.std(own, ddof=1)) if len(own) > 1 else None,
            difference=None
            if schedule == baseline
            else difference(sign * (own - scores[baseline])),
            diverged=sum(result.diverged for result in results[schedule]),
            tuned=tuned.get(schedule),
        )
        for schedule, own in scores.items()
    ]
    rows.sort(key=lambda row: -sign * row.mean)
    return Comparison(tuple(rows), metric, len(scores[baseline]))


def difference(values: Sequence[float] | NDArray[np.float64]) -> Difference:
    """The mean of paired differences and Student's interval of it.

    >>> difference([0.01, 0.02, 0.03]).mean
    0.02
    """
    mean = float(np.mean(values))
    # Differences equal up to rounding show no spread to compute an interval from.
    if np.ptp(values) <= 1e-12 * np.max(np.abs(values)):
        return Difference(mean, None, None)
    low, high = interval(np.asarray(values))
    return Difference(mean, float(low), float(high))


def interval(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of Student's interval of the mean over the first axis, two values or more of it.

    With n values of standard deviation s: mean -+ t(n - 1) * s / sqrt(n), t for 95 %.

    >>> low, high = interval(np.array([1.0, 2.0, 3.0]))
    >>> round(float(low), 3), round(float(high), 3)
    (-0.484, 4.484)
    """
    mean = values.mean(axis=0)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * stats.sem(values, axis=0)
    return mean - half, mean + half
