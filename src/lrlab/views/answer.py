"""Numbers as people read them: shares in percent, everything else with four digits."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lrlab._checks import pluralize
from lrlab.problems.metrics import Metric
from lrlab.schedules import Constant
from lrlab.studies.statistics import Comparison, ComparisonRow, DifferenceEstimate, PairedComparison
from lrlab.training import Settings

HYPERPARAMETER_LABELS = {"lr": "rate", "weight_decay": "weight decay"}
"""Hyperparameters as people read them, where that is not their name."""


def format_settings(settings: Settings, hyperparameters: Iterable[str]) -> list[str]:
    """Some of the settings with their names: ``rate 0.1``, ``momentum 0.9``."""
    return [
        f"{HYPERPARAMETER_LABELS.get(name, name)} {format_setting(settings, name)}"
        for name in hyperparameters
    ]


def format_setting(settings: Settings, name: str) -> str:
    """One of the settings, numbers as short as they can be."""
    value = getattr(settings, name)
    return f"{value:g}" if isinstance(value, float) else f"{value}"


@dataclass(frozen=True)
class NumberFormat:
    """How the numbers of one comparison are written, all alike so that they line up.

    Args:
        percent: whether scores are shares.
        decimals: behind the point, when they are not; None for powers of ten.
    """

    percent: bool
    decimals: int | None

    @staticmethod
    def from_comparison(comparison: Comparison) -> "NumberFormat":
        """That of the means of a comparison."""
        return NumberFormat.from_scores([row.mean for row in comparison.rows], comparison.metric)

    @staticmethod
    def from_scores(scores: Iterable[float], metric: Metric) -> "NumberFormat":
        """Four significant digits of the smallest score, as powers of ten beyond eight places."""
        smallest = min(map(abs, scores))
        decimals = 4 - math.ceil(math.log10(smallest)) if smallest > 0 else 4
        return NumberFormat(metric.percent, max(0, decimals) if -8 <= decimals <= 8 else None)

    def format_score(self, value: float) -> str:
        """A score with its unit: ``97.3 %`` or ``54.32``."""
        return f"{100 * value:.1f} %" if self.percent else self._format_number(value, "")

    def format_sd(self, value: float | None) -> str:
        """A standard deviation, without a unit."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else self._format_number(value, "")

    def format_difference(self, value: float) -> str:
        """A signed difference: in points for shares."""
        return f"{100 * value:+.2f}" if self.percent else self._format_number(value, "+")

    def format_amount(self, value: float) -> str:
        """A difference in a sentence, its sign only where it is below zero: ``0.42 points``."""
        return f"{100 * value:.2f} points" if self.percent else self._format_number(value, "")

    def format_interval(self, low: float | None, high: float | None) -> str:
        """The two ends of the interval of a difference."""
        if low is None or high is None:
            return "-"
        return f"{self.format_difference(low)} … {self.format_difference(high)}"

    def _format_number(self, value: float, sign: str) -> str:
        spec = f"{sign}.3e" if self.decimals is None else f"{sign}.{self.decimals}f"
        return format(value, spec)


NO_CLEAR_DIFFERENCE = "cannot be told apart"
BETTER_AS_TUNED = "ahead as tuned"


def describe_verdict(row: ComparisonRow) -> str:
    """What the numbers of one schedule allow to say, in a few words.

    ``better here`` and ``worse here`` are said of this data, ``better, new data too`` of both
    readings; what is told apart for new data is told apart on this data. Each needs a p-value
    below 0.05 after Holm's correction.

    Where settings were chosen, ``better`` says more: than the baseline at all settings that it was
    run with, however well those chosen for it are. ``ahead as tuned`` is better than the baseline
    at those chosen, and not known to be at all others; ``worse as tuned`` is said of those chosen.
    """
    paired, hardest = row.vs_baseline, row.hardest_baseline
    if paired is None:
        return "baseline"
    if not paired.on_this_data.significant:
        return "the same" if _is_identical(paired) else NO_CLEAR_DIFFERENCE
    is_significant_for_new_data = (
        paired.for_new_data is not None and paired.for_new_data.significant
    )
    if paired.difference < 0:
        where = "as tuned" if hardest else "here"
        return "worse, new data too" if is_significant_for_new_data else f"worse {where}"
    if hardest and not hardest.is_beaten:
        return BETTER_AS_TUNED
    return (
        "better, new data too"
        if is_significant_for_new_data and _beats_hardest_for_new_data(row)
        else "better here"
    )


def find_winners(comparison: Comparison) -> tuple[ComparisonRow, ...]:
    """The schedules that may be called better than the baseline, the best mean first.

    None is where its best rate, or the baseline's, is the lowest or the highest that was tried: the
    one may do better still, and the other too. None is, either, that is not better than the
    baseline at all settings that it was run with.
    """
    if comparison.baseline_row.at_grid_edge:
        return ()
    return tuple(row for row in _list_better(comparison) if not row.at_grid_edge)


