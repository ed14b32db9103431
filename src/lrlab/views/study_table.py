"""A comparison as text: the ranked table."""

from collections.abc import Callable, Iterator, Sequence

from lrlab._checks import pluralize
from lrlab.problems.metrics import Metric
from lrlab.schedules import Constant
from lrlab.studies import (
    Comparison,
    ComparisonRow,
    DifferenceEstimate,
    PairedComparison,
    StudyResult,
    TimeToTarget,
    compute_times_to_target,
    find_varied_hyperparameters,
)
from lrlab.views.answer import (
    HYPERPARAMETER_LABELS,
    NumberFormat,
    describe_verdict,
    format_setting,
)
from lrlab.views.text import describe_validation_rows, format_paired_seeds, summarize_grid

_MAX_TABLE_WIDTH = 130
_MIN_SCHEDULE_WIDTH = 26
"""Of the column of schedules; longer texts have a line to themselves in a table too wide."""

_COLUMN_GAP = "  "


def format_table(comparison: Comparison, columns: Sequence[str] = ()) -> str:
    """The schedules by rank, with paired differences to the baseline and verdicts.

    Both readings have their intervals; that for new data is left out where every seed has the same
    test rows.

    Args:
        comparison: what is shown.
        columns: names of the hyperparameters that were chosen for each schedule.
    """
    number_format, hyperparameter_count = NumberFormat.from_comparison(comparison), len(columns)
    table_columns = [
        ("rank", [f"{row.rank}" for row in comparison.rows]),
        ("schedule", [row.schedule for row in comparison.rows]),
        *(
            (HYPERPARAMETER_LABELS.get(name, name), _list_settings(comparison, name))
            for name in columns
        ),
        ("mean", [number_format.format_score(row.mean) for row in comparison.rows]),
        ("± sd", [number_format.format_sd(row.sd) for row in comparison.rows]),
        (
            f"vs\n{_name_baseline(comparison)}",
            _format_comparisons(
                comparison, lambda one: number_format.format_difference(one.difference)
            ),
        ),
        (
            "95 % interval\non this data",
            _format_comparisons(
                comparison, lambda one: _format_interval(one.on_this_data, number_format)
            ),
        ),
        (
            "95 % interval\nfor new data",
            _format_comparisons(
                comparison, lambda one: _format_interval(one.for_new_data, number_format)
            ),
        ),
        (
            "better\nin",
            _format_comparisons(comparison, lambda one: f"{100 * one.prob_better:.0f} %"),
        ),
        ("verdict", [_format_verdict(row) for row in comparison.rows]),
    ]
    if comparison.test_train_ratio is None:
        del table_columns[hyperparameter_count + 6]
    return _lay_out_columns(table_columns, left_aligned={1, len(table_columns) - 1})


def format_times_to_target(
    metric: Metric, target_score: float, times_to_target: Sequence[TimeToTarget]
) -> str:
    """How soon each schedule reaches a goal, the soonest first; see ``reach``.

    Args:
        metric: of the goal.
        target_score: the score.
        times_to_target: one for each schedule.
    """
    score = NumberFormat.from_scores([target_score], metric).format_score(target_score)
    columns = [
        ("rank", [f"{row.rank}" for row in times_to_target]),
        ("schedule", [row.schedule for row in times_to_target]),
        (
            f"epochs to\n{score}",
            ["-" if r.epochs is None else f"{r.epochs:g}" for r in times_to_target],
        ),
        ("reached\nby", [f"{100 * row.fraction:.0f} %" for row in times_to_target]),
    ]
    return _lay_out_columns(columns, left_aligned={1})


def _name_baseline(comparison: Comparison) -> str:
    return "constant" if comparison.baseline_row.schedule == repr(Constant(1.0)) else "baseline"


def _list_settings(comparison: Comparison, name: str) -> list[str]:
    rows = [row.selection for row in comparison.rows]
    return ["" if tuned is None else format_setting(tuned.settings, name) for tuned in rows]


def _format_comparisons(
    comparison: Comparison, format_value: Callable[[PairedComparison], str]
) -> list[str]:
    rows = [row.vs_baseline for row in comparison.rows]
    return ["" if paired is None else format_value(paired) for paired in rows]


def _format_interval(estimate: DifferenceEstimate | None, number_format: NumberFormat) -> str:
    return (
        "" if estimate is None else number_format.format_interval(estimate.ci_low, estimate.ci_high)
    )


def _format_verdict(row: ComparisonRow) -> str:
    failed = f", {row.diverged_count} diverged" if row.diverged_count else ""
    edge = ", at the edge" if row.at_grid_edge else ""
    return describe_verdict(row) + failed + edge


