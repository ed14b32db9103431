"""How far a study has come, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.studies import Phase
    from lrlab.training import Run

_SECONDS = 10
"""Between lines, where there is no bar."""


@contextmanager
def progress(phase: "Phase", missing: "Sequence[Run]") -> "Iterator[Callable[[Run], None]]":
    """Gives what to call at the end of each of the ``missing`` runs of a phase."""
    known = len(phase.runs) - len(missing)
    if known:
        typer.echo(f"{phase.name}: {known} of {len(phase.runs)} runs are stored already", err=True)
    if missing and sys.stderr.isatty():
        with _bar(phase.name, len(missing)) as ended:
            yield ended
    else:
        yield _lines(phase.name, len(missing))


@contextmanager
def _bar(name: str, missing: int) -> "Iterator[Callable[[Run], None]]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=missing)
        yield lambda run: bar.advance(task)


def _lines(name: str, missing: int) -> "Callable[[Run], None]":
    ended, told = 0, time.monotonic()

    def one_more(run: "Run") -> None:
        nonlocal ended, told
        ended += 1
        if ended == missing or time.monotonic() - told >= _SECONDS:
            told = time.monotonic()
            typer.echo(f"{name}: {ended} of {missing} runs", err=True)

    return one_more