def write_answer(comparison: Comparison) -> str:
    """The study's answer: up to four sentences, a line each, the answer first.

    What is said of this data and what is said for new data like it are sentences of their own;
    differences are positive where the schedule is better, with their 95 % intervals.
    """
    rows = comparison.rows
    if all(row.diverged_count == comparison.seed_count for row in rows):
        return "Every run diverged, so nothing can be said: use a lower rate (--lr)."
    if comparison.seed_count == 1:
        return "One seed cannot tell a gain from luck: use more (--seeds 30)."
    if not comparison.other_rows:
        return "There is nothing to compare: name another schedule (--schedule)."
    winning_rows = find_winners(comparison)
    if winning_rows:
        lines = _write_winner(comparison, winning_rows[0])
    elif _list_better(comparison):
        lines = _write_winners_at_edge(comparison)
    elif better_as_tuned := [
        row for row in comparison.other_rows if describe_verdict(row) == BETTER_AS_TUNED
    ]:
        lines = _write_better_as_tuned(comparison, better_as_tuned)
    else:
        lines = _write_none_better(comparison)
    return "\n".join(lines)


def assess_claim(comparison: Comparison, row: ComparisonRow, gain: float) -> str:
    """What the numbers say on a gain over the baseline that somebody claims for a schedule.

    Args:
        comparison: the study.
        row: the schedule's, not the baseline's.
        gain: positive where the schedule is better, in units of the metric (0.02 is 2 points).
    """
    style, paired = NumberFormat.from_comparison(comparison), row.vs_baseline
    words = f"A gain of {style.format_amount(gain)}"
    if paired is None or paired.on_this_data.ci_low is None:
        return f"{words} can be neither confirmed nor refuted."
    parts = [f"{_locate_gain(paired.on_this_data, gain, style)} on this data"]
    if paired.for_new_data is not None:
        parts.append(f"{_locate_gain(paired.for_new_data, gain, style)} for new data like it")
    return f"{words} lies {' and '.join(parts)}."


def _write_winner(comparison: Comparison, top: ComparisonRow) -> Iterator[str]:
    better = _list_better(comparison)
    inside_count = sum(not row.at_grid_edge for row in better) - 1
    more = f"; so {_choose_verb(inside_count)} {inside_count} more" if inside_count else ""
    yield f"{_write_difference(comparison, top, 'better')}{more}."
    yield _write_new_data(comparison, top)
    at_edge_count = len(better) - 1 - inside_count
    if at_edge_count:
        more = "1 more is" if at_edge_count == 1 else f"{at_edge_count} more are"
        yield f"{more} better, but at the lowest or highest rate tried, so not named: widen --lr."
    elif top is comparison.rows[0]:
        yield from _write_undecided(
            comparison, "the best", [(row, row.vs_best) for row in comparison.rows]
        )


def _write_winners_at_edge(comparison: Comparison) -> Iterator[str]:
    count = len(_list_better(comparison))
    many = "1 schedule is" if count == 1 else f"{count} schedules are"
    lead = f"{_write_scope(comparison)} {many} better than {_get_baseline_name(comparison)}"
    if comparison.baseline_row.at_grid_edge:
        whose = f"the best rate of {_get_baseline_name(comparison)}"
    else:
        whose = "its best rate" if count == 1 else "the best rate of each"
    yield f"{lead}, but none is named:"
    yield f"{whose} is the lowest or highest tried, a better one may lie beyond: widen --lr."


def _write_better_as_tuned(comparison: Comparison, rows: list[ComparisonRow]) -> Iterator[str]:
    """Where all that are ahead of the baseline are so because it was badly tuned, or may be."""
    count, name = len(rows), _get_baseline_name(comparison)
    yield f"{_write_scope(comparison)} no schedule is known to be better than {name}:"
    hardest = rows[0].hardest_baseline
    assert hardest is not None
    at = " and ".join(format_settings(hardest.settings, comparison.varied_hyperparameters))
    score = NumberFormat.from_comparison(comparison).format_score(hardest.mean)
    yield f"{count} {_choose_verb(count)} ahead of it as tuned, but at {at} {name} scores {score}."
    yield "More --tuning-seeds choose better, and so do rates closer to each other (--lr)."


def _write_none_better(comparison: Comparison) -> Iterator[str]:
    worse = [row for row in comparison.other_rows if describe_verdict(row).startswith("worse")]
    undecided_count = len(comparison.other_rows) - len(worse)
    if len(comparison.other_rows) == 1 and worse:
        yield f"{_write_difference(comparison, worse[0], 'worse')}."
        yield _write_new_data(comparison, worse[0])
        return
    if not worse:
        whom = comparison.other_rows[0].schedule if undecided_count == 1 else "no schedule"
        can = "cannot" if undecided_count == 1 else "can"
        yield f"{_write_scope(comparison)} {whom} {can} be told apart from {_get_baseline_name(comparison)}."
    else:
        rest = f", {undecided_count} {NO_CLEAR_DIFFERENCE}" if undecided_count else ""
        are = f"{len(worse)} {_choose_verb(len(worse))} worse"
        yield f"{_write_scope(comparison)} no schedule beats {_get_baseline_name(comparison)}: {are}{rest}."
    if comparison.test_train_ratio is None:
        yield _FIXED_TEST_ROWS
    elif worse:
        worse_count = sum(describe_verdict(row) == "worse, new data too" for row in worse)
        yield f"For new data like it, {worse_count or 'none'} of those {_choose_verb(worse_count)} known to be worse."
    else:
        yield "Nor can it be said for new data like it."
    yield from _write_undecided(
        comparison,
        _get_baseline_name(comparison),
        [(row, row.vs_baseline) for row in comparison.other_rows],
    )


