"""All schedules of a study side by side: ranked, each beside the baseline and beside the best."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lrlab._checks import MAX_MAGNITUDE
from lrlab.errors import StudyError
from lrlab.problems.metrics import Metric
from lrlab.schedules import Schedule
from lrlab.studies.plan.grid import find_varied_hyperparameters
from lrlab.studies.plan.selection import Selection
from lrlab.studies.statistics.best_baseline import BaselineConfig, find_hardest_configs
from lrlab.studies.statistics.paired import PairedComparison, PairedTestFamily
from lrlab.training import Settings

_NO_DIVERGED: Mapping[Schedule, int] = MappingProxyType({})
_NO_BASELINE_SCORES: Mapping[Settings, NDArray[np.float64]] = MappingProxyType({})
_NO_SELECTIONS: Mapping[Schedule, Selection] = MappingProxyType({})


@dataclass(frozen=True)
class ComparisonRow:
    """One schedule in a comparison.

    Args:
        schedule: its text.
        rank: 1 for the best mean and for all that cannot be told apart from it on this data; the
            next has the rank of its place, and so on. Pairs are corrected by Holm, all together,
            but for those with the baseline, which are corrected as ``vs_baseline`` is.
        mean, sd: of the scores over the seeds; sd (n - 1) is None for one seed.
        diverged_count: how many runs diverged.
        selection: the settings chosen for it; None where all schedules have the same.
        vs_baseline: beside the baseline, corrected for all schedules that are compared with it;
            None for the baseline itself.
        hardest_baseline: beside the baseline at that of all its settings which this schedule beats least;
            None where the baseline has one.
        vs_best: beside the best mean, corrected for all pairs, since which one is best is seen
            from the same scores, unless one of the two is the baseline; None for the best itself.
    """

    schedule: str
    rank: int
    mean: float
    sd: float | None
    diverged_count: int
    selection: Selection | None
    vs_baseline: PairedComparison | None
    vs_best: PairedComparison | None
    hardest_baseline: BaselineConfig | None = None

    @property
    def at_grid_edge(self) -> bool:
        """Whether its best rate is the lowest or the highest that was tried."""
        return self.selection is not None and self.selection.at_grid_edge


@dataclass(frozen=True)
class Comparison:
    """All schedules of a study, the best mean first.

    Args:
        rows: one per schedule, the baseline's among them.
        metric: of the scores.
        seed_count: how many each schedule was run with.
        test_train_ratio: test rows per row not tested, where each seed drew its own split; None where the
            test rows are always the same.
    """

    rows: tuple[ComparisonRow, ...]
    metric: Metric
    seed_count: int
    test_train_ratio: float | None

    @property
    def varied_hyperparameters(self) -> tuple[str, ...]:
        """The names of the settings that were chosen; none where nothing was."""
        selected = (row.selection.settings for row in self.rows if row.selection)
        hardest = (row.hardest_baseline.settings for row in self.rows if row.hardest_baseline)
        return find_varied_hyperparameters((*selected, *hardest))

    @property
    def baseline_row(self) -> ComparisonRow:
        """The row of what the others are compared with."""
        return next(row for row in self.rows if row.vs_baseline is None)

    @property
    def other_rows(self) -> tuple[ComparisonRow, ...]:
        """The rows that are compared with the baseline."""
        return tuple(row for row in self.rows if row.vs_baseline is not None)


def compare_scores(
    scores: Mapping[Schedule, NDArray[np.float64]],
    baseline: Schedule,
    metric: Metric,
    test_train_ratio: float | None = None,
    diverged_count: Mapping[Schedule, int] = _NO_DIVERGED,
    selections: Mapping[Schedule, Selection] = _NO_SELECTIONS,
    baseline_scores: Mapping[Settings, NDArray[np.float64]] = _NO_BASELINE_SCORES,
) -> Comparison:
    """Compares schedules with a baseline and with the best of them, seed by seed.

    Args:
        scores: of each schedule, the baseline among them, shape (seeds,), all in the same order of
            seeds; a diverged run has the score of a constant guess.
        baseline: what the others are compared with.
        metric: says which direction is better.
        test_train_ratio: of the problem; see ``Problem.test_train_ratio``.
        diverged_count: how many runs of a schedule diverged, none where it is left out.
        selections: how each schedule came to its settings, where they were chosen.
        baseline_scores: scores of the baseline at all settings that it was tried with, shape (seeds,).

    Raises:
        StudyError: the baseline is missing, or not every schedule has one finite score per seed.

    >>> from lrlab import Constant, Cosine
    >>> from lrlab.problems.metrics import make_binary_task
    >>> scores = {Constant(1): np.array([0.8, 0.7, 0.9]), Cosine(): np.array([0.83, 0.74, 0.93])}
    >>> best, other = compare_scores(scores, Constant(1), make_binary_task().metric, test_train_ratio=0.5).rows
    >>> best.schedule, best.rank, other.rank
    ('Cosine()', 1, 2)
    >>> against = best.vs_baseline
    >>> round(against.on_this_data.p, 4), round(against.for_new_data.p, 4)
    (0.0099, 0.0241)
    """
    _check_scores(scores, baseline)
    sign = 1 if metric.greater_is_better else -1
    schedules = sorted(scores, key=lambda schedule: -sign * float(np.mean(scores[schedule])))
    values = sign * np.array([scores[schedule] for schedule in schedules], dtype=np.float64)
    baseline_index = schedules.index(baseline)
    other_indices = [i for i in range(len(schedules)) if i != baseline_index]
    other_values, baseline_values = (
        values[other_indices],
        values[[baseline_index] * len(other_indices)],
    )
    vs_baseline, baseline_vs_others = (
        PairedTestFamily(other_values, baseline_values, test_train_ratio),
        PairedTestFamily(baseline_values, other_values, test_train_ratio),
    )
    higher, lower = np.triu_indices(len(schedules), k=1)
    pairs = PairedTestFamily(values[lower], values[higher], test_train_ratio)
    significant = np.zeros((len(schedules), len(schedules)), dtype=bool)
    significant[higher, lower] = pairs.significant
    significant[baseline_index, other_indices] = significant[other_indices, baseline_index] = (
        vs_baseline.significant
    )

    hardest_configs = find_hardest_configs(
        other_values, {s: sign * at for s, at in baseline_scores.items()}, test_train_ratio, sign
    )

    def get_paired_comparison(i: int, against_best: bool) -> PairedComparison | None:
        if i == (0 if against_best else baseline_index):
            return None
        if i == baseline_index:
            return baseline_vs_others.summarize_test(
                0
            )  # the best is the first that the baseline is compared with
        if not against_best or baseline_index == 0:
            return vs_baseline.summarize_test(other_indices.index(i))
        return pairs.summarize_test(i - 1)  # the pairs of the first schedule come first

    rows = tuple(
        ComparisonRow(
            schedule=repr(schedule),
            rank=rank,
            mean=sign * float(values[i].mean()),
            sd=float(values[i].std(ddof=1)) if values.shape[1] > 1 else None,
            diverged_count=diverged_count.get(schedule, 0),
            selection=selections.get(schedule),
            vs_baseline=get_paired_comparison(i, against_best=False),
            vs_best=get_paired_comparison(i, against_best=True),
            hardest_baseline=None
            if i == baseline_index or not hardest_configs
            else hardest_configs[other_indices.index(i)],
        )
        for i, (schedule, rank) in enumerate(
            zip(schedules, _compute_ranks(significant), strict=True)
        )
    )
    return Comparison(rows, metric, values.shape[1], test_train_ratio)


def _compute_ranks(significant: NDArray[np.bool_]) -> list[int]:
    """Going down, who cannot be told apart from the first of a group is in it.

    Args:
        significant: whether the schedule of a row can be told apart from that of a column, for columns
            below it.
    """
    ranks, first = [], 0
    for i in range(len(significant)):
        if significant[first, i]:
            first = i
        ranks.append(first + 1)
    return ranks


def _check_scores(scores: Mapping[Schedule, NDArray[np.float64]], baseline: Schedule) -> None:
    if baseline not in scores:
        raise StudyError(f"a study needs scores of its baseline, got none of {baseline}.")
    seeds = np.shape(scores[baseline])
    for schedule, schedule_scores in scores.items():
        if np.shape(schedule_scores) != seeds or len(seeds) != 1 or not seeds[0]:
            raise StudyError(
                "every schedule needs one score for each seed of the baseline, at least one, got "
                f"shape {np.shape(schedule_scores)} of {schedule} and {seeds} of {baseline}."
            )
        if not (np.abs(schedule_scores) < MAX_MAGNITUDE).all():
            wrong = int(np.argmin(np.abs(schedule_scores) < MAX_MAGNITUDE))
            raise StudyError(
                f"a score must be a number below {MAX_MAGNITUDE:g}, got {schedule_scores[wrong]} from run {wrong} of "
                f"{schedule}; a run that diverged scores as a constant guess."
            )
