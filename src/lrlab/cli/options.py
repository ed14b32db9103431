"""The options that commands share, and how they become problem, schedule and settings.

Everything that takes long to import is imported when it is needed, so that help comes at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lrlab.problems import Problem
    from lrlab.schedules import Schedule
    from lrlab.training import Settings

_DATA = "Data"
_RUN = "Training"

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A data set (breast-cancer, digits, wine, iris, diabetes, ionosphere), or the path of "
        "a table of delimited text.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(help="The column to predict; the last when left out.", rich_help_panel=_DATA),
]
Task = Annotated[
    str | None,
    typer.Option(
        help="classification or regression; told by the target when left out.",
        rich_help_panel=_DATA,
    ),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first row names the columns; found out when left out.",
        rich_help_panel=_DATA,
    ),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        help="Where the file of ionosphere lies; else in $LRLAB_DATA, else it is downloaded.",
        rich_help_panel=_DATA,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(
        "--lr",
        help="The base rate.",
        show_default="0.1 for sgd, 0.001 for adam and adamw",
        rich_help_panel=_RUN,
    ),
]
Momentum = Annotated[float, typer.Option(help="Of sgd.", rich_help_panel=_RUN)]
Optimizer = Annotated[str, typer.Option(help="sgd, adam or adamw.", rich_help_panel=_RUN)]
Epochs = Annotated[int, typer.Option(help="Passes over the data.", rich_help_panel=_RUN)]
BatchSize = Annotated[int, typer.Option(help="Rows per step.", rich_help_panel=_RUN)]
Per = Annotated[
    str,
    typer.Option(help="Step the schedule once per epoch or per step.", rich_help_panel=_RUN),
]
Shuffle = Annotated[
    bool | None,
    typer.Option(
        "--shuffle/--no-shuffle",
        help="Reshuffle the batches every epoch.",
        show_default="as the data set has it; tables are shuffled",
        rich_help_panel=_RUN,
    ),
]


def problem_of(
    data: str, target: str | None, task: str | None, header: bool | None, file: Path | None
) -> "Problem":
    """The problem that the options name."""
    from lrlab.problems import load

    return load(data, target=target, task=task, header=header, file=file)


def settings_of(
    problem: "Problem",
    lr: float | None,
    momentum: float,
    optimizer: str,
    epochs: int,
    batch_size: int,
    per: str,
    shuffle: bool | None,
) -> "Settings":
    """The settings that the options name; ``shuffle`` is the problem's where nobody says."""
    from lrlab.training import Settings

    rate = (0.1 if optimizer.lower() == "sgd" else 0.001) if lr is None else lr
    order = problem.shuffle if shuffle is None else shuffle
    return Settings(
        lr=rate,
        momentum=momentum,
        optimizer=optimizer.lower(),
        epochs=epochs,
        batch_size=batch_size,
        per=per,
        shuffle=order,
    )


def schedule_of(text: str) -> "Schedule":
    """The schedule that a text on the command line describes."""
    from lrlab import parse

    return parse(text)


def introduce(problem: "Problem", settings: "Settings", schedules: "Iterable[Schedule]") -> None:
    """Prints on stderr what was read, and whatever looks like a mistake in it."""
    from lrlab import lint

    typer.echo(f"{problem.name}: {problem.summary}", err=True)
    epoch = settings.steps_per_epoch(problem.train_rows)
    total = settings.epochs * epoch
    findings = (
        finding
        for schedule in schedules
        for finding in lint(schedule, settings.lr, total=total, epoch=epoch)
    )
    for doubt in (*problem.doubts, *findings):
        typer.echo(f"warning: {doubt}", err=True)
