"""The recommendation that follows from a comparison: which schedule to use, and why."""

from dataclasses import dataclass
from enum import StrEnum, auto

from lrlab.studies.statistics.comparison import Comparison, ComparisonRow, find_winners


class RecommendationReason(StrEnum):
    """Why a schedule is recommended.

    ``BETTER`` recommends a schedule that is better than the baseline. All other reasons recommend
    the baseline, since no other schedule may be called better: the highest mean alone may be luck.
    If every run of the baseline diverged, nothing can be recommended.
    """

    BETTER = auto()
    """Better than the baseline at every setting that the baseline was run with."""
    BETTER_BUT_DIVERGED = auto()
    """Other schedules are better on average, but more of their runs diverged."""
    BETTER_AT_GRID_EDGE = auto()
    """Other schedules are better, but at the lowest or highest learning rate tried."""
    BASELINE_AT_GRID_EDGE = auto()
    """Other schedules are better, but the baseline was best at the lowest or highest rate tried."""
    BETTER_AS_TUNED = auto()
    """Other schedules are better than the baseline as tuned, but not at all of its settings."""
    NO_CLEAR_DIFFERENCE = auto()
    """No other schedule is better, and at least one shows no clear difference."""
    WORSE = auto()
    """All other schedules are worse."""
    NOTHING_TO_COMPARE = auto()
    """There is no other schedule."""
    ONE_SEED = auto()
    """One seed cannot separate a gain from luck."""
    BASELINE_DIVERGED = auto()
    """Every run of the baseline diverged, and no other schedule is better."""
    ALL_DIVERGED = auto()
    """Every run diverged."""


@dataclass(frozen=True)
class Recommendation:
    """The schedule to use, and why.

    Args:
        reason: why it is recommended, or why nothing is.
        row: of the recommended schedule, with its numbers; None if nothing can be recommended.
        also_better: other schedules that may be called better than the baseline, too.
        held_back: schedules that are better than the baseline on average, but cannot be
            recommended, since more of their runs diverged or a better learning rate may lie beyond
            those tried.
    """

    reason: RecommendationReason
    row: ComparisonRow | None
    also_better: tuple[ComparisonRow, ...] = ()
    held_back: tuple[ComparisonRow, ...] = ()

    @property
    def label(self) -> str | None:
        """The label of the recommended schedule; None if nothing can be recommended."""
        return None if self.row is None else self.row.label


def recommend(comparison: Comparison) -> Recommendation:
    """Recommend a schedule: one that is better than the baseline, otherwise the baseline.

    Of the schedules that may be called better (``find_winners``) and had no more diverged runs than
    the baseline, the one with the best mean is recommended. Where no schedule is better, another
    than the baseline is thus recommended in 5 % of studies at most.

    >>> import numpy as np
    >>> from lrlab.studies.statistics import compare_scores
    >>> scores = {"constant": np.array([0.8, 0.7, 0.9]), "cosine": np.array([0.83, 0.74, 0.93])}
    >>> recommendation = recommend(compare_scores(scores, "constant", greater_is_better=True))
    >>> recommendation.label, recommendation.reason.value
    ('cosine', 'better')
    """
    baseline = comparison.baseline_row
    winners = [
        row for row in find_winners(comparison) if row.diverged_count <= baseline.diverged_count
    ]
    held_back = tuple(row for row in comparison.better_rows if row not in winners)
    if winners:
        best, *others = winners
        return Recommendation(RecommendationReason.BETTER, best, tuple(others), held_back)
    reason = _explain_baseline(comparison)
    is_ruled_out = baseline.diverged_count == comparison.seed_count
    return Recommendation(reason, None if is_ruled_out else baseline, held_back=held_back)


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
            return RecommendationReason.BETTER_BUT_DIVERGED
        return RecommendationReason.BETTER_AT_GRID_EDGE
    if comparison.better_as_tuned_rows:
        return RecommendationReason.BETTER_AS_TUNED
    if len(comparison.worse_rows) == len(comparison.other_rows):
        return RecommendationReason.WORSE
    return RecommendationReason.NO_CLEAR_DIFFERENCE
