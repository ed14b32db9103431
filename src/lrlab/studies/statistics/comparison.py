"""All schedules of a study side by side: ranked, each beside the baseline and beside the best."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lrlab.errors import StudyError
from lrlab.problems.targets import LARGEST
from lrlab.problems.tasks import Metric
from lrlab.schedules import Schedule
from lrlab.studies.choosing import Tuned
from lrlab.studies.grid import varied
from lrlab.studies.statistics.paired import Family, Versus
from lrlab.studies.statistics.rivals import Rival, beside_rivals
from lrlab.training import Settings

_NONE: Mapping[Schedule, int] = MappingProxyType({})
_NO_RIVALS: Mapping[Settings, NDArray[np.float64]] = MappingProxyType({})
_NOT_TUNED: Mapping[Schedule, Tuned] = MappingProxyType({})


@dataclass(frozen=True)
class Row:
    """One schedule in a comparison.

    Args:
        schedule: its text.
        rank: 1 for the best mean and for all that cannot be told apart from it on this data; the
            next has the rank of its place, and so on. Pairs are corrected by Holm, all together,
            but for those with the baseline, which are corrected as ``to_baseline`` is.
        mean, sd: of the scores over the seeds; sd (n - 1) is None for one seed.
        diverged: how many runs diverged.
        tuned: the settings chosen for it; None where all schedules have the same.
        to_baseline: beside the baseline, corrected for all schedules that are compared with it;
            None for the baseline itself.
        to_rival: beside the baseline at that of all its settings which this schedule beats least;
            None where the baseline has one.
        to_best: beside the best mean, corrected for all pairs, since which one is best is seen
            from the same scores, unless one of the two is the baseline; None for the best itself.
    """

    schedule: str
    rank: int
    mean: float
    sd: float | None
    diverged: int
    tuned: Tuned | None
    to_baseline: Versus | None
    to_best: Versus | None
    to_rival: Rival | None = None

    @property
    def edge(self) -> bool:
        """Whether its best rate is the lowest or the highest that was tried."""
        return self.tuned is not None and self.tuned.edge


@dataclass(frozen=True)
class Comparison:
    """All schedules of a study, the best mean first.

    Args:
        rows: one per schedule, the baseline's among them.
        metric: of the scores.
        seeds: how many each schedule was run with.
        overlap: test rows per row not tested, where each seed drew its own split; None where the
            test rows are always the same.
    """

    rows: tuple[Row, ...]
    metric: Metric
    seeds: int
    overlap: float | None

    @property
    def varied(self) -> tuple[str, ...]:
        """The names of the settings that were chosen; none where nothing was."""
        chosen = (row.tuned.settings for row in self.rows if row.tuned)
        against = (row.to_rival.settings for row in self.rows if row.to_rival)
        return varied((*chosen, *against))

    @property
    def baseline(self) -> Row:
        """The row of what the others are compared with."""
        return next(row for row in self.rows if row.to_baseline is None)

    @property
    def others(self) -> tuple[Row, ...]:
        """The rows that are compared with the baseline."""
        return tuple(row for row in self.rows if row.to_baseline is not None)


def judge(
    scores: Mapping[Schedule, NDArray[np.float64]],
    baseline: Schedule,
    metric: Metric,
    overlap: float | None = None,
    diverged: Mapping[Schedule, int] = _NONE,
    tuned: Mapping[Schedule, Tuned] = _NOT_TUNED,
    rivals: Mapping[Settings, NDArray[np.float64]] = _NO_RIVALS,
) -> Comparison:
    """Compares schedules with a baseline and with the best of them, seed by seed.

    Args:
        scores: of each schedule, the baseline among them, shape (seeds,), all in the same order of
            seeds; a diverged run has the score of a constant guess.
        baseline: what the others are compared with.
        metric: says which direction is better.
        overlap: of the problem; see ``Problem.overlap``.
        diverged: how many runs of a schedule diverged, none where it is left out.
        tuned: how each schedule came to its settings, where they were chosen.
        rivals: scores of the baseline at all settings that it was tried with, shape (seeds,).

    Raises:
        StudyError: the baseline is missing, or not every schedule has one finite score per seed.

    >>> from lrlab import Constant, Cosine
    >>> from lrlab.problems.tasks import two_classes
    >>> scores = {Constant(1): np.array([0.8, 0.7, 0.9]), Cosine(): np.array([0.83, 0.74, 0.93])}
    >>> best, other = judge(scores, Constant(1), two_classes().metric, overlap=0.5).rows
    >>> best.schedule, best.rank, other.rank
    ('Cosine()', 1, 2)
    >>> against = best.to_baseline
    >>> round(against.on_this_data.p, 4), round(against.for_new_data.p, 4)
    (0.0099, 0.0241)
    """
    _refuse(scores, baseline)
    sign = 1 if metric.more_is_better else -1
    schedules = sorted(scores, key=lambda schedule: -sign * float(np.mean(scores[schedule])))
    values = sign * np.array([scores[schedule] for schedule in schedules], dtype=np.float64)
    base = schedules.index(baseline)
    compared = [i for i in range(len(schedules)) if i != base]
    own, others = values[compared], values[[base] * len(compared)]
    to_baseline, of_baseline = Family(own, others, overlap), Family(others, own, overlap)
    higher, lower = np.triu_indices(len(schedules), k=1)
    pairs = Family(values[lower], values[higher], overlap)
    apart = np.zeros((len(schedules), len(schedules)), dtype=bool)
    apart[higher, lower] = pairs.told
    apart[base, compared] = apart[compared, base] = to_baseline.told

    hardest = beside_rivals(own, {s: sign * at for s, at in rivals.items()}, overlap, sign)

    def beside(i: int, best: bool) -> Versus | None:
        if i == (0 if best else base):
            return None
        if i == base:
            return of_baseline.versus(0)  # the best is the first that the baseline is compared with
        if not best or base == 0:
            return to_baseline.versus(compared.index(i))
        return pairs.versus(i - 1)  # the pairs of the first schedule come first

    rows = tuple(
        Row(
            schedule=repr(schedule),
            rank=rank,
            mean=sign * float(values[i].mean()),
            sd=float(values[i].std(ddof=1)) if values.shape[1] > 1 else None,
            diverged=diverged.get(schedule, 0),
            tuned=tuned.get(schedule),
            to_baseline=beside(i, best=False),
            to_best=beside(i, best=True),
            to_rival=None if i == base or not hardest else hardest[compared.index(i)],
        )
        for i, (schedule, rank) in enumerate(zip(schedules, _ranks(apart), strict=True))
    )
    return Comparison(rows, metric, values.shape[1], overlap)


def _ranks(apart: NDArray[np.bool_]) -> list[int]:
    """Going down, who cannot be told apart from the first of a group is in it.

    Args:
        apart: whether the schedule of a row can be told apart from that of a column, for columns
            below it.
    """
    ranks, first = [], 0
    for i in range(len(apart)):
        if apart[first, i]:
            first = i
        ranks.append(first + 1)
    return ranks


def _refuse(scores: Mapping[Schedule, NDArray[np.float64]], baseline: Schedule) -> None:
    if baseline not in scores:
        raise StudyError(f"a study needs scores of its baseline, got none of {baseline}.")
    seeds = np.shape(scores[baseline])
    for schedule, own in scores.items():
        if np.shape(own) != seeds or len(seeds) != 1 or not seeds[0]:
            raise StudyError(
                "every schedule needs one score for each seed of the baseline, at least one, got "
                f"shape {np.shape(own)} of {schedule} and {seeds} of {baseline}."
            )
        if not (np.abs(own) < LARGEST).all():
            wrong = int(np.argmin(np.abs(own) < LARGEST))
            raise StudyError(
                f"a score must be a number below {LARGEST:g}, got {own[wrong]} from run {wrong} of "
                f"{schedule}; a run that diverged scores as a constant guess."
            )
