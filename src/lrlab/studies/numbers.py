"""Numbers as people read them: shares in percent, everything else with four digits."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lrlab.problems.tasks import Metric
from lrlab.studies.statistics import Comparison
from lrlab.training import Settings

NAMES = {"lr": "rate", "weight_decay": "weight decay"}
"""Hyperparameters as people read them, where that is not their name."""


def settings_named(settings: Settings, names: Iterable[str]) -> list[str]:
    """Some of the settings with their names: ``rate 0.1``, ``momentum 0.9``."""
    return [f"{NAMES.get(name, name)} {setting(settings, name)}" for name in names]


def setting(settings: Settings, name: str) -> str:
    """One of the settings, numbers as short as they can be."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"


@dataclass(frozen=True)
class Style:
    """How the numbers of one comparison are written, all alike so that they line up.

    Args:
        percent: whether scores are shares.
        decimals: behind the point, when they are not; None for powers of ten.
    """

    percent: bool
    decimals: int | None

    @staticmethod
    def of(comparison: Comparison) -> "Style":
        """That of the means of a comparison."""
        return Style.like([row.mean for row in comparison.rows], comparison.metric)

    @staticmethod
    def like(scores: Iterable[float], metric: Metric) -> "Style":
        """Four significant digits of the smallest score, as powers of ten beyond eight places."""
        least = min(map(abs, scores))
        places = 4 - math.ceil(math.log10(least)) if least > 0 else 4
        return Style(metric.percent, max(0, places) if -8 <= places <= 8 else None)

    def score(self, value: float) -> str:
        """A score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else self._number(value, "")

    def spread(self, value: float | None) -> str:
        """A standard deviation, without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else self._number(value, "")

    def difference(self, value: float) -> str:
        """A signed difference: in points for shares."""
        return f"{100 * value:+.2f}" if self.percent else self._number(value, "+")

    def amount(self, value: float) -> str:
        """A difference in a sentence, its sign only where it is below zero: ``0.42 points``."""
        return f"{100 * value:.2f} points" if self.percent else self._number(value, "")

    def interval(self, low: float | None, high: float | None) -> str:
        """The two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.difference(low)} … {self.difference(high)}"

    def _number(self, value: float, sign: str) -> str:
        form = f"{sign}.3e" if self.decimals is None else f"{sign}.{self.decimals}f"
        return format(value, form)
