"""Schedules beside the baseline at many settings: who beats it only where it was badly tuned?

The settings of the baseline are chosen by few held-out rows, and with bad luck not well; and its
best rate may lie between those tried. What beats it then may be no better than it could be.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab.studies.statistics.paired import ALPHA, PairedTestFamily, adjust_by_holm
from lrlab.training import Settings

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BaselineConfig:
    """The baseline at those of its settings that a schedule beats least: with the largest p-value.

    Args:
        settings: those.
        mean: its score there over the seeds.
        is_beaten: whether the schedule is better than the baseline at all of its settings, on this
            data: the largest of their p-values counts, adjusted by Holm over the schedules.
        is_beaten_for_new_data: the same for new data like it; False where that cannot be said.
    """

    settings: Settings
    mean: float
    is_beaten: bool
    is_beaten_for_new_data: bool


def find_hardest_configs(
    schedule_scores: FloatArray,
    baseline_scores: Mapping[Settings, FloatArray],
    test_train_ratio: float | None,
    sign: int,
) -> list[BaselineConfig]:
    """Each schedule beside its hardest rival; none where there are not several.

    An intersection-union test: whoever has to beat every rival, each at level alpha, is called
    better wrongly with probability alpha at most, since one of them is not beaten in truth. So
    rivals need no correction for their number; the schedules do.

    Args:
        schedule_scores: scores of the schedules, shape (schedules, seeds), more is better.
        baseline_scores: scores of the baseline by its settings, each of shape (seeds,), more is better.
        test_train_ratio: see ``PairedTestFamily``.
        sign: that brings scores back to where they were.

    Source: Berger 1982, Technometrics 24, 295-300, for the intersection-union test.
    """
    if len(baseline_scores) < 2:
        return []
    config_scores = np.array(list(baseline_scores.values()))
    config_count, schedule_count = len(baseline_scores), len(schedule_scores)
    pairs = PairedTestFamily(
        np.repeat(schedule_scores, config_count, axis=0),
        np.tile(config_scores, (schedule_count, 1)),
        test_train_ratio,
    )
    p_values = [each.reshape(schedule_count, config_count) for each in pairs.doubled_one_sided_p]
    beaten = [adjust_by_holm(each.max(axis=1)) < ALPHA for each in p_values]
    # Of rivals far ahead p-values are the same; then the best mean is the hardest.
    hardest = [np.lexsort((config_scores.mean(axis=1), each))[-1] for each in p_values[0]]
    settings = list(baseline_scores)
    return [
        BaselineConfig(
            settings=settings[index],
            mean=sign * float(config_scores[index].mean()),
            is_beaten=bool(beaten[0][i]),
            is_beaten_for_new_data=len(beaten) > 1 and bool(beaten[1][i]),
        )
        for i, index in enumerate(hardest)
    ]
