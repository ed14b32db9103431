"""Numbers as people read them: shares in percent, everything else with four digits."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lrlab.problems.tasks import Metric
from lrlab.studies.statistics import Comparison
from lrlab.training import Settings

HYPERPARAMETER_LABELS = {"lr": "rate", "weight_decay": "weight decay"}
"""Hyperparameters as people read them, where that is not their name."""


def format_settings(settings: Settings, hyperparameters: Iterable[str]) -> list[str]:
    """Some of the settings with their names: ``rate 0.1``, ``momentum 0.9``."""
    return [f"{HYPERPARAMETER_LABELS.get(name, name)} {format_setting(settings, name)}" for name in hyperparameters]


def format_setting(settings: Settings, name: str) -> str:
    """One of the settings, numbers as short as they can be."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of one comparison are written, all alike so that they line up.

    Args:
        percent: whether scores are shares.
        decimals: behind the point, when they are not; None for powers of ten.
    """

    percent: bool
    decimals: int | None

    @staticmethod
    def from_comparison(comparison: Comparison) -> "NumberFormat":
        """That of the means of a comparison."""
        return NumberFormat.from_scores([row.mean for row in comparison.rows], comparison.metric)

    @staticmethod
    def from_scores(scores: Iterable[float], metric: Metric) -> "NumberFormat":
        """Four significant digits of the smallest score, as powers of ten beyond eight places."""
        smallest = min(map(abs, scores))
        decimals = 4 - math.ceil(math.log10(smallest)) if smallest > 0 else 4
        return NumberFormat(metric.percent, max(0, decimals) if -8 <= decimals <= 8 else None)

    def format_score(self, value: float) -> str:
        """A score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else self._format_number(value, "")

    def format_sd(self, value: float | None) -> str:
        """A standard deviation, without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else self._format_number(value, "")

    def format_difference(self, value: float) -> str:
        """A signed difference: in points for shares."""
        return f"{100 * value:+.2f}" if self.percent else self._format_number(value, "+")

    def format_amount(self, value: float) -> str:
        """A difference in a sentence, its sign only where it is below zero: ``0.42 points``."""
        return f"{100 * value:.2f} points" if self.percent else self._format_number(value, "")

    def format_interval(self, low: float | None, high: float | None) -> str:
        """The two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.format_difference(low)} … {self.format_difference(high)}"

    def _format_number(self, value: float, sign: str) -> str:
        spec = f"{sign}.3e" if self.decimals is None else f"{sign}.{self.decimals}f"
        return format(value, spec)
