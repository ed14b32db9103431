"""How the scores of a study and their differences are written, so that all of them line up.

Percentages for scores that are fractions, four significant digits for all others.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lrlab.problems.metrics import Metric
from lrlab.studies import StudyResult


@dataclass(frozen=True)
class NumberFormat:
    """The format of all numbers of one comparison, so that they line up.

    Args:
        percent: whether scores are fractions, shown as percentages.
        decimals: digits after the decimal point of other scores; None for powers of ten.
    """

    percent: bool
    decimals: int | None

    @staticmethod
    def from_study(study: StudyResult) -> "NumberFormat":
        """Return the format for the mean scores of a study."""
        means = [row.mean for row in study.comparison.rows]
        return NumberFormat.from_scores(means, study.plan.problem.metric)

    @staticmethod
    def from_scores(scores: Iterable[float], metric: Metric) -> "NumberFormat":
        """Return four significant digits of the smallest score, or powers of ten beyond eight."""
        smallest = min(map(abs, scores))
        decimals = 4 - math.ceil(math.log10(smallest)) if smallest > 0 else 4
        return NumberFormat(metric.percent, max(0, decimals) if -8 <= decimals <= 8 else None)

    def format_score(self, value: float) -> str:
        """Return a score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else self._format_number(value, "")

    def format_sd(self, value: float | None) -> str:
        """Return a standard deviation without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else self._format_number(value, "")

    def format_difference(self, value: float) -> str:
        """Return a signed difference; in points for percentages."""
        return f"{100 * value:+z.2f}" if self.percent else self._format_number(value, "+")

    def format_amount(self, value: float) -> str:
        """Return a difference for a sentence, with a sign only below zero: ``0.42 points``."""
        return f"{100 * value:z.2f} points" if self.percent else self._format_number(value, "")

    def format_interval(self, low: float | None, high: float | None) -> str:
        """Return the two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.format_difference(low)} … {self.format_difference(high)}"

    def _format_number(self, value: float, sign: str) -> str:
        # z: a value that rounds to zero has no minus.
        spec = f"{sign}z.3e" if self.decimals is None else f"{sign}z.{self.decimals}f"
        return format(value, spec)
