"""The recommended schedule of a study with its settings."""

from dataclasses import dataclass

from lrlab.schedules import Schedule
from lrlab.studies.statistics import PairedComparison, RecommendationReason
from lrlab.training import Settings


@dataclass(frozen=True, repr=False)
class BestConfig:
    """The schedule to use, with its settings.

    It is not simply the one with the highest mean, which may be luck: another schedule than the
    baseline must be better than the baseline at all its settings (see ``reason``).

    Args:
        schedule: the schedule.
        settings: those of its runs, selected by their validation score.
        validation_score: the mean validation score by which the settings were selected; None if
            they were not tuned.
        test_score: mean test score of its final runs.
        diverged_count: how many of its final runs diverged.
        vs_baseline: its comparison with the baseline; None if it is the baseline.
        reason: why it is recommended.
    """

    schedule: Schedule
    settings: Settings
    validation_score: float | None
    test_score: float
    diverged_count: int
    vs_baseline: PairedComparison | None
    reason: RecommendationReason

    @property
    def lr(self) -> float:
        """The learning rate, which the schedule multiplies."""
        return self.settings.lr

    @property
    def momentum(self) -> float:
        """The momentum of SGD or RMSprop."""
        return self.settings.momentum

    def __repr__(self) -> str:
        return (
            f"BestConfig(schedule={self.schedule!r}, lr={self.lr!r}, momentum={self.momentum!r}, "
            f"validation_score={self.validation_score!r}, reason={self.reason.value!r})"
        )
