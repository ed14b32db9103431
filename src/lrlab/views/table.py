"""A comparison as text: the ranked table."""

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
    seeds = "1 seed" if len(plan.seeds) == 1 else f"{len(plan.seeds)} paired seeds"
    return (
        f"{plan.problem.name} · {len(plan.schedules)} schedules · {seeds} · "
        f"{plan.problem.task.metric.name} on the test rows after {plan.settings.epochs} epochs"
    )


def notes(plan: Plan) -> str:
    """How to read the table, and what it does not say."""
    settings = plan.settings
    momentum = f", momentum {settings.momentum:g}" if settings.momentum else ""
    points = ", in points" if plan.problem.task.metric.percent else ""
    intervals = len(plan.schedules) - 1
    many = f"; there are {intervals} of them" if intervals > 1 else ""
    return (
        f"Differences are paired by seed{points}; positive is better.\n"
        f"One interval in 20 misses the truth by chance{many}.\n"
        f"{settings.optimizer} at base rate {settings.lr:g}{momentum} for all, not tuned: "
        "a schedule that falls may do better at a higher --lr."
    )


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