_FIXED_TEST_ROWS = (
    "For new data nothing can be said: test rows are not known to vary with the seeds."
)


def _write_new_data(comparison: Comparison, row: ComparisonRow) -> str:
    """The second reading of a schedule that is told apart on this data."""
    paired, style = row.vs_baseline, NumberFormat.from_comparison(comparison)
    assert paired is not None
    estimate = paired.for_new_data
    if estimate is None:
        return _FIXED_TEST_ROWS
    span = _write_interval(estimate, style, len(comparison.other_rows))
    if estimate.significant and not _beats_hardest_for_new_data(row):
        return f"For new data like it that cannot be said of all settings of {_get_baseline_name(comparison)}."
    if estimate.significant:
        word = "better" if paired.difference > 0 else "worse"
        return f"For new data like it, it is {word} too{span}."
    more = (
        "more rows may tell, more seeds cannot"
        if estimate.seeds_needed is None
        else f"{_round_seeds(estimate.seeds_needed)} seeds would tell"
    )
    return f"For new data like it that cannot be said{span}: {more}."


def _write_undecided(
    comparison: Comparison,
    reference: str,
    pairs: list[tuple[ComparisonRow, PairedComparison | None]],
) -> Iterator[str]:
    """Of the pairs that are not told apart on this data, the first: what telling it takes."""
    style = NumberFormat.from_comparison(comparison)
    for row, paired in pairs:
        if (
            paired is None
            or paired.on_this_data.significant
            or paired.on_this_data.min_detectable is None
        ):
            continue
        estimate, gain = paired.on_this_data, style.format_difference(paired.difference)
        seen = f"{comparison.seed_count} seeds see {style.format_amount(paired.on_this_data.min_detectable)} or more"
        needed = (
            "no number sees"
            if estimate.seeds_needed is None
            else f"{_round_seeds(estimate.seeds_needed)} see"
        )
        yield f"{row.schedule} {NO_CLEAR_DIFFERENCE} from {reference} ({gain}): {seen}, {needed} this."
        return


def _round_seeds(seeds: int) -> str:
    """A number of seeds, two digits of it: it rests on estimates."""
    return f"about {float(f'{seeds:.1e}'):.0f}"


def _write_difference(comparison: Comparison, row: ComparisonRow, word: str) -> str:
    paired, style = row.vs_baseline, NumberFormat.from_comparison(comparison)
    assert paired is not None
    unit = " points" if comparison.metric.percent else ""
    unit += " as tuned" if row.hardest_baseline else ""
    span = _write_interval(paired.on_this_data, style, 1)
    gain = f"{style.format_difference(paired.difference)}{unit}{span}"
    return f"{_write_scope(comparison)} {row.schedule} is {word} than {_get_baseline_name(comparison)}: {gain}"


def _write_interval(estimate: DifferenceEstimate, style: NumberFormat, test_count: int) -> str:
    """The interval in brackets, and why it does not tell where it excludes zero and does not."""
    if estimate.ci_low is None or estimate.ci_high is None:
        return ""
    excludes = estimate.ci_low > 0 or estimate.ci_high < 0
    many = f", but {test_count} were compared" if excludes and not estimate.significant else ""
    return f" ({style.format_interval(estimate.ci_low, estimate.ci_high)}{many})"


def _locate_gain(estimate: DifferenceEstimate, gain: float, style: NumberFormat) -> str:
    assert estimate.ci_low is not None
    assert estimate.ci_high is not None
    side = "within" if estimate.ci_low <= gain <= estimate.ci_high else "outside"
    return f"{side} {style.format_interval(estimate.ci_low, estimate.ci_high)}"


def _list_better(comparison: Comparison) -> list[ComparisonRow]:
    return [row for row in comparison.other_rows if describe_verdict(row).startswith("better")]


def _beats_hardest_for_new_data(row: ComparisonRow) -> bool:
    return row.hardest_baseline is None or row.hardest_baseline.is_beaten_for_new_data


def _is_identical(paired: PairedComparison) -> bool:
    return paired.difference == 0 and paired.on_this_data.ci_low is None


def _write_scope(comparison: Comparison) -> str:
    return f"On this data ({pluralize(comparison.seed_count, 'seed')})"


def _get_baseline_name(comparison: Comparison) -> str:
    text = comparison.baseline_row.schedule
    return "the constant rate" if text == repr(Constant(1.0)) else text


def _choose_verb(count: int) -> str:
    return "is" if count == 1 else "are"
