"""What commands print before they train: the data they read, and warnings about likely mistakes."""

from collections.abc import Collection, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from lrlab.cli.console import echo

if TYPE_CHECKING:
    from lrlab.problems import Trainable
    from lrlab.schedules import Schedule
    from lrlab.training import Settings


def print_preflight(
    problem: "Trainable",
    grid: "Sequence[Settings]",
    schedules: "Collection[Schedule]",
    planned_schedules: "Collection[Schedule] | None" = None,
) -> None:
    """Print a summary of the data and all warnings on stderr.

    Args:
        problem: the problem to train.
        grid: the settings to train it with, one or more.
        schedules: the schedules that the user named; default schedules need no warnings.
        planned_schedules: the schedules as the study runs them, some divided by their peak.
    """
    from lrlab import lint

    echo(f"{problem.name}: {problem.summary}", err=True)
    steps_per_epoch = grid[0].count_steps_per_epoch(problem.train_rows)
    total_steps = grid[0].epochs * steps_per_epoch
    lrs = dict.fromkeys(settings.lr for settings in grid)
    findings = (
        # Findings at several learning rates are much the same: the longest list is enough.
        max(
            (
                lint(schedule, lr, total_steps=total_steps, steps_per_epoch=steps_per_epoch)
                for lr in lrs
            ),
            key=len,
        )
        for schedule in schedules
    )
    for warning in dict.fromkeys((*problem.data_warnings, *chain.from_iterable(findings))):
        echo(f"warning: {warning}", err=True)
    for schedule in schedules:
        if planned_schedules is not None and schedule not in planned_schedules:
            echo(
                f"note: {schedule} is divided by its peak, since the study compares schedules at "
                "equal peak rates",
                err=True,
            )
