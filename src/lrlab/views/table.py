"""A comparison as text: the ranked table."""

from lrlab.problems.tables import counted
from lrlab.studies import Comparison, Plan, Row, verdict
from lrlab.views.numbers import Style

_HEAD = ("schedule", "mean", "± sd", "vs constant", "95 % interval", "verdict")
_LEFT = (0, 5)


def table(comparison: Comparison) -> str:
    """The schedules, best mean first, with paired differences to the baseline and verdicts."""
    style = Style.of(comparison)
    rows = [_HEAD, *(_cells(row, style) for row in comparison.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def title(plan: Plan) -> str:
    """What was compared, on one line."""
    return (
        f"{plan.problem.name} · {len(plan.schedules)} schedules · {seeds_of(plan)} · "
        f"{plan.problem.task.metric.name} on the test rows after "
        f"{counted(plan.settings.epochs, 'epoch')}"
    )


def seeds_of(plan: Plan) -> str:
    """How many seeds, and that they pair the runs."""
    return counted(len(plan.seeds), "seed" if len(plan.seeds) == 1 else "paired seed")


def notes(plan: Plan, comparison: Comparison) -> str:
    """How to read the table, and what it does not say."""
    settings, metric = plan.settings, comparison.metric
    momentum = f", momentum {settings.momentum:g}" if settings.momentum else ""
    rates = f"{settings.optimizer} at base rate {settings.lr:g}{momentum} for all, not tuned"
    diverged = sum(row.diverged for row in comparison.rows)
    gains = [row.difference for row in comparison.rows if row.difference is not None]
    intervals = sum(gain.low is not None for gain in gains)
    many = f"; there are {intervals} of them" if intervals > 1 else ""
    points = ", in points" if metric.percent else ""
    lines = [f"Differences are paired by seed{points}; positive is better."]
    if intervals:
        lines.append(f"One interval in 20 misses the truth by chance{many}.")
    if diverged:
        lines.append(f"{rates}: {diverged} of {len(plan.runs)} runs diverged and")
        lines.append("score as a constant guess; a lower --lr may keep them.")
    else:
        lines.append(f"{rates}: a schedule that falls may do better at a higher --lr.")
    return "\n".join(lines)


def _cells(row: Row, style: Style) -> tuple[str, ...]:
    gain = row.difference
    failed = f", {row.diverged} diverged" if row.diverged else ""
    return (
        row.schedule,
        style.score(row.mean),
        style.spread(row.sd),
        "" if gain is None else style.difference(gain.mean),
        "" if gain is None else style.interval(gain.low, gain.high),
        verdict(row) + failed,
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if i in _LEFT else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return ("  " + "   ".join(cells)).rstrip()
