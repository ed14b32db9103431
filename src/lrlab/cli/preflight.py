"""What is printed before anything is trained: what was read, and what looks like a mistake."""

from collections.abc import Collection, Iterable
from itertools import chain
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lrlab.problems import Trainable
    from lrlab.schedules import Schedule
    from lrlab.training import Settings


def print_preflight(
    problem: "Trainable",
    grid: "Iterable[Settings]",
    schedules: "Collection[Schedule]",
    planned_schedules: "Collection[Schedule] | None" = None,
) -> None:
    """Prints it on stderr.

    Args:
        problem: what is trained.
        grid: the settings it is trained with.
        schedules: those that were named; the default ones are as they are meant.
        planned_schedules: what is compared, some of them with another peak.
    """
    from lrlab import lint

    typer.echo(f"{problem.name}: {problem.summary}", err=True)
    settings = list(grid)
    steps_per_epoch = settings[0].count_steps_per_epoch(problem.train_rows)
    total_steps = settings[0].epochs * steps_per_epoch
    lrs = dict.fromkeys(each.lr for each in settings)
    findings = (
        # What a schedule is told at several rates is much the same: the longest list is enough.
        max(
            (
                lint(schedule, rate, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
                for rate in lrs
            ),
            key=len,
        )
        for schedule in schedules
    )
    for warning in dict.fromkeys((*problem.data_warnings, *chain.from_iterable(findings))):
        typer.echo(f"warning: {warning}", err=True)
    for schedule in schedules:
        if planned_schedules is not None and schedule not in planned_schedules:
            typer.echo(
                f"{schedule} does not peak at 1: it is divided by its peak, so that its rates are "
                "peak rates as those of all others",
                err=True,
            )
