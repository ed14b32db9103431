"""The answer of a study in words: a sentence or two for each decision of the statistics.

What to do next is written as arguments of Python in backticks, see ``hints.py``.
"""

from collections.abc import Callable, Iterator, Sequence

from lrlab.errors import pluralize
from lrlab.studies import (
    ComparisonRow,
    DifferenceEstimate,
    NewDataFinding,
    RecommendationReason,
    StudyResult,
    Verdict,
    find_varied_hyperparameters,
)
from lrlab.views.number_format import NumberFormat
from lrlab.views.settings_text import format_settings

VERDICT_LABELS = {
    Verdict.BASELINE: "baseline",
    Verdict.IDENTICAL: "the same",
    Verdict.NO_CLEAR_DIFFERENCE: "no clear difference",
    Verdict.BETTER: "better on this data",
    Verdict.BETTER_ON_NEW_DATA: "better, new data too",
    Verdict.BETTER_AS_TUNED: "better as tuned",
    Verdict.WORSE: "worse on this data",
    Verdict.WORSE_ON_NEW_DATA: "worse, new data too",
    Verdict.WORSE_AS_TUNED: "worse as tuned",
}
"""The verdicts in a few words."""

BASELINE_NAME = "the constant rate"

_NEW_DATA_NOT_TESTABLE = (
    "Nothing can be said about new data: the seeds are not known to have different test rows."
)
_EDGE_REMEDY = "is the lowest or highest tried, and a better one may lie beyond: extend `lr`."


def write_answer(study: StudyResult) -> str:
    """Return the answer of a study: at most four lines, the most important first.

    Separate sentences describe this data and new data like it. Differences are positive where the
    schedule is better, with their 95 % intervals.
    """
    return "\n".join(_WRITERS[study.recommendation.reason](study))


def _write_better(study: StudyResult) -> Iterator[str]:
    recommendation, winner = study.recommendation, study.recommendation.row
    assert winner is not None
    also = ""
    if recommendation.also_better:
        count = len(recommendation.also_better)
        also = f"; so {_be(count)} {pluralize(count, 'other')}"
    yield f"{_write_difference(study, winner, 'better')}{also}."
    yield _write_new_data(study, winner)
    at_edge, diverged = recommendation.better_at_grid_edge, recommendation.better_but_diverged
    if at_edge:
        yield (
            f"{_count(at_edge, 'other')} better too, but at the lowest or highest learning rate "
            "tried, so a better one may lie beyond: extend `lr`."
        )
    if diverged:
        yield f"{_count(diverged, 'other')} better too on average, but diverged more often."
    if not (at_edge or diverged):  # an answer has four lines at most
        yield from _write_undecided(study, "the best")


def _write_others_diverged(study: StudyResult) -> Iterator[str]:
    rows = study.recommendation.better_but_diverged
    yield f"{_write_held_back(study, rows)}:"
    seeds, baseline = study.comparison.seed_count, study.comparison.baseline_row
    counts = _format_range([row.diverged_count for row in rows])
    yield (
        f"{counts} of {'its' if len(rows) == 1 else 'their'} {seeds} runs diverged, "
        f"{baseline.diverged_count or 'none'} of {BASELINE_NAME} did: try lower learning rates "
        "(`lr`)."
    )


def _write_others_at_grid_edge(study: StudyResult) -> Iterator[str]:
    rows = study.recommendation.better_at_grid_edge
    yield f"{_write_held_back(study, rows)}:"
    owner = "its best learning rate" if len(rows) == 1 else "the best learning rate of each"
    yield f"{owner} {_EDGE_REMEDY}"


def _write_baseline_at_grid_edge(study: StudyResult) -> Iterator[str]:
    yield f"{_write_held_back(study, study.recommendation.better_at_grid_edge)}:"
    yield f"the best learning rate of {BASELINE_NAME} {_EDGE_REMEDY}"


