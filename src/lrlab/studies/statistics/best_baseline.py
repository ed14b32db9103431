"""The baseline at all its settings: which one is hardest to beat for each schedule.

Few validation rows select the settings of the baseline, with bad luck not the best ones, and its
best learning rate may lie between those tried. A schedule that beats it there may be no better than
a well tuned baseline.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.studies.statistics.paired import ALPHA, FloatArray, PairedTestFamily, adjust_by_holm


@dataclass(frozen=True)
class BaselineConfig:
    """The baseline at the settings that a schedule beats least: with the largest p-value.

    Args:
        label: of the settings.
        mean: score of the baseline with them, over the seeds.
        is_beaten: whether the schedule is better than the baseline at all its settings on this
            data: the largest p-value counts, adjusted by Holm over the schedules.
        is_beaten_for_new_data: the same for new data like it; False if it cannot be tested.
    """

    label: str
    mean: float
    is_beaten: bool
    is_beaten_for_new_data: bool


def find_hardest_configs(
    schedule_scores: FloatArray,
    baseline_scores: Mapping[str, FloatArray],
    test_train_ratio: float | None,
    sign: int,
) -> list[BaselineConfig]:
    """Return the hardest setting of the baseline for each schedule; empty if there is only one.

    An intersection-union test: a schedule that must beat every setting at level alpha is wrongly
    called better with probability alpha at most, since in truth it does not beat one of them. So
    the number of settings needs no correction; the number of schedules does.

    Args:
        schedule_scores: of shape (schedules, seeds), greater is better.
        baseline_scores: by the label of its settings, each of shape (seeds,), greater is better.
        test_train_ratio: see ``PairedTestFamily``.
        sign: 1, or -1 if the scores were negated because smaller is better.

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
    p_values = [p.reshape(schedule_count, config_count) for p in pairs.doubled_one_sided_p]
    beaten = [adjust_by_holm(p.max(axis=1)) < ALPHA for p in p_values]
    # Far better settings have equal p-values; among them the best mean is the hardest.
    hardest = [np.lexsort((config_scores.mean(axis=1), p))[-1] for p in p_values[0]]
    labels = list(baseline_scores)
    return [
        BaselineConfig(
            label=labels[index],
            mean=sign * float(config_scores[index].mean()),
            is_beaten=bool(beaten[0][i]),
            is_beaten_for_new_data=len(beaten) > 1 and bool(beaten[1][i]),
        )
        for i, index in enumerate(hardest)
    ]
