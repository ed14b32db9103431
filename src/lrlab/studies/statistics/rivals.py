"""Schedules beside the baseline at many settings: who beats it only where it was badly tuned?

The settings of the baseline are chosen by few held-out rows, and with bad luck not well; and its
best rate may lie between those tried. What beats it then may be no better than it could be.
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
    """The baseline at those of its settings that a schedule beats least: with the largest p-value.

    Args:
        settings: those.
        mean: its score there over the seeds.
        beaten: whether the schedule is better than the baseline at all of its settings, on this
            data: the largest of their p-values counts, adjusted by Holm over the schedules.
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

    An intersection-union test: whoever has to beat every rival, each at level alpha, is called
    better wrongly with probability alpha at most, since one of them is not beaten in truth. So
    rivals need no correction for their number; the schedules do.

    Args:
        own: scores of the schedules, shape (schedules, seeds), more is better.
        rivals: scores of the baseline by its settings, each of shape (seeds,), more is better.
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
    # Of rivals far ahead p-values are the same; then the best mean is the hardest.
    hardest = [np.lexsort((scores.mean(axis=1), each))[-1] for each in p[0]]
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
