"""A study's answer, ranked table, notes and times to target: as text, and as HTML for notebooks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html import escape

import pandas as pd

from lrlab.errors import pluralize
from lrlab.problems.metrics import Metric
from lrlab.studies import (
    ComparisonRow,
    DifferenceEstimate,
    PairedComparison,
    StudyResult,
    TimeToTarget,
    find_varied_hyperparameters,
)
from lrlab.training import OPTIMIZERS
from lrlab.views.answer import VERDICT_LABELS, write_answer
from lrlab.views.number_format import NumberFormat
from lrlab.views.settings_text import format_grid_size, format_setting, format_validation_rows
from lrlab.views.text import (
    Column,
    format_columns,
    format_paired_seeds,
    render_columns,
)

_TIME_TO_TARGET_NOTE = (
    'Epochs: median over the seeds; "-" means that half of the seeds or fewer reach the score.'
)
_DEFAULT_TARGET_NOTE = (
    "The score is the mean of the constant rate; choose another with `target_score`."
)
_MAX_TABLE_WIDTH = 130
_MIN_SCHEDULE_WIDTH = 26
"""Minimal width of the column of schedules, even if the table gets too wide."""


def format_report(study: StudyResult, target_score: float | None = None) -> str:
    """Return title, answer, ranked table, notes, and times to target.

    Args:
        study: a study with all its results.
        target_score: for the times to target; the mean score of the baseline by default.
    """
    target = study.comparison.baseline_row.mean if target_score is None else target_score
    times_to_target = study.compute_times_to_target(target)
    parts = [
        f"{format_title(study)}\n{write_answer(study)}",
        format_table(study),
        "\n".join(_write_notes(study)),
        format_times_to_target(study.plan.problem.metric, target, times_to_target),
    ]
    if target_score is None:
        parts[-1] += f"\n{_DEFAULT_TARGET_NOTE}"
    return "\n\n".join(parts)


def render_html(study: StudyResult) -> str:
    """Return the answer and the ranked table of a study as an HTML fragment."""
    title = escape(f"{study.plan.problem.name}, study {study.plan.id}")
    answer = "<br>".join(map(escape, write_answer(study).splitlines()))
    columns = create_columns(study)
    cells = {column.heading.replace("\n", " "): column.cells for column in columns}
    with pd.option_context("display.max_colwidth", None):  # no schedule is cut short
        table = pd.DataFrame(cells).to_html(index=False, border=0)
    return f"<p><b>{title}</b><br>{answer}</p>\n{table}"


def format_title(study: StudyResult) -> str:
    """Return one line that says what was compared, over how many seeds, and by which score."""
    plan = study.plan
    when = (
        f"after {pluralize(plan.grid[0].epochs, 'epoch')}"
        if plan.protocol.score == "final"
        else "at each run's best epoch"
    )
    return " · ".join(
        (
            plan.problem.name,
            f"{len(plan.schedules)} schedules",
            *([f"{len(plan.grid)} settings each"] if plan.is_tuned else []),
            format_paired_seeds(plan.protocol.seeds),
            f"{plan.problem.metric.name} on test rows {when}",
        )
    )


def format_table(study: StudyResult) -> str:
    """Return the ranked table as text; see ``create_columns``."""
    return _format_ranking(create_columns(study))


def create_columns(study: StudyResult) -> list[Column]:
    """Return the columns of the ranked table: settings, scores, differences, verdicts.

    Each hyperparameter that was tuned has a column. Intervals are omitted if there are none, and
    that for new data if all seeds have the same test rows.
    """
    rows, number_format = study.comparison.rows, NumberFormat.from_study(study)

    def make_paired_column(heading: str, format_value: Callable[[PairedComparison], str]) -> Column:
        pairs = [row.vs_baseline for row in rows]
        return Column(heading, ["" if pair is None else format_value(pair) for pair in pairs])

    def format_interval(estimate: DifferenceEstimate | None) -> str:
        if estimate is None:
            return ""
        return number_format.format_interval(estimate.ci_low, estimate.ci_high)

    columns = [
        Column("rank", [f"{row.rank}" for row in rows]),
        Column("schedule", [row.label for row in rows], "left"),
        *(
            _make_setting_column(study, name)
            for name in find_varied_hyperparameters(study.plan.grid)
        ),
        Column("mean", [number_format.format_score(row.mean) for row in rows]),
        Column("± sd", [number_format.format_sd(row.sd) for row in rows]),
        make_paired_column(
            "vs\nconstant", lambda pair: number_format.format_difference(pair.difference)
        ),
    ]
    if study.comparison.has_intervals:
        columns.append(
            make_paired_column(
                "95 % interval\non this data", lambda pair: format_interval(pair.on_this_data)
            )
        )
        if study.comparison.test_train_ratio is not None:
            columns.append(
                make_paired_column(
                    "95 % interval\nfor new data", lambda pair: format_interval(pair.for_new_data)
                )
            )
    return [
        *columns,
        make_paired_column("P\n(better)", lambda pair: f"{100 * pair.prob_better:.0f} %"),
        Column("verdict", [format_verdict(row) for row in rows], "left"),
    ]


def format_times_to_target(
    metric: Metric, target_score: float, times_to_target: Sequence[TimeToTarget]
) -> str:
    """Return how soon each schedule reaches a score, the soonest first.

    Args:
        metric: of the score.
        target_score: the score.
        times_to_target: one for each schedule.
    """
    score = NumberFormat.from_scores([target_score], metric).format_score(target_score)
    table = _format_ranking(
        [
            Column("rank", [f"{row.rank}" for row in times_to_target]),
            Column("schedule", [row.label for row in times_to_target], "left"),
            Column(
                f"epochs to\n{score}",
                ["-" if row.epochs is None else f"{row.epochs:g}" for row in times_to_target],
            ),
            Column(
                "seeds that\nreach it", [f"{100 * row.fraction:.0f} %" for row in times_to_target]
            ),
        ]
    )
    return f"{table}\n{_TIME_TO_TARGET_NOTE}"


def _make_setting_column(study: StudyResult, name: str) -> Column:
    schedules = [study.schedules_by_label[row.label] for row in study.comparison.rows]
    cells = [format_setting(study.selections[schedule].settings, name) for schedule in schedules]
    return Column(name.replace("_", " "), cells)


def format_verdict(row: ComparisonRow) -> str:
    """Return the verdict in a few words, the number of diverged runs, and the edge of the grid."""
    divergence = f", {row.diverged_count} diverged" if row.diverged_count else ""
    edge = ", at the edge" if row.at_grid_edge else ""
    return VERDICT_LABELS[row.verdict] + divergence + edge


def _format_ranking(columns: list[Column]) -> str:
    """Lay out a table whose first columns are rank and schedule.

    If the table gets too wide, long schedules are moved to separate lines above their rows. No
    schedule is wrapped, so that it can be copied.
    """
    ranks, schedules = ([str(cell) for cell in column.cells] for column in columns[:2])
    excess = max(line.cell_len for line in render_columns(columns)) - _MAX_TABLE_WIDTH
    max_length = max(_MIN_SCHEDULE_WIDTH, max(map(len, schedules)) - excess)
    long_rows = [i for i, schedule in enumerate(schedules) if len(schedule) > max_length]
    shortened = [
        replace(column, cells=["" if i in long_rows else c for i, c in enumerate(column.cells)])
        for column in columns[:2]
    ]
    lines = format_columns([*shortened, *columns[2:]]).splitlines()
    header_height = len(lines) - len(schedules)
    for i in reversed(long_rows):
        lines.insert(header_height + i, f"  {ranks[i]:>4}  {schedules[i]}")
    return "\n".join(lines)


def _write_notes(study: StudyResult) -> Iterator[str]:
    """Yield how to read the tables, how the settings were selected, and what to improve."""
    plan, comparison = study.plan, study.comparison
    other_count = len(comparison.other_rows)
    points = ", in points" if plan.problem.metric.percent else ""
    yield f"Differences are paired by seed{points}; positive is better."
    if comparison.has_intervals:
        yield "Each interval is for one comparison alone: 1 in 20 misses the truth by chance."
    if other_count > 1:
        yield f"Verdicts and ranks are corrected for {other_count} comparisons (Holm)."
    yield from _write_tuning_notes(study) if plan.is_tuned else _write_untuned_notes(study)


def _write_tuning_notes(study: StudyResult) -> Iterator[str]:
    plan = study.plan
    yield (
        f"{OPTIMIZERS[plan.grid[0].optimizer].torch_name}. Each schedule at its best of "
        f"{format_grid_size(plan)},"
    )
    yield (
        f"selected on validation rows ({format_validation_rows(plan)}) over "
        f"{pluralize(plan.protocol.tuning_seeds, 'separate seed')}."
    )
    if diverged_text := _describe_divergence(study):
        yield f"{diverged_text}."
    if study.grid_extension_count:
        yield (
            "Where the best learning rate was at the edge of the grid, the study tried up to "
            f"{pluralize(study.grid_extension_count, 'more learning rate')}."
        )
    if study.edge_lrs:
        edges = " and ".join(f"{lr:g}" for lr in study.edge_lrs)
        yield (
            f"At the edge of the grid ({edges}), a better learning rate may lie beyond: extend "
            "`lr`, or raise `grid_extensions`."
        )


def _write_untuned_notes(study: StudyResult) -> Iterator[str]:
    settings = study.plan.grid[0]
    momentum = f", momentum {settings.momentum:g}" if settings.momentum else ""
    name = OPTIMIZERS[settings.optimizer].torch_name
    yield f"{name} at learning rate {settings.lr:g}{momentum} for every schedule, not tuned."
    if diverged_text := _describe_divergence(study):
        yield f"{diverged_text}; try a lower `lr`."
    else:
        yield "A schedule that decays may do better at a higher learning rate: use `tune=True`."


def _describe_divergence(study: StudyResult) -> str:
    """Return how many runs diverged; empty if none did."""
    comparison = study.comparison
    if not comparison.diverged_count:
        return ""
    counts = f"{comparison.diverged_count} of {comparison.run_count} runs"
    return f"{counts} diverged and got the dummy score"
