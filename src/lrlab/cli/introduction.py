"""What is printed before anything is trained: what was read, and what looks like a mistake."""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.problems import AnyProblem
    from lrlab.schedules import Schedule
    from lrlab.training import Settings


def introduce(
    problem: "AnyProblem",
    grid: "Iterable[Settings]",
    schedules: "Collection[Schedule]",
    planned: "Collection[Schedule] | None" = None,
) -> None:
    """Prints it on stderr.

    Args:
        problem: what is trained.
        grid: the settings it is trained with.
        schedules: those that were named; the default ones are as they are meant.
        planned: what is compared, some of them with another peak.
    """
    from lrlab import lint

    typer.echo(f"{problem.name}: {problem.summary}", err=True)
    settings = list(grid)
    epoch = settings[0].steps_per_epoch(problem.train_rows)
    total = settings[0].epochs * epoch
    rates = dict.fromkeys(each.lr for each in settings)
    findings = (
        # What a schedule is told at several rates is much the same: the longest list is enough.
        max((lint(schedule, rate, total=total, epoch=epoch) for rate in rates), key=len)
        for schedule in schedules
    )
    for doubt in dict.fromkeys((*problem.doubts, *chain.from_iterable(findings))):
        typer.echo(f"warning: {doubt}", err=True)
    for schedule in schedules:
        if planned is not None and schedule not in planned:
            typer.echo(
                f"{schedule} does not peak at 1: it is divided by its peak, so that its rates are "
                "peak rates as those of all others",
                err=True,
            )
