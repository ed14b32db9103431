"""The comparison of some schedules: ranked, each against the baseline and against the best."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lrlab._checks import MAX_MAGNITUDE
from lrlab.errors import StudyError
from lrlab.studies.statistics.best_baseline import BaselineConfig, find_hardest_configs
from lrlab.studies.statistics.paired import (
    FloatArray,
    PairedComparison,
    PairedTestFamily,
)
from lrlab.studies.statistics.verdict import (
    NewDataFinding,
    Verdict,
    decide_new_data_finding,
    decide_verdict,
)

_NO_DIVERGED: Mapping[str, int] = MappingProxyType({})
_NO_BASELINE_SCORES: Mapping[str, FloatArray] = MappingProxyType({})


@dataclass(frozen=True)
class ComparisonRow:
    """One schedule in a comparison.

    Args:
        label: of the schedule.
        rank: 1 for the best mean and for all schedules without a clear difference to it on this
            data; the next schedule has the rank of its position, and so on. Holm's correction
            covers all pairs, except that pairs with the baseline are corrected as ``vs_baseline``.
        mean, sd: of the scores over the seeds; sd (n - 1) is None for one seed.
        diverged_count: number of diverged runs.
        at_grid_edge: whether its best learning rate is the lowest or the highest tried.
        vs_baseline: comparison with the baseline, corrected for the number of schedules compared
            with it; None for the baseline itself.
        vs_best: comparison with the best mean. The same scores show which one is best, so it is
            corrected for all pairs, unless one of the two is the baseline; None for the best.
        hardest_baseline: the setting of the baseline that this schedule beats least; None if the
            baseline has only one setting.
    """

    label: str
    rank: int
    mean: float
    sd: float | None
    diverged_count: int
    at_grid_edge: bool
    vs_baseline: PairedComparison | None
    vs_best: PairedComparison | None
    hardest_baseline: BaselineConfig | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict on this schedule and the baseline."""
        return decide_verdict(self.vs_baseline, self.hardest_baseline)

    @property
    def new_data_finding(self) -> NewDataFinding:
        """What is known about this schedule and the baseline for new data."""
        return decide_new_data_finding(self.vs_baseline, self.hardest_baseline)

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers of a table by name; the baseline has no difference to itself.

        Names are those of the fields of ``ComparisonRow``, ``PairedComparison`` and
        ``DifferenceEstimate``; those of the estimate for new data begin with ``new_``.
        """
        record: dict[str, Any] = {
            "label": self.label,
            "rank": self.rank,
            "at_grid_edge": self.at_grid_edge,
            "mean": self.mean,
            "sd": self.sd,
            "diverged_count": self.diverged_count,
            "verdict": self.verdict.value,
        }
        pair = self.vs_baseline
        if pair is not None:
            record["difference"] = pair.difference
            record["prob_better"] = pair.prob_better
            record["correlation"] = pair.correlation
            record |= asdict(pair.on_this_data)
            if pair.for_new_data is not None:
                new = asdict(pair.for_new_data)
                record |= {f"new_{name}": value for name, value in new.items()}
        return record


@dataclass(frozen=True)
class Comparison:
    """All schedules of a comparison, the best mean first.

    Args:
        rows: one per schedule, including the baseline.
        seed_count: number of seeds of each schedule.
        test_train_ratio: test rows per remaining row, if each seed draws its own split; None if
            all seeds have the same test rows.
    """

    rows: tuple[ComparisonRow, ...]
    seed_count: int
    test_train_ratio: float | None

    @property
    def baseline_row(self) -> ComparisonRow:
        """The row of the baseline."""
        return next(row for row in self.rows if row.vs_baseline is None)

    @property
    def other_rows(self) -> tuple[ComparisonRow, ...]:
        """The rows of the schedules compared with the baseline."""
        return tuple(row for row in self.rows if row.vs_baseline is not None)

    @property
    def better_rows(self) -> tuple[ComparisonRow, ...]:
        """The rows whose verdict is better, at the edge of the grid or not."""
        return tuple(row for row in self.other_rows if row.verdict.is_better)

    @property
    def better_as_tuned_rows(self) -> tuple[ComparisonRow, ...]:
        """The rows whose verdict is better as tuned only."""
        return tuple(row for row in self.other_rows if row.verdict is Verdict.BETTER_AS_TUNED)

    @property
    def worse_rows(self) -> tuple[ComparisonRow, ...]:
        """The rows whose verdict is worse, as tuned or not."""
        return tuple(row for row in self.other_rows if row.verdict.is_worse)

    @property
    def run_count(self) -> int:
        """Number of runs of all schedules."""
        return len(self.rows) * self.seed_count

    @property
    def diverged_count(self) -> int:
        """How many of these runs diverged."""
        return sum(row.diverged_count for row in self.rows)

    @property
    def has_intervals(self) -> bool:
        """Whether any difference to the baseline has an interval: not with one seed."""
        pairs = (row.vs_baseline for row in self.rows)
        return any(pair is not None and pair.on_this_data.ci_low is not None for pair in pairs)


def find_winners(comparison: Comparison) -> tuple[ComparisonRow, ...]:
    """Return the schedules that may be called better than the baseline, the best mean first.

    A schedule whose best learning rate is the lowest or the highest tried is not among them, since
    it may do better still. If the baseline's is, there are no winners for the same reason.
    """
    if comparison.baseline_row.at_grid_edge:
        return ()
    return tuple(row for row in comparison.better_rows if not row.at_grid_edge)


def compare_scores(
    scores: Mapping[str, FloatArray],
    baseline: str,
    *,
    greater_is_better: bool,
    test_train_ratio: float | None = None,
    diverged_counts: Mapping[str, int] = _NO_DIVERGED,
    at_grid_edge: Collection[str] = (),
    baseline_scores: Mapping[str, FloatArray] = _NO_BASELINE_SCORES,
) -> Comparison:
    """Compare schedules with a baseline and with the best of them, seed by seed.

    Args:
        scores: by the label of the schedule, including the baseline; each of shape (seeds,), in
            the same order of seeds; a diverged run has the dummy score.
        baseline: label of the schedule that the others are compared with.
        greater_is_better: whether a higher score is better.
        test_train_ratio: test rows per remaining row, if each seed draws its own split; None if
            all seeds have the same test rows.
        diverged_counts: number of diverged runs by label; 0 if omitted.
        at_grid_edge: labels of the schedules whose best learning rate is the lowest or the highest
            tried.
        baseline_scores: of the baseline at all settings tried, by the label of the settings, each
            of shape (seeds,).

    Raises:
        StudyError: the baseline is missing, or a schedule lacks a finite score per seed.

    >>> scores = {"constant": np.array([0.8, 0.7, 0.9]), "cosine": np.array([0.83, 0.74, 0.93])}
    >>> best, other = compare_scores(
    ...     scores, "constant", greater_is_better=True, test_train_ratio=0.5
    ... ).rows
    >>> best.label, best.rank, other.rank
    ('cosine', 1, 2)
    >>> round(best.vs_baseline.on_this_data.p, 4), round(best.vs_baseline.for_new_data.p, 4)
    (0.0099, 0.0241)
    """
    _check_scores(scores, baseline)
    sign = 1 if greater_is_better else -1
    labels = sorted(scores, key=lambda label: -sign * float(np.mean(scores[label])))
    values = sign * np.array([scores[label] for label in labels], dtype=np.float64)
    baseline_index = labels.index(baseline)
    other_indices = [i for i in range(len(labels)) if i != baseline_index]
    other_values = values[other_indices]
    baseline_values = values[[baseline_index] * len(other_indices)]
    vs_baseline = PairedTestFamily(other_values, baseline_values, test_train_ratio)
    baseline_vs_others = PairedTestFamily(baseline_values, other_values, test_train_ratio)
    higher, lower = np.triu_indices(len(labels), k=1)
    pairs = PairedTestFamily(values[lower], values[higher], test_train_ratio)
    significant = np.zeros((len(labels), len(labels)), dtype=bool)
    significant[higher, lower] = pairs.significant
    significant[baseline_index, other_indices] = vs_baseline.significant
    significant[other_indices, baseline_index] = vs_baseline.significant
    hardest_configs = find_hardest_configs(
        other_values,
        {label: sign * config_scores for label, config_scores in baseline_scores.items()},
        test_train_ratio,
        sign,
    )

    def compare_with_best(i: int) -> PairedComparison | None:
        if i == 0:
            return None
        if i == baseline_index:  # the first schedule that it is compared with is the best
            return baseline_vs_others.summarize_test(0)
        if baseline_index == 0:
            return vs_baseline.summarize_test(other_indices.index(i))
        return pairs.summarize_test(i - 1)  # the pairs of the first schedule come first

    rows = []
    ranks = _compute_ranks(significant)
    for i, label in enumerate(labels):
        test_index = None if i == baseline_index else other_indices.index(i)
        rows.append(
            ComparisonRow(
                label=label,
                rank=ranks[i],
                mean=sign * float(values[i].mean()),
                sd=float(values[i].std(ddof=1)) if values.shape[1] > 1 else None,
                diverged_count=diverged_counts.get(label, 0),
                at_grid_edge=label in at_grid_edge,
                vs_baseline=None if test_index is None else vs_baseline.summarize_test(test_index),
                vs_best=compare_with_best(i),
                hardest_baseline=None
                if test_index is None or not hardest_configs
                else hardest_configs[test_index],
            )
        )
    return Comparison(tuple(rows), values.shape[1], test_train_ratio)


def _compute_ranks(significant: NDArray[np.bool_]) -> list[int]:
    """Group the schedules from the best down; a group ends where its first is clearly better.

    Args:
        significant: whether the schedule of a row differs clearly from that of a column, for
            columns below it.
    """
    ranks, first = [], 0
    for i in range(len(significant)):
        if significant[first, i]:
            first = i
        ranks.append(first + 1)
    return ranks


def _check_scores(scores: Mapping[str, FloatArray], baseline: str) -> None:
    if baseline not in scores:
        raise StudyError(
            f"scores must include those of the baseline {baseline}, got those of "
            f"{', '.join(scores) or 'nothing'}."
        )
    shape = np.shape(scores[baseline])
    for label, label_scores in scores.items():
        if np.shape(label_scores) != shape or len(shape) != 1 or not shape[0]:
            raise StudyError(
                "every schedule needs one score per seed of the baseline, and at least one, got "
                f"shape {np.shape(label_scores)} of {label} and {shape} of {baseline}."
            )
        is_valid = np.abs(label_scores) < MAX_MAGNITUDE
        if not is_valid.all():
            wrong = int(np.argmin(is_valid))
            raise StudyError(
                f"a score must be a number below {MAX_MAGNITUDE:g}, got {label_scores[wrong]} "
                f"from run {wrong} of {label}; give a diverged run the dummy score."
            )
