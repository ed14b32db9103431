"""Schedules beside the baseline at every settings: who beats it only where it was badly tuned?

The settings of the baseline are chosen from few held-out rows, and with bad luck not well. What
beats it then may be no better than it could be.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lrlab.studies.statistics.holm import holm
from lrlab.studies.statistics.paired import ALPHA, Family
from lrlab.training import Settings

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Rival:
    """The baseline at those of its settings that a schedule beats least.

    Args:
        settings: those.
        mean: its score there over the seeds.
        beaten: whether the schedule is better than the baseline at all of its settings, on this
            data; each is tested, so that the largest of their p-values counts (an
            intersection-union test), and Holm's correction is over the schedules.
        beaten_on_new_data: the same for new data like it; False where that cannot be said.
    """

    settings: Settings
    mean: float
    beaten: bool
    beaten_on_new_data: bool


def beside_rivals(
    own: Numbers, rivals: Mapping[Settings, Numbers], overlap: float | None, sign: int
) -> list[Rival]:
    """Each schedule beside its hardest rival; none where there are not several.

    Args:
        own: scores of the schedules, shape (schedules, seeds), more is better.
        rivals: scores of the baseline by its settings, shape (seeds,), more is better.
        overlap: see ``Family``.
        sign: that brings scores back to where they were.

    Source: Berger 1982, Technometrics 24, 295-300, for the intersection-union test.
    """
    if len(rivals) < 2:
        return []
    scores = np.array(list(rivals.values()))
    many, few = len(rivals), len(own)
    pairs = Family(np.repeat(own, many, axis=0), np.tile(scores, (few, 1)), overlap)
    p = [each.reshape(few, many) for each in pairs.p_of_gain]
    beaten = [holm(each.max(axis=1)) < ALPHA for each in p]
    hardest = p[0].argmax(axis=1)
    settings = list(rivals)
    return [
        Rival(
            settings=settings[at],
            mean=sign * float(scores[at].mean()),
            beaten=bool(beaten[0][i]),
            beaten_on_new_data=len(beaten) > 1 and bool(beaten[1][i]),
        )
        for i, at in enumerate(hardest)
    ]
