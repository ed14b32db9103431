"""The recommendation that follows from a comparison: which schedule to use, and why."""

from dataclasses import dataclass
from enum import StrEnum, auto

from lrlab.studies.statistics.comparison import Comparison, ComparisonRow, find_winners
from lrlab.studies.statistics.paired import PairedComparison

NEGLIGIBLE_FRACTION = 5e-5
"""Differences that are smaller than this, relative to the score, do not show in four digits."""


class RecommendationReason(StrEnum):
    """Why a schedule is recommended.

    ``BETTER`` recommends a schedule that is better than the baseline. All other reasons recommend
    the baseline, since no other schedule may be called better: the highest mean alone may be luck.
    If every run of the baseline diverged, nothing can be recommended.
    """

    BETTER = auto()
    """Better than the baseline at every setting that the baseline was run with."""
    OTHERS_DIVERGED = auto()
    """Other schedules are better on average, but more of their runs diverged."""
    OTHERS_AT_GRID_EDGE = auto()
    """Other schedules are better, but at the lowest or highest learning rate tried."""
    BASELINE_AT_GRID_EDGE = auto()
    """Other schedules are better, but the baseline was best at the lowest or highest rate tried."""
    OTHERS_BETTER_AS_TUNED = auto()
    """Other schedules are better than the baseline as tuned, but not at all of its settings."""
    NO_CLEAR_DIFFERENCE = auto()
    """No other schedule is better, and at least one shows no clear difference."""
    OTHERS_WORSE = auto()
    """All other schedules are worse."""
    NOTHING_TO_COMPARE = auto()
    """There is no other schedule."""
    ONE_SEED = auto()
    """One seed cannot separate a gain from luck."""
    BASELINE_DIVERGED = auto()
    """Every run of the baseline diverged, and no other schedule can be recommended."""
    ALL_DIVERGED = auto()
    """Every run diverged."""


@dataclass(frozen=True)
class UndecidedPair:
    """A schedule without a clear difference to the recommended one.

    Args:
        label: of the schedule.
        difference: of its mean to that of the recommended one, positive if it is better.
        min_detectable: the smallest difference that this number of seeds detects in 80 % of
            studies.
    """

    label: str
    difference: float
    min_detectable: float


@dataclass(frozen=True)
class Recommendation:
    """The schedule to use, and why.

    Args:
        reason: why it is recommended, or why nothing is.
        row: of the recommended schedule, with its numbers; None if nothing can be recommended.
        also_better: other schedules that could be recommended, too; their means are lower.
        better_but_diverged: schedules that are better than the baseline on average, but more of
            their runs diverged.
        better_at_grid_edge: schedules that are better than the baseline, but a better learning rate
            of them, or of the baseline, may lie beyond those tried.
        undecided: the best schedule without a clear difference to the recommended one, if that is
            the baseline or has the best mean; differences by rounding errors do not count.
    """

    reason: RecommendationReason
    row: ComparisonRow | None
    also_better: tuple[ComparisonRow, ...] = ()
    better_but_diverged: tuple[ComparisonRow, ...] = ()
    better_at_grid_edge: tuple[ComparisonRow, ...] = ()
    undecided: UndecidedPair | None = None

    @property
    def label(self) -> str | None:
        """The label of the recommended schedule; None if nothing can be recommended."""
        return None if self.row is None else self.row.label


def recommend(comparison: Comparison) -> Recommendation:
    """Recommend a schedule: one that is better than the baseline, otherwise the baseline.

    Of the schedules that may be called better (``find_winners``), those that diverged more often
    than the baseline are left out, and the best mean of the others is recommended.

    >>> import numpy as np
    >>> from lrlab.studies.statistics import compare_scores
    >>> scores = {"constant": np.array([0.8, 0.7, 0.9]), "cosine": np.array([0.83, 0.74, 0.93])}
    >>> recommendation = recommend(compare_scores(scores, "constant", greater_is_better=True))
    >>> recommendation.label, recommendation.reason.value
    ('cosine', 'better')
    """
    baseline, winners = comparison.baseline_row, find_winners(comparison)
    safe = tuple(row for row in winners if row.diverged_count <= baseline.diverged_count)
    row: ComparisonRow | None = baseline
    if safe:
        reason, row = RecommendationReason.BETTER, safe[0]
    else:
        reason = _explain_baseline(comparison)
        if baseline.diverged_count == comparison.seed_count:
            row = None
    return Recommendation(
        reason,
        row,
        also_better=safe[1:],
        better_but_diverged=tuple(row for row in winners if row not in safe),
        better_at_grid_edge=tuple(row for row in comparison.better_rows if row not in winners),
        undecided=_find_undecided(comparison, row),
    )


def _find_undecided(
    comparison: Comparison, recommended: ComparisonRow | None
) -> UndecidedPair | None:
    pairs: list[tuple[ComparisonRow, PairedComparison | None]] = []
    if recommended is comparison.baseline_row:
        pairs = [(row, row.vs_baseline) for row in comparison.rows]
    elif recommended is comparison.rows[0]:
        pairs = [(row, row.vs_best) for row in comparison.rows]
    for row, pair in pairs:
        if pair is None or pair.on_this_data.significant:
            continue
        min_detectable = pair.on_this_data.min_detectable
        if min_detectable is not None and min_detectable > NEGLIGIBLE_FRACTION * abs(row.mean):
            return UndecidedPair(row.label, pair.difference, min_detectable)
    return None


def _explain_baseline(comparison: Comparison) -> RecommendationReason:
    """Return why no other schedule than the baseline is recommended."""
    if all(row.diverged_count == comparison.seed_count for row in comparison.rows):
        return RecommendationReason.ALL_DIVERGED
    if comparison.baseline_row.diverged_count == comparison.seed_count:
        return RecommendationReason.BASELINE_DIVERGED
    if comparison.seed_count == 1:
        return RecommendationReason.ONE_SEED
    if not comparison.other_rows:
        return RecommendationReason.NOTHING_TO_COMPARE
    if comparison.better_rows:
        if comparison.baseline_row.at_grid_edge:
            return RecommendationReason.BASELINE_AT_GRID_EDGE
        if find_winners(comparison):
            return RecommendationReason.OTHERS_DIVERGED
        return RecommendationReason.OTHERS_AT_GRID_EDGE
    if comparison.better_as_tuned_rows:
        return RecommendationReason.OTHERS_BETTER_AS_TUNED
    if len(comparison.worse_rows) == len(comparison.other_rows):
        return RecommendationReason.OTHERS_WORSE
    return RecommendationReason.NO_CLEAR_DIFFERENCE
