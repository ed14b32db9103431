"""The answer of a study in words: what its numbers say, and how numbers are written.

Percentages for scores that are fractions, four significant digits for all others.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lrlab.errors import pluralize
from lrlab.problems.metrics import Metric
from lrlab.studies import StudyResult, find_varied_hyperparameters
from lrlab.studies.statistics import (
    ComparisonRow,
    DifferenceEstimate,
    PairedComparison,
    Verdict,
    find_winners,
)
from lrlab.training import Settings

HYPERPARAMETER_LABELS = {"lr": "learning rate", "weight_decay": "weight decay"}
"""Labels of hyperparameters where they differ from the name."""

VERDICT_LABELS = {
    Verdict.BASELINE: "baseline",
    Verdict.IDENTICAL: "the same",
    Verdict.NO_CLEAR_DIFFERENCE: "no clear difference",
    Verdict.BETTER: "better here",
    Verdict.BETTER_ON_NEW_DATA: "better, new data too",
    Verdict.BETTER_AS_TUNED: "better as tuned",
    Verdict.WORSE: "worse here",
    Verdict.WORSE_ON_NEW_DATA: "worse, new data too",
    Verdict.WORSE_AS_TUNED: "worse as tuned",
}
"""The verdicts in a few words; *here* means on this data."""

_BASELINE_NAME = "the constant rate"

_FIXED_TEST_ROWS = (
    "For new data nothing can be said: the test rows are not known to vary with the seeds."
)


def write_answer(study: StudyResult) -> str:
    """Return the answer of a study: at most four lines, the most important first.

    Separate sentences describe this data and new data like it. Differences are positive where the
    schedule is better, with their 95 % intervals.
    """
    rows = study.comparison.rows
    if all(row.diverged_count == study.comparison.seed_count for row in rows):
        return "Every run diverged, so nothing can be said: use a lower learning rate (--lr)."
    if study.comparison.seed_count == 1:
        return "One seed cannot separate a gain from luck: use more (--seeds 30)."
    if not study.comparison.other_rows:
        return "There is nothing to compare: name another schedule (--schedule)."
    winners = find_winners(study.comparison)
    better_as_tuned = [
        row for row in study.comparison.other_rows if row.verdict is Verdict.BETTER_AS_TUNED
    ]
    if winners:
        lines = _write_winner(study, winners[0])
    elif study.comparison.better_rows:
        lines = _write_winners_at_edge(study)
    elif better_as_tuned:
        lines = _write_better_as_tuned(study, better_as_tuned)
    else:
        lines = _write_none_better(study)
    return "\n".join(lines)


def assess_claim(study: StudyResult, row: ComparisonRow, gain: float) -> str:
    """Return a sentence on a claimed gain of a schedule over the baseline.

    Args:
        study: the study.
        row: of the schedule, not of the baseline.
        gain: positive where the schedule is better, in units of the metric (0.02 is 2 points).
    """
    number_format, paired = NumberFormat.from_study(study), row.vs_baseline
    subject = f"A gain of {number_format.format_amount(gain)}"
    if paired is None or paired.on_this_data.ci_low is None:
        return f"{subject} can be neither confirmed nor refuted."
    parts = [f"{_locate_gain(paired.on_this_data, gain, number_format)} on this data"]
    if paired.for_new_data is not None:
        parts.append(
            f"{_locate_gain(paired.for_new_data, gain, number_format)} for new data like it"
        )
    return f"{subject} lies {' and '.join(parts)}."


def _write_winner(study: StudyResult, winner: ComparisonRow) -> Iterator[str]:
    better = study.comparison.better_rows
    at_edge_count = sum(row.at_grid_edge for row in better)
    other_winner_count = len(better) - at_edge_count - 1
    others = (
        f"; {pluralize(other_winner_count, 'other')} {_choose_verb(other_winner_count)} better too"
        if other_winner_count
        else ""
    )
    yield f"{_write_difference(study, winner, 'better')}{others}."
    yield _write_new_data(study, winner)
    if at_edge_count:
        yield (
            f"{pluralize(at_edge_count, 'other')} {_choose_verb(at_edge_count)} better too, but at "
            "the lowest or highest learning rate tried, so cannot win: extend --lr."
        )
    elif winner is study.comparison.rows[0]:
        yield from _write_undecided(
            study, "the best", [(row, row.vs_best) for row in study.comparison.rows]
        )


def _write_winners_at_edge(study: StudyResult) -> Iterator[str]:
    count, name = len(study.comparison.better_rows), _BASELINE_NAME
    subject = "1 schedule is" if count == 1 else f"{count} schedules are"
    yield f"{_write_scope(study)} {subject} better than {name}, but cannot win:"
    if study.comparison.baseline_row.at_grid_edge:
        best_lr = f"the best learning rate of {name}"
    else:
        best_lr = "its best learning rate" if count == 1 else "the best learning rate of each"
    yield f"{best_lr} is the lowest or highest tried, and a better one may lie beyond: extend --lr."


def _write_better_as_tuned(study: StudyResult, rows: list[ComparisonRow]) -> Iterator[str]:
    """Yield the answer if the baseline may have lost only because it was badly tuned."""
    count, name = len(rows), _BASELINE_NAME
    yield f"{_write_scope(study)} no schedule is known to be better than {name}:"
    hardest = rows[0].hardest_baseline
    assert hardest is not None
    settings_text = " and ".join(
        format_settings(
            study.baseline_settings[hardest.label],
            find_varied_hyperparameters(tuple(study.baseline_settings.values())),
        )
    )
    score = NumberFormat.from_study(study).format_score(hardest.mean)
    yield (
        f"{count} {_choose_verb(count)} better as tuned, but at {settings_text} {name} scores "
        f"{score}."
    )
    yield "To tune better, use more --tuning-seeds, or learning rates closer together (--lr)."


def _write_none_better(study: StudyResult) -> Iterator[str]:
    worse = [row for row in study.comparison.other_rows if row.verdict.is_worse]
    if len(study.comparison.other_rows) == 1 and worse:
        yield f"{_write_difference(study, worse[0], 'worse')}."
        yield _write_new_data(study, worse[0])
        return
    scope, name = _write_scope(study), _BASELINE_NAME
    undecided_count = len(study.comparison.other_rows) - len(worse)
    if worse:
        verb = "shows" if undecided_count == 1 else "show"
        others = f", {undecided_count} {verb} no clear difference" if undecided_count else ""
        worse_text = f"{len(worse)} {_choose_verb(len(worse))} worse"
        yield f"{scope} no schedule is better than {name}: {worse_text}{others}."
    elif undecided_count == 1:
        schedule = study.comparison.other_rows[0].label
        yield f"{scope} there is no clear difference between {schedule} and {name}."
    else:
        yield f"{scope} there is no clear difference between any schedule and {name}."
    if study.comparison.test_train_ratio is None:
        yield _FIXED_TEST_ROWS
    elif worse:
        count = sum(row.verdict is Verdict.WORSE_ON_NEW_DATA for row in worse)
        yield (
            f"For new data like it, {count or 'none'} of these {_choose_verb(count)} known to be "
            "worse."
        )
    else:
        yield "For new data like it, there is no clear difference either."
    yield from _write_undecided(
        study, name, [(row, row.vs_baseline) for row in study.comparison.other_rows]
    )


def _write_new_data(study: StudyResult, row: ComparisonRow) -> str:
    """Return the sentence on new data for a schedule that clearly differs on this data."""
    paired, number_format = row.vs_baseline, NumberFormat.from_study(study)
    assert paired is not None
    estimate = paired.for_new_data
    if estimate is None:
        return _FIXED_TEST_ROWS
    interval = _write_interval(estimate, number_format, len(study.comparison.other_rows))
    if estimate.significant and not (
        row.hardest_baseline is None or row.hardest_baseline.is_beaten_for_new_data
    ):
        name = _BASELINE_NAME
        return f"For new data like it, this is not settled: at some settings {name} may be as good."
    if estimate.significant:
        word = "better" if paired.difference > 0 else "worse"
        return f"For new data like it, it is {word} too{interval}."
    remedy = (
        "more rows may settle it, more seeds cannot"
        if estimate.seeds_needed is None
        else f"{_round_seeds(estimate.seeds_needed)} seeds would settle it"
    )
    return f"For new data like it, this is not settled{interval}: {remedy}."


def _write_undecided(
    study: StudyResult,
    reference: str,
    pairs: list[tuple[ComparisonRow, PairedComparison | None]],
) -> Iterator[str]:
    """Yield a sentence on the first pair without a clear difference on this data, if any."""
    number_format = NumberFormat.from_study(study)
    for row, paired in pairs:
        if paired is None or paired.on_this_data.significant:
            continue
        if paired.on_this_data.min_detectable is None:
            continue
        detectable = number_format.format_amount(paired.on_this_data.min_detectable)
        if detectable == number_format.format_amount(0):  # equal but for rounding errors
            continue
        gain = number_format.format_difference(paired.difference)
        yield (
            f"{row.label} vs {reference}: {gain}{_get_unit(study)}, no clear difference. "
            "Smallest detectable difference with "
            f"{pluralize(study.comparison.seed_count, 'seed')}: {detectable}."
        )
        return


def _round_seeds(seeds: int) -> str:
    """Round a number of seeds to two digits: it rests on estimates."""
    return f"about {float(f'{seeds:.1e}'):.0f}"


def _write_difference(study: StudyResult, row: ComparisonRow, word: str) -> str:
    paired, number_format = row.vs_baseline, NumberFormat.from_study(study)
    assert paired is not None
    unit = _get_unit(study) + (" as tuned" if row.hardest_baseline else "")
    interval = _write_interval(paired.on_this_data, number_format, 1)
    gain = f"{number_format.format_difference(paired.difference)}{unit}{interval}"
    return f"{_write_scope(study)} {row.label} is {word} than {_BASELINE_NAME}: {gain}"


def _write_interval(
    estimate: DifferenceEstimate, number_format: "NumberFormat", test_count: int
) -> str:
    """Return the interval in brackets, and why it is not significant if it excludes zero."""
    if estimate.ci_low is None or estimate.ci_high is None:
        return ""
    excludes_zero = estimate.ci_low > 0 or estimate.ci_high < 0
    reason = ""
    if excludes_zero and not estimate.significant:
        reason = f", but {test_count} schedules were compared"
    return f" ({number_format.format_interval(estimate.ci_low, estimate.ci_high)}{reason})"


def _locate_gain(estimate: DifferenceEstimate, gain: float, number_format: "NumberFormat") -> str:
    assert estimate.ci_low is not None
    assert estimate.ci_high is not None
    side = "within" if estimate.ci_low <= gain <= estimate.ci_high else "outside"
    return f"{side} {number_format.format_interval(estimate.ci_low, estimate.ci_high)}"


def _write_scope(study: StudyResult) -> str:
    return f"On this data ({pluralize(study.comparison.seed_count, 'seed')})"


def _get_unit(study: StudyResult) -> str:
    return " points" if study.plan.problem.metric.percent else ""


def _choose_verb(count: int) -> str:
    return "is" if count == 1 else "are"


def format_settings(settings: Settings, hyperparameters: Iterable[str]) -> list[str]:
    """Return settings with their labels: ``learning rate 0.1``, ``momentum 0.9``."""
    return [
        f"{HYPERPARAMETER_LABELS.get(name, name)} {format_setting(settings, name)}"
        for name in hyperparameters
    ]


def format_setting(settings: Settings, name: str) -> str:
    """Return the value of one setting, numbers as short as possible."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"


