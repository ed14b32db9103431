"""What is printed before anything is trained: what was read, and what looks like a mistake."""

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.problems import AnyProblem
    from lrlab.schedules import Schedule
    from lrlab.studies import Grid


def introduce(problem: "AnyProblem", grid: "Grid", schedules: "Iterable[Schedule]") -> None:
    """Prints it on stderr."""
    from lrlab import lint

    typer.echo(f"{problem.name}: {problem.summary}", err=True)
    epoch = grid[0].steps_per_epoch(problem.train_rows)
    total = grid[0].epochs * epoch
    rates = dict.fromkeys(settings.lr for settings in grid)
    findings = (
        # What a schedule is told at several rates is much the same: the longest list is enough.
        max((lint(schedule, rate, total=total, epoch=epoch) for rate in rates), key=len)
        for schedule in schedules
    )
    for doubt in dict.fromkeys((*problem.doubts, *chain.from_iterable(findings))):
        typer.echo(f"warning: {doubt}", err=True)
