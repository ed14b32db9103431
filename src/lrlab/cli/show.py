"""``lrlab show``: schedules side by side before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import reading
from lrlab.cli.screen import show_rows
from lrlab.errors import ViewError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lrlab.schedules import Schedule
    from lrlab.views.pieces import Row
    from lrlab.views.preview import Preview


def show(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Schedules, such as 'Warmup(5) >> Cosine(45)' or 'torch.StepLR(30)'.",
        ),
    ],
    steps: Annotated[
        float | None,
        typer.Option(
            help="How many steps to show.",
            show_default="until the last schedule ends, if each has an end",
        ),
    ] = None,
    epoch_steps: Annotated[
        float | None, typer.Option(help='Steps per epoch, for durations such as "5ep".')
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="The base rate; factors of it are shown when left out.",
            show_default="0.1 where a schedule has an absolute Rate",
        ),
    ] = None,
    save: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Also write a picture (.png, .svg), a page to explore (.html), every rate (.csv) "
            "or the numbers (.json); as often as you like.",
        ),
    ] = None,
    library: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="LIBRARY",
            help="Write the code that builds them in torch, transformers, optax or keras instead.",
        ),
    ] = None,
) -> None:
    """Look at schedules before you train: a chart, what happens when, and numbers to compare."""
    from lrlab.views import files
    from lrlab.views.preview import preview

    if library is not None and save:
        raise ViewError("--as writes code and --save pictures and tables: give one of the two.")
    targets = [files.target(path) for path in save or []]
    # One text given twice is one schedule.
    schedules = {" ".join(text.split()): reading.schedule_of(text) for text in specs}
    if library is not None:
        typer.echo("\n".join(_programs(schedules, library, steps, lr, epoch_steps)), nl=False)
        return
    seen = preview(schedules, steps, lr, epoch_steps)
    _warn(schedules, seen, training=steps is not None)
    show_rows(lambda width: _rows(seen, width))
    for target in targets:
        target.write(seen)
        typer.echo(f"wrote {target.path}")


def _programs(
    schedules: "dict[str, Schedule]",
    library: str,
    steps: float | None,
    lr: float | None,
    epoch_steps: float | None,
) -> "Iterator[str]":
    """The program of each schedule; of several, under its text."""
    from lrlab.dialects.code import write

    for text, schedule in schedules.items():
        heading = f"# {text}\n" if len(schedules) > 1 else ""
        yield heading + write(schedule.bind(total=steps, epoch=epoch_steps), library, lr)


def _warn(schedules: "dict[str, Schedule]", seen: "Preview", training: bool) -> None:
    """Prints what looks like a mistake; ``training`` says whether the steps are those of one."""
    from lrlab import lint

    total = seen.steps if training else None
    for label, schedule in schedules.items():
        for finding in lint(schedule, seen.base, total=total, epoch=seen.epoch):
            named = "" if len(schedules) == 1 else f"{label}: "
            typer.echo(f"warning: {named}{finding}", err=True)


def _rows(seen: "Preview", width: int) -> "list[Row]":
    from lrlab.views.chart import chart
    from lrlab.views.pieces import Piece, wrapped
    from lrlab.views.summary import NOTE, legend, table, title

    return [
        (Piece(title(seen)),),
        (),
        *chart(seen, width),
        (),
        *legend(seen, width),
        (),
        *table(seen, width),
        *wrapped(NOTE, width, indent=2),
    ]