def _lay_out_columns(columns: list[tuple[str, list[str]]], left_aligned: set[int]) -> str:
    """Columns beside each other, their heads on two lines where they need to be.

    A schedule, in the second column, has a line to itself where the table would else be too wide:
    its text stays whole, to be copied.

    Args:
        columns: heads and cells.
        left_aligned: which are set flush left.
    """
    widths = [max(map(len, (*head.split("\n"), *cells))) for head, cells in columns]
    available_width = _MAX_TABLE_WIDTH - sum(widths) - len(_COLUMN_GAP) * len(widths) + widths[1]
    short = [
        name for name in columns[1][1] if len(name) <= max(_MIN_SCHEDULE_WIDTH, available_width)
    ]
    widths[1] = max(map(len, (columns[1][0], *short)))
    heads = [["", *head.split("\n")][-2:] for head, _ in columns]
    lines = [_format_line(cells, widths, left_aligned) for cells in zip(*heads, strict=True)]
    for rank, name, *cells in zip(*(cells for _, cells in columns), strict=True):
        if len(name) > widths[1]:
            lines.append(_format_line((rank, name, *[""] * len(cells)), widths, left_aligned))
            rank = name = ""
        lines.append(_format_line((rank, name, *cells), widths, left_aligned))
    return "\n".join(lines)


def _format_line(cells: Sequence[str], widths: Sequence[int], left_aligned: set[int]) -> str:
    padded = [
        cell.ljust(width) if i in left_aligned else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return (_COLUMN_GAP + _COLUMN_GAP.join(padded)).rstrip()


def format_report(study: StudyResult, target_score: float | None = None) -> str:
    """Title, answer, ranked table, time to a goal, notes.

    Args:
        study: with all its results.
        target_score: the score whose time to reach is the second ranking; the baseline's mean when left
            out.
    """
    metric = study.plan.problem.metric
    score_to_reach = study.comparison.baseline_row.mean if target_score is None else target_score
    times_to_target = compute_times_to_target(study.final_results, metric, score_to_reach)
    parts = (
        f"{format_title(study)}\n{study.answer}",
        format_table(study.comparison, find_varied_hyperparameters(study.plan.grid)),
        "\n".join(_write_notes(study)),
        format_times_to_target(metric, score_to_reach, times_to_target),
    )
    return "\n\n".join(parts)


def format_title(study: StudyResult) -> str:
    """What was compared, on one line."""
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
            f"{plan.problem.metric.name} on the test rows {when}",
        )
    )


def _write_notes(study: StudyResult) -> Iterator[str]:
    """How to read the tables, and what they do not say."""
    plan, comparison = study.plan, study.comparison
    others = comparison.other_rows
    points = ", in points" if comparison.metric.percent else ""
    yield f"Differences are paired by seed{points}; positive is better."
    if any(row.vs_baseline and row.vs_baseline.on_this_data.ci_low is not None for row in others):
        yield "Each interval is for one comparison alone: 1 in 20 misses the truth by chance."
    if len(others) > 1:
        yield f"Verdicts and ranks are corrected for {len(others)} comparisons (Holm)."
    if plan.is_tuned:
        yield f"{plan.grid[0].optimizer}; each schedule at its best of {summarize_grid(plan)}, chosen"
        yield (
            f"over {pluralize(plan.protocol.tuning_seeds, 'other seed')} by {describe_validation_rows(plan)} held "
            "out, never by test rows."
        )
    yield from _write_lr_notes(study)


def _write_lr_notes(study: StudyResult) -> Iterator[str]:
    plan, rows = study.plan, study.comparison.rows
    first = plan.grid[0]
    diverged = sum(row.diverged_count for row in rows)
    divergence_text = (
        f"{diverged} of {len(rows) * plan.protocol.seeds} runs diverged and score as a guess"
    )
    if plan.is_tuned:
        if diverged:
            yield f"{divergence_text}."
        extension_count = sum(phase.name.startswith("grid extension") for phase in study.phases)
        if extension_count:
            yield (
                "Where a best rate was the last of the grid, the study tried up to "
                f"{pluralize(extension_count, 'rate')} beyond it."
            )
        edge_lrs = sorted(
            {row.selection.settings.lr for row in rows if row.selection and row.at_grid_edge}
        )
        if edge_lrs:
            beyond = " and ".join(f"{rate:g}" for rate in edge_lrs)
            yield f"At the edge ({beyond}) a better rate may lie beyond: change --lr, or --widen."
        return
    momentum = f", momentum {first.momentum:g}" if first.momentum else ""
    lr_text = f"{first.optimizer} at base rate {first.lr:g}{momentum} for all, not tuned"
    if diverged:
        yield f"{lr_text}: {divergence_text}; a lower --lr may keep them."
    else:
        yield f"{lr_text}: a schedule that falls may do better at a higher one (--tune)."
