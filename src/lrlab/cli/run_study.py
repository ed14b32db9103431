"""Running a study from the command line: the steps that ``lrlab compare`` and ``resume`` share."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lrlab.cli import db_options
from lrlab.cli.console import echo

if TYPE_CHECKING:
    from lrlab.studies import Phase, Plan, Store, StudyResult
    from lrlab.studies.execution.backends import Backend
    from lrlab.training import Run

_SECONDS_BETWEEN_LINES = 10
"""Interval of progress lines if stderr is not a terminal."""


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
    from lrlab.studies.execution.runner import open_backend
    from lrlab.training.engines import keep_freed_memory

    keep_freed_memory()
    try:
        # Stdout is for the result: what Ray or a training function prints goes to stderr.
        with redirect_stdout(sys.stderr), open_backend(backend):
            _print_cluster(backend)
            return run_study(plan, store, backend, show_progress, source)
    except KeyboardInterrupt:
        assert store.path is not None
        command = (
            f"lrlab resume {plan.id}{db_options.format_db_option(store.path)}"
            f"{_format_cluster_options(backend)}"
        )
        echo(f"stopped; finished runs are stored in {store.path}. To continue: {command}", err=True)
        raise typer.Exit(130) from None


@contextmanager
def show_progress(
    phase: "Phase", missing_runs: "Sequence[Run]"
) -> "Iterator[Callable[[Run], None]]":
    """Show a progress bar, or print lines, for a phase; gives the function to call after each run.

    Args:
        phase: the phase.
        missing_runs: those of its runs that are not stored yet.
    """
    stored_run_count = len(phase.runs) - len(missing_runs)
    if stored_run_count:
        echo(
            f"{phase.name}: {stored_run_count} of {len(phase.runs)} runs are already stored",
            err=True,
        )
    if missing_runs and sys.stderr.isatty():
        with _show_bar(phase.name, len(missing_runs)) as count_run:
            yield count_run
    else:
        yield _print_lines(phase.name, len(missing_runs))


@contextmanager
def _show_bar(name: str, run_count: int) -> "Iterator[Callable[[Run], None]]":
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=run_count)
        yield lambda run: bar.advance(task)


def _print_lines(name: str, run_count: int) -> "Callable[[Run], None]":
    finished, last_printed = 0, time.monotonic()

    def count_run(run: "Run") -> None:
        nonlocal finished, last_printed
        finished += 1
        if finished == run_count or time.monotonic() - last_printed >= _SECONDS_BETWEEN_LINES:
            last_printed = time.monotonic()
            echo(f"{name}: {finished} of {run_count} runs", err=True)

    return count_run


def present_study(study: "StudyResult", target_score: float | None, output: Path, db: Path) -> None:
    """Print the report of a study and save its plot."""
    from lrlab.views import study_plots
    from lrlab.views.study_table import format_report

    echo(format_report(study, target_score))
    study_plots.save_study_plot(study, output)
    echo(f"\nPlot: {output} · runs: {db}, study {study.plan.id}")


def _print_cluster(backend: "Backend") -> None:
    """Print which Ray cluster is used: without --address it may be somebody else's."""
    from lrlab.studies import RayCluster

    if isinstance(backend, RayCluster):
        from lrlab.studies.execution.ray import describe_cluster

        echo(f"training on {describe_cluster()}", err=True)


def _format_cluster_options(backend: "Backend") -> str:
    """Return the options with which ``lrlab resume`` trains on the same cluster."""
    from lrlab.studies import RayCluster

    if not isinstance(backend, RayCluster):
        return ""
    address = "" if backend.address is None else f" --address {backend.address}"
    gpus = f" --gpus-per-run {backend.gpus_per_run:g}" if backend.gpus_per_run else ""
    return f" --engine ray{address}{gpus}"
