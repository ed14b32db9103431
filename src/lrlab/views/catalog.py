"""The studies of a database as text: all in a table, and one with how far it is."""

from collections.abc import Sequence
from datetime import datetime

from lrlab.studies.entries import Entry
from lrlab.views.times import duration, moment


def runs_of(many: int) -> str:
    """``1 run``, ``2 runs``."""
    return f"{many} run" if many == 1 else f"{many} runs"


def listing(entries: Sequence[Entry]) -> str:
    """A line for each study.

    Args:
        entries: one or more.
    """
    rows = [("id", "problem", "engine", "runs", "began", "state")]
    for entry in entries:
        runs = f"{entry.ended}/{entry.planned}"
        state = "finished" if entry.finished else "not finished"
        rows.append((entry.id, entry.problem, entry.engine, runs, moment(entry.began), state))
    return _aligned(rows, right=(3,))


def status(entry: Entry, pace: float | None, now: datetime, db: str = "") -> str:
    """How far a study is, and what to do next.

    Args:
        entry: the study.
        pace: runs that end in a second; None where that is not known.
        now: the time.
        db: what a command needs to find its database, such as ``" --db my.db"``.
    """
    done = "finished, " if entry.finished else f"{_share(entry)}, "
    rows = [("phase", "planned", "ended", "diverged")]
    for phase in entry.phases:
        rows.append((phase.name, str(phase.planned), str(phase.ended), str(phase.diverged)))
    return "\n".join(
        (
            f"{entry.id} · {entry.problem} · {entry.engine} · {done}{runs_of(entry.ended)} ended",
            *(["", _aligned(rows, right=(1, 2, 3))] if entry.phases else []),
            "",
            *_when(entry, pace, now),
            _next(entry, db),
        )
    )


def _share(entry: Entry) -> str:
    """Never 100 % of what is not finished."""
    share = min(99, 100 * entry.ended // entry.planned) if entry.planned else 0
    return f"{share} % of {runs_of(entry.planned)} planned so far"


def _when(entry: Entry, pace: float | None, now: datetime) -> list[str]:
    began = f"began {moment(entry.began)}"
    if entry.last is None:
        return [f"{began}, no run has ended yet"]
    ago = duration((now - entry.last).total_seconds())
    lines = [f"{began}, last run ended {ago} ago; {duration(entry.seconds)} of training"]
    left = entry.planned - entry.ended
    if pace and left:
        each = f"{pace:.3g} runs a second" if pace >= 1 else f"a run every {duration(1 / pace)}"
        lines.append(f"about {each}, so that {duration(left / pace)} are left of what is planned")
    return lines


def _next(entry: Entry, db: str) -> str:
    if entry.finished:
        return f"its runs as a table: lrlab export {entry.id} --csv runs.csv{db}"
    if entry.source is None:
        return "where it has stopped, the script that began it goes on with it"
    return f"where it has stopped, this goes on with it: lrlab resume {entry.id}{db}"


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """Columns that line up, some at their right ends."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "   ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
    return "\n".join(f"  {line}".rstrip() for line in lines)