def _write_others_better_as_tuned(study: StudyResult) -> Iterator[str]:
    """Yield the answer if the baseline may have lost only because it was badly tuned."""
    rows = study.comparison.better_as_tuned_rows
    hardest = rows[0].hardest_baseline
    assert hardest is not None
    names = find_varied_hyperparameters(tuple(study.baseline_settings.values()))
    settings = " and ".join(format_settings(study.baseline_settings[hardest.label], names))
    score = NumberFormat.from_study(study).format_score(hardest.mean)
    yield f"{_write_scope(study)} no schedule is known to be better than {BASELINE_NAME}:"
    yield f"{_count(rows)} better as tuned, but at {settings} {BASELINE_NAME} scores {score}."
    yield "To tune better, use more `tuning_seeds`, or learning rates closer together (`lr`)."


def _write_no_clear_difference(study: StudyResult) -> Iterator[str]:
    comparison, scope = study.comparison, _write_scope(study)
    worse_count, other_count = len(comparison.worse_rows), len(comparison.other_rows)
    if worse_count:
        undecided_count = other_count - worse_count
        verb = "shows" if undecided_count == 1 else "show"
        yield (
            f"{scope} no schedule is better than {BASELINE_NAME}: {_count(comparison.worse_rows)} "
            f"worse, {undecided_count} {verb} no clear difference."
        )
    else:
        subject = comparison.other_rows[0].label if other_count == 1 else "any schedule"
        yield f"{scope} there is no clear difference between {subject} and {BASELINE_NAME}."
    yield from _write_new_data_of_all(study)
    yield from _write_undecided(study, BASELINE_NAME)


def _write_others_worse(study: StudyResult) -> Iterator[str]:
    rows = study.comparison.worse_rows
    if len(rows) == 1:
        yield f"{_write_difference(study, rows[0], 'worse')}."
        yield _write_new_data(study, rows[0])
    else:
        scope = _write_scope(study)
        yield f"{scope} no schedule is better than {BASELINE_NAME}: {_count(rows)} worse."
        yield from _write_new_data_of_all(study)


def _write_nothing_to_compare(study: StudyResult) -> Iterator[str]:
    yield "There is nothing to compare: name another schedule (`schedules`)."


def _write_one_seed(study: StudyResult) -> Iterator[str]:
    yield "One seed cannot separate a gain from luck: use more (`seeds=30`)."


def _write_baseline_diverged(study: StudyResult) -> Iterator[str]:
    yield f"Every run of {BASELINE_NAME} diverged, and no other schedule can be recommended:"
    yield "use a lower learning rate (`lr`)."


def _write_all_diverged(study: StudyResult) -> Iterator[str]:
    yield "Every run diverged, so nothing can be said: use a lower learning rate (`lr`)."


_WRITERS: dict[RecommendationReason, Callable[[StudyResult], Iterator[str]]] = {
    RecommendationReason.BETTER: _write_better,
    RecommendationReason.OTHERS_DIVERGED: _write_others_diverged,
    RecommendationReason.OTHERS_AT_GRID_EDGE: _write_others_at_grid_edge,
    RecommendationReason.BASELINE_AT_GRID_EDGE: _write_baseline_at_grid_edge,
    RecommendationReason.OTHERS_BETTER_AS_TUNED: _write_others_better_as_tuned,
    RecommendationReason.NO_CLEAR_DIFFERENCE: _write_no_clear_difference,
    RecommendationReason.OTHERS_WORSE: _write_others_worse,
    RecommendationReason.NOTHING_TO_COMPARE: _write_nothing_to_compare,
    RecommendationReason.ONE_SEED: _write_one_seed,
    RecommendationReason.BASELINE_DIVERGED: _write_baseline_diverged,
    RecommendationReason.ALL_DIVERGED: _write_all_diverged,
}
"""What writes the lines of the answer for each reason."""


