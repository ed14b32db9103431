"""What came of a study, as text: the answer first, then the tables, then how to read them."""

from collections.abc import Iterator

from lrlab.problems.tables import counted
from lrlab.studies import Study, varied
from lrlab.views.table import table


def report(study: Study, goal: float | None = None) -> str:
    """Title, answer, ranked table, time to reach a goal, notes.

    Args:
        study: with all its results.
        goal: the score whose time to reach is the second ranking; the baseline's mean when left
            out.
    """
    columns = varied(study.plan.grid)
    parts = [
        f"{title(study)}\n{study.answer}",
        table(study.comparison, columns),
        "\n".join(_notes(study)),
    ]
    return "\n\n".join(parts) + "\n"


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


def paired_seeds(count: int) -> str:
    """How many seeds, and that they pair the runs."""
    return counted(count, "seed" if count == 1 else "paired seed")


def _notes(study: Study) -> Iterator[str]:
    """How to read the tables, and what they do not say."""
    plan, comparison = study.plan, study.comparison
    first = plan.grid[0]
    diverged = sum(row.diverged for row in comparison.rows)
    if plan.tuned:
        rows = plan.problem.train_rows
        yield (
            f"{first.optimizer}; each schedule at its best of {len(plan.grid)} settings or more, "
            f"chosen over {plan.protocol.tuning_seeds} other seeds"
        )
        held = first.held_out(rows)
        yield f"by {held} of the {rows} training rows, held out; test rows choose nothing."
    else:
        momentum = f", momentum {first.momentum:g}" if first.momentum else ""
        yield f"{first.optimizer} at base rate {first.lr:g}{momentum} for all, not tuned."
    if diverged:
        runs = len(comparison.rows) * comparison.seeds
        yield f"{diverged} of {runs} runs diverged and score as a constant guess."
