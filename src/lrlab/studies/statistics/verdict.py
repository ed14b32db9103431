"""The verdict on a schedule, decided by its paired differences to the baseline."""

from enum import StrEnum, auto

from lrlab.studies.statistics.best_baseline import BaselineConfig
from lrlab.studies.statistics.paired import PairedComparison


class Verdict(StrEnum):
    """The verdict on a schedule and the baseline.

    Every difference needs a p-value below 0.05 after Holm's correction. ``..._ON_NEW_DATA`` holds
    on this data and for new data like it; the others hold on this data.

    Where settings were tuned, ``BETTER`` and ``BETTER_ON_NEW_DATA`` mean better than the baseline
    at every setting that it was run with. ``BETTER_AS_TUNED`` means better than the baseline at its
    tuned settings, but not at all others; ``WORSE_AS_TUNED`` compares tuned settings, too.
    """

    BASELINE = auto()
    IDENTICAL = auto()
    NO_CLEAR_DIFFERENCE = auto()
    BETTER = auto()
    BETTER_ON_NEW_DATA = auto()
    BETTER_AS_TUNED = auto()
    WORSE = auto()
    WORSE_ON_NEW_DATA = auto()
    WORSE_AS_TUNED = auto()

    @property
    def is_better(self) -> bool:
        """Whether the schedule may be called better; ``BETTER_AS_TUNED`` is not enough."""
        return self in (Verdict.BETTER, Verdict.BETTER_ON_NEW_DATA)

    @property
    def is_worse(self) -> bool:
        """Whether the schedule may be called worse."""
        return self in (Verdict.WORSE, Verdict.WORSE_ON_NEW_DATA, Verdict.WORSE_AS_TUNED)


class NewDataFinding(StrEnum):
    """What is known about a schedule and the baseline for new data."""

    NOT_TESTABLE = auto()
    """All seeds have the same test rows, so nothing shows how other rows would differ."""
    CLEAR = auto()
    """The difference on this data holds for new data, too."""
    NOT_AT_ALL_SETTINGS = auto()
    """The schedule is better as tuned, but may not be better than the baseline at all settings."""
    NEEDS_SEEDS = auto()
    """No clear difference; more seeds would show one of the measured size."""
    NEEDS_ROWS = auto()
    """No clear difference, and no number of seeds would show one of the measured size."""


def decide_verdict(
    vs_baseline: PairedComparison | None, hardest_baseline: BaselineConfig | None
) -> Verdict:
    """Return the verdict on a schedule.

    Args:
        vs_baseline: the schedule compared with the baseline; None for the baseline itself.
        hardest_baseline: the baseline's setting that is hardest to beat; None if it has only one.
    """
    if vs_baseline is None:
        return Verdict.BASELINE
    here, new = vs_baseline.on_this_data, vs_baseline.for_new_data
    if not here.significant:
        is_identical = vs_baseline.difference == 0 and here.ci_low is None
        return Verdict.IDENTICAL if is_identical else Verdict.NO_CLEAR_DIFFERENCE
    holds_for_new_data = new is not None and new.significant
    if vs_baseline.difference < 0:
        if holds_for_new_data:
            return Verdict.WORSE_ON_NEW_DATA
        return Verdict.WORSE_AS_TUNED if hardest_baseline else Verdict.WORSE
    if hardest_baseline and not hardest_baseline.is_beaten:
        return Verdict.BETTER_AS_TUNED
    if holds_for_new_data and (hardest_baseline is None or hardest_baseline.is_beaten_for_new_data):
        return Verdict.BETTER_ON_NEW_DATA
    return Verdict.BETTER


def decide_new_data_finding(
    vs_baseline: PairedComparison | None, hardest_baseline: BaselineConfig | None
) -> NewDataFinding:
    """Return what is known about a schedule for new data; arguments as in ``decide_verdict``."""
    estimate = None if vs_baseline is None else vs_baseline.for_new_data
    if vs_baseline is None or estimate is None:
        return NewDataFinding.NOT_TESTABLE
    if not estimate.significant:
        is_out_of_reach = estimate.seeds_needed is None
        return NewDataFinding.NEEDS_ROWS if is_out_of_reach else NewDataFinding.NEEDS_SEEDS
    is_better = vs_baseline.difference > 0
    if is_better and hardest_baseline and not hardest_baseline.is_beaten_for_new_data:
        return NewDataFinding.NOT_AT_ALL_SETTINGS
    return NewDataFinding.CLEAR
