"""What is printed before anything is trained: what was read, and what looks like a mistake."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.problems import Problem
    from lrlab.schedules import Schedule
    from lrlab.studies import Grid


def introduce(problem: "Problem", grid: "Grid", schedules: "Iterable[Schedule]") -> None:
    """Prints it on stderr."""
    from lrlab import lint

    typer.echo(f"{problem.name}: {problem.summary}", err=True)
    epoch = grid[0].steps_per_epoch(problem.train_rows)
    total = grid[0].epochs * epoch
    rates = dict.fromkeys(settings.lr for settings in grid)
    findings = (
        finding
        for schedule in schedules
        for rate in rates
        for finding in lint(schedule, rate, total=total, epoch=epoch)
    )
    for doubt in dict.fromkeys((*problem.doubts, *findings)):
        typer.echo(f"warning: {doubt}", err=True)
