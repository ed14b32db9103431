"""What came of a study, as text: the answer first, then the tables, then how to read them."""

from collections.abc import Iterator

from lrlab.problems.tables import pluralize
from lrlab.studies import StudyResult, compute_times_to_target, find_varied_hyperparameters
from lrlab.views.table import format_table, format_times_to_target
from lrlab.views.wording import summarize_grid, describe_validation_rows, format_paired_seeds


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
    divergence_text = f"{diverged} of {len(rows) * plan.protocol.seeds} runs diverged and score as a guess"
    if plan.is_tuned:
        if diverged:
            yield f"{divergence_text}."
        extension_count = sum(phase.name.startswith("widening") for phase in study.phases)
        if extension_count:
            yield (
                "Where a best rate was the last of the grid, the study tried up to "
                f"{pluralize(extension_count, 'rate')} beyond it."
            )
        edge_lrs = sorted({row.selection.settings.lr for row in rows if row.selection and row.at_grid_edge})
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
