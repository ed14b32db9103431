"""``lrlab show``: preview schedules before training."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli.console import echo, print_lines
from lrlab.cli.import_option import ImportOption
from lrlab.errors import ViewError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lrlab.schedules import Schedule
    from lrlab.views.preview import Preview


def show(
    schedules: Annotated[
        list[str],
        typer.Argument(
            metavar="SCHEDULE",
            help="Schedules, such as 'Warmup(5) >> Cosine(45)' or "
            "'torch.OneCycleLR(0.1, total_steps=50)'.",
        ),
    ],
    total_steps: Annotated[
        float | None,
        typer.Option(
            metavar="<int>",
            help="Number of steps to show.",
            show_default="up to the end of the longest schedule, if all have an end",
        ),
    ] = None,
    steps_per_epoch: Annotated[
        float | None, typer.Option(help='Steps per epoch, for durations such as "5ep".')
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            help="Base learning rate.",
            show_default="factors are shown; 0.1 if a schedule contains Absolute",
        ),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Also write a plot (.png, .svg), an interactive page (.html), the rate of every "
            "step (.csv) or a summary (.json); repeat the option for several files.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace existing --output files.")
    ] = False,
    library: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Print code that builds the schedules in another library, such as torch, instead "
            "of the preview.",
        ),
    ] = None,
    imports: ImportOption = None,
) -> None:
    """Preview schedules before training: a chart, their parts, and numbers to compare."""
    _check_numbers(total_steps, lr)
    from lrlab import parse
    from lrlab.views.files import check_output
    from lrlab.views.preview import compute_preview
    from lrlab.views.schedule_files import PREVIEW_WRITERS, save_preview
    from lrlab.views.schedule_text import render_preview

    if library is not None and output:
        raise ViewError("--library prints code and --output writes a preview; give one of the two.")
    for path in output or []:
        check_output(path, PREVIEW_WRITERS, force)
    # The same text given twice is shown once.
    schedules_by_text = {" ".join(text.split()): parse(text) for text in schedules}
    if library is not None:
        code = _generate_code(schedules_by_text, library, total_steps, lr, steps_per_epoch)
        typer.echo("\n".join(code), nl=False)
        return
    preview = compute_preview(schedules_by_text, total_steps, lr, steps_per_epoch)
    _print_warnings(schedules_by_text, preview, has_total_steps=total_steps is not None)
    print_lines(lambda width: render_preview(preview, width))
    for path in output or []:
        save_preview(preview, path)
        echo(f"wrote {path}")


def _check_numbers(total_steps: float | None, lr: float | None) -> None:
    """Refuse numbers below their range by the names of their options."""
    if total_steps is not None and not total_steps >= 1:
        raise ViewError(f"--total-steps must be a whole number of 1 or more, got {total_steps:g}.")
    if lr is not None and not 0 <= lr < math.inf:
        raise ViewError(f"--lr must be a learning rate of 0 or more, got {lr:g}.")


def _generate_code(
    schedules: "dict[str, Schedule]",
    library: str,
    total_steps: float | None,
    lr: float | None,
    steps_per_epoch: float | None,
) -> "Iterator[str]":
    """Yield the code of each schedule, with its text as heading if there are several."""
    from lrlab.dialects.export import to_code

    for text, schedule in schedules.items():
        heading = f"# {text}\n" if len(schedules) > 1 else ""
        yield heading + to_code(
            schedule.bind(total_steps=total_steps, steps_per_epoch=steps_per_epoch), library, lr
        )


def _print_warnings(
    schedules: "dict[str, Schedule]", preview: "Preview", has_total_steps: bool
) -> None:
    """Print what lint finds, assuming the length of a training only if --total-steps is given."""
    from lrlab import lint

    total_steps = preview.total_steps if has_total_steps else None
    for text, schedule in schedules.items():
        for finding in lint(
            schedule, preview.base, total_steps=total_steps, steps_per_epoch=preview.steps_per_epoch
        ):
            prefix = "" if len(schedules) == 1 else f"{text}: "
            echo(f"warning: {prefix}{finding}", err=True)
