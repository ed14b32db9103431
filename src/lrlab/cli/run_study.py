"""Running a study from the command line: the steps that ``lrlab compare`` and ``resume`` share."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lrlab.cli import db_options
from lrlab.cli.console import echo

if TYPE_CHECKING:
    from lrlab.studies import Plan, Store, StudyResult
    from lrlab.studies.execution.backends import Backend


def check_plot_output(path: Path, force: bool) -> None:
    """Check before any training that the plot may be written to ``path``."""
    from lrlab.views.files import check_output
    from lrlab.views.study_plots import STUDY_PLOT_EXTENSIONS

    check_output(path, STUDY_PLOT_EXTENSIONS, force)


def get_default_plot_output(plan: "Plan", folder: Path = Path()) -> Path:
    """Return the path of the plot if none is given.

    The name contains the id of the study, so repeating a command may replace the plot.
    """
    path = folder / f"{plan.problem.name}-{plan.id}.png"
    check_plot_output(path, force=True)
    return path


def run_study_with_progress(
    plan: "Plan", store: "Store", backend: "Backend", source: str | None
) -> "StudyResult":
    """Run a study; on Ctrl-C print the command that continues it and exit with code 130.

    Args:
        plan: the study.
        store: where its runs are stored.
        backend: where they are trained.
        source: the options of the problem as JSON, which ``lrlab resume`` needs.
    """
    from lrlab.studies import run_study
    from lrlab.training.engines import keep_freed_memory
    from lrlab.views.progress import show_progress

    keep_freed_memory()
    try:
        # Stdout is for the result: what Ray or a training function prints goes to stderr.
        with (
            redirect_stdout(sys.stderr),
            backend.open(),
            show_progress(True) as progress,
        ):
            if cluster := backend.describe():  # without --address it may be somebody else's
                echo(f"training on {cluster}", err=True)
            return run_study(plan, store, backend, progress, source)
    except KeyboardInterrupt:
        assert store.path is not None
        command = (
            f"lrlab resume {plan.id}{db_options.format_db_option(store.path)}"
            f"{_format_backend_options(backend)}"
        )
        echo(f"stopped; finished runs are stored in {store.path}. To continue: {command}", err=True)
        raise typer.Exit(130) from None


def present_study(study: "StudyResult", target_score: float | None, output: Path, db: Path) -> None:
    """Print the report of a study and save its plot."""
    from lrlab.views import study_plots
    from lrlab.views.study_table import format_report

    echo(format_report(study, target_score))
    study_plots.save_study_plot(study, output)
    echo(f"\nPlot: {output} · runs: {db}, study {study.plan.id}")


def _format_backend_options(backend: "Backend") -> str:
    """Return the options with which ``lrlab resume`` trains on the same cluster."""
    return "".join(
        f" --{name.replace('_', '-')} {value}" for name, value in backend.arguments.items()
    )