@dataclass(frozen=True)
class NumberFormat:
    """The format of all numbers of one comparison, so that they line up.

    Args:
        percent: whether scores are fractions, shown as percentages.
        decimals: digits after the decimal point of other scores; None for powers of ten.
    """

    percent: bool
    decimals: int | None

    @staticmethod
    def from_study(study: StudyResult) -> "NumberFormat":
        """Return the format for the mean scores of a study."""
        means = [row.mean for row in study.comparison.rows]
        return NumberFormat.from_scores(means, study.plan.problem.metric)

    @staticmethod
    def from_scores(scores: Iterable[float], metric: Metric) -> "NumberFormat":
        """Return four significant digits of the smallest score, or powers of ten beyond eight."""
        smallest = min(map(abs, scores))
        decimals = 4 - math.ceil(math.log10(smallest)) if smallest > 0 else 4
        return NumberFormat(metric.percent, max(0, decimals) if -8 <= decimals <= 8 else None)

    def format_score(self, value: float) -> str:
        """Return a score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else self._format_number(value, "")

    def format_sd(self, value: float | None) -> str:
        """Return a standard deviation without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else self._format_number(value, "")

    def format_difference(self, value: float) -> str:
        """Return a signed difference; in points for percentages."""
        return f"{100 * value:+z.2f}" if self.percent else self._format_number(value, "+")

    def format_amount(self, value: float) -> str:
        """Return a difference for a sentence, with a sign only below zero: ``0.42 points``."""
        return f"{100 * value:z.2f} points" if self.percent else self._format_number(value, "")

    def format_interval(self, low: float | None, high: float | None) -> str:
        """Return the two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.format_difference(low)} … {self.format_difference(high)}"

    def _format_number(self, value: float, sign: str) -> str:
        # z: a value that rounds to zero has no minus.
        spec = f"{sign}z.3e" if self.decimals is None else f"{sign}z.{self.decimals}f"
        return format(value, spec)
