"""A comparison as text: the ranked table."""

from collections.abc import Iterator, Sequence

from lrlab.problems import TrainingFunction
from lrlab.problems.tables import counted
from lrlab.studies import Comparison, Plan, Row, varied, verdict
from lrlab.views.numbers import NAMES, Style, setting

_HEAD = ("mean", "± sd", "vs constant", "95 % interval", "verdict")


def table(comparison: Comparison, columns: Sequence[str] = ()) -> str:
    """The schedules, best mean first, with paired differences to the baseline and verdicts.

    Args:
        comparison: what is shown.
        columns: names of the hyperparameters that were chosen for each schedule.
    """
    style = Style.of(comparison)
    head = ("schedule", *(NAMES.get(name, name) for name in columns), *_HEAD)
    rows = [head, *(_cells(row, columns, style) for row in comparison.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def title(plan: Plan) -> str:
    """What was compared, on one line."""
    grid = [f"{len(plan.settings)} settings each"] if len(plan.settings) > 1 else []
    return " · ".join(
        (
            plan.problem.name,
            f"{len(plan.schedules)} schedules",
            *grid,
            seeds_of(plan),
            f"{plan.problem.metric.name} on the test rows after "
            f"{counted(plan.settings[0].epochs, 'epoch')}",
        )
    )


def seeds_of(plan: Plan) -> str:
    """How many seeds, and that they pair the runs."""
    return counted(len(plan.seeds), "seed" if len(plan.seeds) == 1 else "paired seed")


def notes(plan: Plan, comparison: Comparison) -> str:
    """How to read the table, and what it does not say."""
    gains = [row.difference for row in comparison.rows if row.difference is not None]
    intervals = sum(gain.low is not None for gain in gains)
    many = f"; there are {intervals} of them" if intervals > 1 else ""
    points = ", in points" if comparison.metric.percent else ""
    lines = [f"Differences are paired by seed{points}; positive is better."]
    if intervals:
        lines.append(f"One interval in 20 misses the truth by chance{many}.")
    return "\n".join([*lines, *_on_settings(plan, comparison)])


def _on_settings(plan: Plan, comparison: Comparison) -> Iterator[str]:
    first, grid = plan.settings[0], len(plan.settings) > 1
    shown = len(comparison.rows) * comparison.seeds
    diverged = sum(row.diverged for row in comparison.rows)
    failed = f"{diverged} of {shown} runs diverged"
    if grid:
        yield f"{first.optimizer}; each schedule at its best of {_grid(plan)},"
        yield f"chosen by {_held_out(plan)} held out, never by test rows."
        if diverged:
            yield f"{failed} and score as a constant guess."
    else:
        momentum = f", momentum {first.momentum:g}" if first.momentum else ""
        rates = f"{first.optimizer} at base rate {first.lr:g}{momentum} for all, not tuned"
        if diverged:
            yield f"{rates}: {failed} and"
            yield "score as a constant guess; a lower --lr may keep them."
        else:
            around = f"{first.lr / 3:.1g},{first.lr:g},{first.lr * 3:.1g}"
            yield f"{rates}: --lr {around} tries each schedule at several."
    edges = {row.tuned.settings.lr for row in comparison.rows if row.tuned and row.edge}
    if edges:
        beyond = " and ".join(f"{rate:g}" for rate in sorted(edges))
        yield f"At the edge of the grid ({beyond}) the best rate may lie beyond it: widen --lr."


def _grid(plan: Plan) -> str:
    """``12 settings (6 rates, 2 momenta)``."""
    names = {"lr": "rates", "momentum": "momenta", "weight_decay": "weight decays"}
    values = {
        name: len({getattr(settings, name) for settings in plan.settings})
        for name in varied(plan.settings)
    }
    sizes = ", ".join(f"{size} {names.get(name, name)}" for name, size in values.items())
    return f"{len(plan.settings)} settings ({sizes})"


def _held_out(plan: Plan) -> str:
    rows = plan.problem.train_rows
    if isinstance(plan.problem, TrainingFunction):
        return f"a share of {plan.settings[0].validation:g}"
    return f"{plan.settings[0].held_out(rows)} of the {rows} training rows"


def _cells(row: Row, columns: Sequence[str], style: Style) -> tuple[str, ...]:
    gain = row.difference
    failed = f", {row.diverged} diverged" if row.diverged else ""
    edge = ", at the edge" if row.edge else ""
    return (
        row.schedule,
        *("" if row.tuned is None else setting(row.tuned.settings, name) for name in columns),
        style.score(row.mean),
        style.spread(row.sd),
        "" if gain is None else style.difference(gain.mean),
        "" if gain is None else style.interval(gain.low, gain.high),
        verdict(row) + failed + edge,
    )


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    left = (0, len(row) - 1)
    cells = [
        cell.ljust(width) if i in left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return ("  " + "   ".join(cells)).rstrip()
