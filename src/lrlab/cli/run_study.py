"""Running a study from the command line: the steps that ``compare`` and ``resume`` share."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from lrlab.cli.console import echo, translate
from lrlab.errors import StudyWarning

if TYPE_CHECKING:
    from lrlab.lab import PlannedStudy, PlannedTraining, Study


def check_plot_output(path: Path, force: bool) -> None:
    """Check before any training that the plot may be written to ``path``."""
    from lrlab.views.files import check_output
    from lrlab.views.study_plots import STUDY_PLOT_EXTENSIONS

    check_output(path, STUDY_PLOT_EXTENSIONS, force)


def print_preflight(planned: "PlannedStudy | PlannedTraining") -> None:
    """Print a summary of the data and all warnings on stderr, before anything is trained."""
    echo(f"{planned.problem.name}: {planned.problem.summary}", err=True)
    for warning in planned.warnings:
        echo(f"warning: {warning}", err=True)
    for schedule in planned.rescaled_schedules:
        echo(
            f"note: {schedule} is divided by its peak, since the study compares schedules at "
            "equal peak rates",
            err=True,
        )


def run_study(planned: "PlannedStudy", output: Path | None) -> "Study":
    """Run a study; on Ctrl-C print the command that continues it and exit with code 130.

    Args:
        planned: the study.
        output: path of its plot; None for the default, which is checked before any training.
    """
    if output is None:
        check_plot_output(_get_default_plot_output(planned), force=True)
    try:
        # Stdout is for the result: what Ray or a training function prints goes to stderr.
        with redirect_stdout(sys.stderr), _print_warnings():
            return planned.run()
    except KeyboardInterrupt as interrupt:
        for note in interrupt.__notes__:
            # A command between backticks, pasted into a shell, would run what it prints.
            typer.echo(translate(note).replace("`", ""), err=True)
        raise typer.Exit(130) from None


def present_study(
    study: "Study", target_score: float | None, output: Path | None, db: Path
) -> None:
    """Print the report of a study and save its plot."""
    from lrlab.views.study_plots import save_study_plot
    from lrlab.views.study_table import format_report

    echo(format_report(study, target_score))
    output = output or _get_default_plot_output(study)
    save_study_plot(study, output)
    echo(f"\nPlot: {output} · runs: {db}, study {study.id}")


def _get_default_plot_output(study: "PlannedStudy | Study") -> Path:
    """Return the path of the plot if none is given.

    The name contains the id of the study, so repeating a command may replace the plot.
    """
    return Path(f"{study.plan.problem.name}-{study.id}.png")


@contextmanager
def _print_warnings() -> Iterator[None]:
    """Print warnings of a study as the command line prints all warnings."""

    def show_warning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, StudyWarning):
            echo(f"warning: {message}", err=True)
        else:
            show_other_warning(message, category, filename, lineno, file, line)

    with warnings.catch_warnings():
        warnings.simplefilter("always", StudyWarning)
        show_other_warning = warnings.showwarning
        warnings.showwarning = show_warning
        yield
