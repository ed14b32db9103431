"""Printing to the console: progress of a study on stderr, styled lines on stdout."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.text import Text

    from lrlab.studies import Phase
    from lrlab.training import Run

_SECONDS_BETWEEN_LINES = 10
"""Interval of progress lines if stderr is not a terminal."""


@contextmanager
def show_progress(
    phase: "Phase", missing_runs: "Sequence[Run]"
) -> "Iterator[Callable[[Run], None]]":
    """Show a progress bar, or print lines, for a phase; gives the function to call after each run.

    Args:
        phase: the phase.
        missing_runs: those of its runs that are not stored yet.
    """
    stored_run_count = len(phase.runs) - len(missing_runs)
    if stored_run_count:
        typer.echo(
            f"{phase.name}: {stored_run_count} of {len(phase.runs)} runs are already stored",
            err=True,
        )
    if missing_runs and sys.stderr.isatty():
        with _show_bar(phase.name, len(missing_runs)) as count_run:
            yield count_run
    else:
        yield _print_lines(phase.name, len(missing_runs))


@contextmanager
def _show_bar(name: str, run_count: int) -> "Iterator[Callable[[Run], None]]":
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
        task = bar.add_task("", total=run_count)
        yield lambda run: bar.advance(task)


def _print_lines(name: str, run_count: int) -> "Callable[[Run], None]":
    finished, last_printed = 0, time.monotonic()

    def count_run(run: "Run") -> None:
        nonlocal finished, last_printed
        finished += 1
        if finished == run_count or time.monotonic() - last_printed >= _SECONDS_BETWEEN_LINES:
            last_printed = time.monotonic()
            typer.echo(f"{name}: {finished} of {run_count} runs", err=True)

    return count_run


def print_lines(render: "Callable[[int], Iterable[Text]]") -> None:
    """Print the lines that ``render`` returns for the width of the terminal, or 80 without one."""
    from rich.console import Console
    from rich.text import Text

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        _warn_about_encoding(sys.stdout.encoding)
    console = Console(highlight=False)
    console.print(Text("\n").join(render(console.width)), soft_wrap=True)


def _warn_about_encoding(encoding: str) -> None:
    try:
        "⠿".encode(encoding)
    except UnicodeEncodeError:
        print(
            f"warning: the output encoding {encoding} has no characters for charts; set "
            "PYTHONIOENCODING=utf-8.",
            file=sys.stderr,
        )
