"""``lrlab show``: schedules side by side before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import parsing
from lrlab.cli.console import print_lines
from lrlab.errors import ViewError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lrlab.schedules import Schedule
    from lrlab.views.preview import Preview


def show(
    texts: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC",
            help="Schedules, such as 'Warmup(5) >> Cosine(45)' or 'torch.StepLR(30)'.",
        ),
    ],
    total_steps: Annotated[
        float | None,
        typer.Option(
            help="How many steps to show.",
            show_default="until the last schedule ends, if each has an end",
        ),
    ] = None,
    steps_per_epoch: Annotated[
        float | None, typer.Option(help='Steps per epoch, for durations such as "5ep".')
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="The base rate; factors of it are shown when left out.",
            show_default="0.1 where a schedule has an absolute Rate",
        ),
    ] = None,
    output: Annotated[
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
    from lrlab.views.files import check_output
    from lrlab.views.preview import compute_preview
    from lrlab.views.schedule_files import PREVIEW_WRITERS, save_preview
    from lrlab.views.schedule_text import render_preview

    if library is not None and output:
        raise ViewError("--as writes code and --save pictures and tables: give one of the two.")
    for path in output or []:
        check_output(path, PREVIEW_WRITERS)
    # One text given twice is one schedule.
    schedules = {" ".join(text.split()): parsing.parse_schedule(text) for text in texts}
    if library is not None:
        typer.echo(
            "\n".join(_iterate_programs(schedules, library, total_steps, lr, steps_per_epoch)),
            nl=False,
        )
        return
    preview = compute_preview(schedules, total_steps, lr, steps_per_epoch)
    _print_warnings(schedules, preview, has_total_steps=total_steps is not None)
    print_lines(lambda width: render_preview(preview, width))
    for path in output or []:
        save_preview(preview, path)
        typer.echo(f"wrote {path}")


def _iterate_programs(
    schedules: "dict[str, Schedule]",
    library: str,
    total_steps: float | None,
    lr: float | None,
    steps_per_epoch: float | None,
) -> "Iterator[str]":
    """The program of each schedule; of several, under its text."""
    from lrlab.dialects.export import to_code

    for text, schedule in schedules.items():
        heading = f"# {text}\n" if len(schedules) > 1 else ""
        yield heading + to_code(
            schedule.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch), library, lr
        )


def _print_warnings(
    schedules: "dict[str, Schedule]", preview: "Preview", has_total_steps: bool
) -> None:
    """Prints what looks like a mistake; ``has_total_steps`` says whether the steps are those of one."""
    from lrlab import lint

    total_steps = preview.total_steps if has_total_steps else None
    for label, schedule in schedules.items():
        for finding in lint(
            schedule, preview.base, total_steps=total_steps, steps_per_epoch=preview.steps_per_epoch
        ):
            prefix = "" if len(schedules) == 1 else f"{label}: "
            typer.echo(f"warning: {prefix}{finding}", err=True)
