"""How far a study is: a bar on a terminal, one line per finished schedule elsewhere."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.studies import Plan
    from lrlab.training import Run


@contextmanager
def progress(study: "Plan", missing: int) -> "Iterator[Callable[[Run], None]]":
    """Gives what to call at the end of each of the ``missing`` runs."""
    if missing == 0:
        yield lambda run: None
    elif sys.stderr.isatty():
        with _bar(missing) as ended:
            yield ended
    else:
        yield _lines(study, missing)


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


def _lines(study: "Plan", missing: int) -> "Callable[[Run], None]":
    counts: Counter[str] = Counter()
    ended = 0

    def one_more(run: "Run") -> None:
        nonlocal ended
        ended += 1
        counts[repr(run.schedule)] += 1
        if counts[repr(run.schedule)] == len(study.seeds):
            typer.echo(f"{ended} of {missing} runs: {run.schedule} is done", err=True)

    return one_more