def _write_new_data(study: StudyResult, row: ComparisonRow) -> str:
    """Return the sentence on new data for a schedule that clearly differs on this data."""
    pair = row.vs_baseline
    assert pair is not None
    if pair.for_new_data is None:
        return _NEW_DATA_NOT_TESTABLE
    interval = _write_interval(study, pair.for_new_data, len(study.comparison.other_rows))
    match row.new_data_finding:
        case NewDataFinding.CLEAR:
            word = "better" if pair.difference > 0 else "worse"
            return f"For new data like it, it is {word} too{interval}."
        case NewDataFinding.NOT_AT_ALL_SETTINGS:
            return (
                f"For new data like it, it is better as tuned{interval}, but {BASELINE_NAME} may "
                "be as good with other settings."
            )
        case NewDataFinding.NEEDS_SEEDS:
            assert pair.for_new_data.seeds_needed is not None
            remedy = f"about {_round_seeds(pair.for_new_data.seeds_needed)} seeds would show one"
        case _:
            remedy = "more rows may show one, more seeds cannot"
    return f"For new data like it, there is no clear difference{interval}: {remedy}."


def _write_new_data_of_all(study: StudyResult) -> Iterator[str]:
    """Yield the sentence on new data if no schedule is better on this data."""
    worse = study.comparison.worse_rows
    if study.comparison.test_train_ratio is None:
        yield _NEW_DATA_NOT_TESTABLE
    elif worse:
        count = sum(row.verdict is Verdict.WORSE_ON_NEW_DATA for row in worse)
        yield f"For new data like it, {count or 'none'} of these {_be(count)} known to be worse."
    else:
        yield "For new data like it, there is no clear difference either."


def _write_undecided(study: StudyResult, reference: str) -> Iterator[str]:
    """Yield a sentence on the best schedule without a clear difference to the recommended one."""
    undecided, number_format = study.recommendation.undecided, NumberFormat.from_study(study)
    if undecided is None:
        return
    gain = f"{number_format.format_difference(undecided.difference)}{_get_unit(study)}"
    yield (
        f"{undecided.label} vs {reference}: {gain}, no clear difference. Smallest detectable "
        f"difference with {pluralize(study.comparison.seed_count, 'seed')}: "
        f"{number_format.format_amount(undecided.min_detectable)}."
    )


def _write_held_back(study: StudyResult, rows: Sequence[ComparisonRow]) -> str:
    subject = f"{rows[0].label} is" if len(rows) == 1 else f"{len(rows)} schedules are"
    return f"{_write_scope(study)} {subject} better than {BASELINE_NAME}, but cannot win"


def _write_difference(study: StudyResult, row: ComparisonRow, word: str) -> str:
    pair, number_format = row.vs_baseline, NumberFormat.from_study(study)
    assert pair is not None
    unit = _get_unit(study) + (" as tuned" if row.hardest_baseline else "")
    interval = _write_interval(study, pair.on_this_data, 1)
    gain = f"{number_format.format_difference(pair.difference)}{unit}{interval}"
    return f"{_write_scope(study)} {row.label} is {word} than {BASELINE_NAME}: {gain}"


def _write_interval(study: StudyResult, estimate: DifferenceEstimate, test_count: int) -> str:
    """Return the interval in brackets, and why it is not significant if it excludes zero."""
    if estimate.ci_low is None:
        return ""
    interval = NumberFormat.from_study(study).format_interval(estimate.ci_low, estimate.ci_high)
    reason = f", one of {test_count} comparisons" if estimate.is_lost_by_correction else ""
    return f" (95 % interval {interval}{reason})"


def _write_scope(study: StudyResult) -> str:
    return f"On this data ({pluralize(study.comparison.seed_count, 'seed')})"


def _format_range(counts: Sequence[int]) -> str:
    """Return ``2``, or ``2 to 5`` for counts that differ."""
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def _round_seeds(seeds: int) -> str:
    """Round a number of seeds to two digits: it rests on estimates."""
    return f"{float(f'{seeds:.1e}'):.0f}"


def _get_unit(study: StudyResult) -> str:
    return " points" if study.plan.problem.metric.percent else ""


def _count(rows: Sequence[ComparisonRow], noun: str = "") -> str:
    """Return ``1 is``, ``2 are`` or, with a noun, ``1 other is``, ``2 others are``."""
    return f"{pluralize(len(rows), noun) if noun else len(rows)} {_be(len(rows))}"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
