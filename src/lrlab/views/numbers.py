"""Numbers as people read them: shares in percent, everything else with four digits."""

import math
from dataclasses import dataclass

from lrlab.studies import Comparison


@dataclass(frozen=True)
class Style:
    """How the numbers of one comparison are written, all alike so that they line up.

    Args:
        percent: whether scores are shares.
        decimals: behind the point, when they are not.
    """

    percent: bool
    decimals: int

    @staticmethod
    def of(comparison: Comparison) -> "Style":
        """Four significant digits of the smallest mean."""
        least = min(abs(row.mean) for row in comparison.rows)
        digits = math.ceil(math.log10(least)) if least > 0 else 0
        return Style(comparison.metric.percent, min(8, max(0, 4 - digits)))

    def score(self, value: float) -> str:
        """A score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else f"{value:.{self.decimals}f}"

    def spread(self, value: float | None) -> str:
        """A standard deviation, without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else f"{value:.{self.decimals}f}"

    def difference(self, value: float) -> str:
        """A signed difference: in points for shares."""
        return f"{100 * value:+.2f}" if self.percent else f"{value:+.{self.decimals}f}"

    def interval(self, low: float | None, high: float | None) -> str:
        """The two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.difference(low)} … {self.difference(high)}"
