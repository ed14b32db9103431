"""A comparison as text: the ranked table."""

from collections.abc import Callable, Sequence

from lrlab.problems.tasks import Metric
from lrlab.schedules import Constant
from lrlab.studies import Comparison, Reached, Reading, Row, Versus, verdict
from lrlab.studies.numbers import NAMES, Style, setting

_WIDTH = 130
_NARROWEST = 26
"""Of the column of schedules; longer texts have a line to themselves in a table too wide."""

_GAP = "  "


def table(comparison: Comparison, columns: Sequence[str] = ()) -> str:
    """The schedules by rank, with paired differences to the baseline and verdicts.

    Both readings have their intervals; that for new data is left out where every seed has the same
    test rows.

    Args:
        comparison: what is shown.
        columns: names of the hyperparameters that were chosen for each schedule.
    """
    style, named = Style.of(comparison), len(columns)
    columns_of = [
        ("rank", [f"{row.rank}" for row in comparison.rows]),
        ("schedule", [row.schedule for row in comparison.rows]),
        *((NAMES.get(name, name), _settings(comparison, name)) for name in columns),
        ("mean", [style.score(row.mean) for row in comparison.rows]),
        ("± sd", [style.spread(row.sd) for row in comparison.rows]),
        (
            f"vs\n{_baseline(comparison)}",
            _beside(comparison, lambda one: style.difference(one.mean)),
        ),
        (
            "95 % interval\non this data",
            _beside(comparison, lambda one: _interval(one.on_this_data, style)),
        ),
        (
            "95 % interval\nfor new data",
            _beside(comparison, lambda one: _interval(one.for_new_data, style)),
        ),
        ("better\nin", _beside(comparison, lambda one: f"{100 * one.probability:.0f} %")),
        ("verdict", [_verdict(row) for row in comparison.rows]),
    ]
    if comparison.overlap is None:
        del columns_of[named + 6]
    return _laid_out(columns_of, left={1, len(columns_of) - 1})


def times(metric: Metric, goal: float, reached: Sequence[Reached]) -> str:
    """How soon each schedule reaches a goal, the soonest first; see ``reach``.

    Args:
        metric: of the goal.
        goal: the score.
        reached: one for each schedule.
    """
    score = Style.like([goal], metric).score(goal)
    columns = [
        ("rank", [f"{row.rank}" for row in reached]),
        ("schedule", [row.schedule for row in reached]),
        (f"epochs to\n{score}", ["-" if r.epochs is None else f"{r.epochs:g}" for r in reached]),
        ("reached\nby", [f"{100 * row.share:.0f} %" for row in reached]),
    ]
    return _laid_out(columns, left={1})


def _baseline(comparison: Comparison) -> str:
    return "constant" if comparison.baseline.schedule == repr(Constant(1.0)) else "baseline"


def _settings(comparison: Comparison, name: str) -> list[str]:
    rows = [row.tuned for row in comparison.rows]
    return ["" if tuned is None else setting(tuned.settings, name) for tuned in rows]


def _beside(comparison: Comparison, of: Callable[[Versus], str]) -> list[str]:
    rows = [row.to_baseline for row in comparison.rows]
    return ["" if against is None else of(against) for against in rows]


def _interval(reading: Reading | None, style: Style) -> str:
    return "" if reading is None else style.interval(reading.low, reading.high)


def _verdict(row: Row) -> str:
    failed = f", {row.diverged} diverged" if row.diverged else ""
    edge = ", at the edge" if row.edge else ""
    return verdict(row) + failed + edge


def _laid_out(columns: list[tuple[str, list[str]]], left: set[int]) -> str:
    """Columns beside each other, their heads on two lines where they need to be.

    A schedule, in the second column, has a line to itself where the table would else be too wide:
    its text stays whole, to be copied.

    Args:
        columns: heads and cells.
        left: which are set flush left.
    """
    widths = [max(map(len, (*head.split("\n"), *cells))) for head, cells in columns]
    spare = _WIDTH - sum(widths) - len(_GAP) * len(widths) + widths[1]
    short = [name for name in columns[1][1] if len(name) <= max(_NARROWEST, spare)]
    widths[1] = max(map(len, (columns[1][0], *short)))
    heads = [["", *head.split("\n")][-2:] for head, _ in columns]
    lines = [_line(cells, widths, left) for cells in zip(*heads, strict=True)]
    for rank, name, *cells in zip(*(cells for _, cells in columns), strict=True):
        if len(name) > widths[1]:
            lines.append(_line((rank, name, *[""] * len(cells)), widths, left))
            rank = name = ""
        lines.append(_line((rank, name, *cells), widths, left))
    return "\n".join(lines)


def _line(cells: Sequence[str], widths: Sequence[int], left: set[int]) -> str:
    padded = [
        cell.ljust(width) if i in left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return (_GAP + _GAP.join(padded)).rstrip()
