"""What came of a study, as text: the answer first, then the tables, then how to read them."""

from collections.abc import Iterator

from lrlab.problems.tables import counted
from lrlab.studies import Study, reach, varied
from lrlab.views.table import table, times
from lrlab.views.wording import grid_counted, held_out, paired_seeds


def report(study: Study, goal: float | None = None) -> str:
    """Title, answer, ranked table, time to a goal, notes.

    Args:
        study: with all its results.
        goal: the score whose time to reach is the second ranking; the baseline's mean when left
            out.
    """
    metric = study.plan.problem.metric
    aim = study.comparison.baseline.mean if goal is None else goal
    reached = reach(study.finals, metric, aim)
    parts = (
        f"{title(study)}\n{study.answer}",
        table(study.comparison, varied(study.plan.grid)),
        "\n".join(_notes(study)),
        times(metric, aim, reached),
    )
    return "\n\n".join(parts)


def title(study: Study) -> str:
    """What was compared, on one line."""
    plan = study.plan
    when = (
        f"after {counted(plan.grid[0].epochs, 'epoch')}"
        if plan.protocol.score == "final"
        else "at each run's best epoch"
    )
    return " · ".join(
        (
            plan.problem.name,
            f"{len(plan.schedules)} schedules",
            *([f"{len(plan.grid)} settings each"] if plan.tuned else []),
            paired_seeds(plan.protocol.seeds),
            f"{plan.problem.metric.name} on the test rows {when}",
        )
    )


def _notes(study: Study) -> Iterator[str]:
    """How to read the tables, and what they do not say."""
    plan, comparison = study.plan, study.comparison
    others = comparison.others
    points = ", in points" if comparison.metric.percent else ""
    yield f"Differences are paired by seed{points}; positive is better."
    if any(row.to_baseline and row.to_baseline.on_this_data.low is not None for row in others):
        yield "Each interval is for one comparison alone: 1 in 20 misses the truth by chance."
    if len(others) > 1:
        yield f"Verdicts and ranks are corrected for {len(others)} comparisons (Holm)."
    if plan.tuned:
        yield f"{plan.grid[0].optimizer}; each schedule at its best of {grid_counted(plan)}, chosen"
        yield (
            f"over {counted(plan.protocol.tuning_seeds, 'other seed')} by {held_out(plan)} held "
            "out, never by test rows."
        )
    yield from _on_rates(study)


def _on_rates(study: Study) -> Iterator[str]:
    plan, rows = study.plan, study.comparison.rows
    first = plan.grid[0]
    diverged = sum(row.diverged for row in rows)
    failed = f"{diverged} of {len(rows) * plan.protocol.seeds} runs diverged and score as a guess"
    if plan.tuned:
        if diverged:
            yield f"{failed}."
        widened = sum(phase.name.startswith("widening") for phase in study.phases)
        if widened:
            yield (
                "Where a best rate was the last of the grid, the study tried up to "
                f"{counted(widened, 'rate')} beyond it."
            )
        edges = sorted({row.tuned.settings.lr for row in rows if row.tuned and row.edge})
        if edges:
            beyond = " and ".join(f"{rate:g}" for rate in edges)
            yield f"At the edge ({beyond}) a better rate may lie beyond: change --lr, or --widen."
        return
    momentum = f", momentum {first.momentum:g}" if first.momentum else ""
    rates = f"{first.optimizer} at base rate {first.lr:g}{momentum} for all, not tuned"
    if diverged:
        yield f"{rates}: {failed}; a lower --lr may keep them."
    else:
        yield f"{rates}: a schedule that falls may do better at a higher one (--tune)."
