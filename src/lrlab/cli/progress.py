"""How far a study is: a bar on a terminal, one line per finished schedule elsewhere."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.training import Run


@contextmanager
def progress(missing: "Sequence[Run]") -> "Iterator[Callable[[Run], None]]":
    """Gives what to call at the end of each of the ``missing`` runs."""
    if missing and sys.stderr.isatty():
        with _bar(len(missing)) as ended:
            yield ended
    else:
        yield _lines(missing)


@contextmanager
def _bar(missing: int) -> "Iterator[Callable[[Run], None]]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=missing)
        yield lambda run: bar.advance(task)


def _lines(missing: "Sequence[Run]") -> "Callable[[Run], None]":
    left = Counter(run.schedule for run in missing)

    def one_more(run: "Run") -> None:
        left[run.schedule] -= 1
        if left[run.schedule] == 0:
            ended = len(missing) - left.total()
            typer.echo(f"{ended} of {len(missing)} runs: {run.schedule} is done", err=True)

    return one_more
