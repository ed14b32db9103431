"""``lrlab compare``: every schedule at its best, over the same fresh seeds, with verdicts."""

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lrlab.cli import db_options
from lrlab.cli.preflight import print_preflight
from lrlab.cli.study_options import StudyOptions

if TYPE_CHECKING:
    from lrlab.studies import Plan, Store, StudyResult
    from lrlab.studies.execution.backends import Backend


def compare(options: StudyOptions) -> None:
    """Find out which schedule is best: each tuned alike, then scored over the same fresh seeds.

    `lrlab plan` says beforehand what will be done. Runs are stored as they end, and those that
    train together end together: a command that was stopped goes on when it is repeated.
    """
    from lrlab.studies import Store, select_engine
    from lrlab.studies.statistics.time_to_target import check_target_score
    from lrlab.views.files import check_output
    from lrlab.views.study_plots import STUDY_PLOT_EXTENSIONS

    schedules = options.parse_schedules()
    engines, backend = options.resolve_engines_and_backend()
    problem = options.load_problem()
    check_target_score(options.target_score, problem.metric)
    plan = options.build_plan(problem, schedules)
    if options.output is not None:
        check_output(options.output, STUDY_PLOT_EXTENSIONS)
    print_preflight(problem, plan.grid, schedules, plan.schedules)
    with Store(options.db) as store:
        engine, reason = select_engine(plan, store, engines, backend)
        typer.echo(f"engine: {engine} ({reason})", err=True)
        plan = replace(plan, engine=engine)
        output = options.output or get_default_study_output(plan)
        study = run_study_with_progress(plan, store, backend, options.serialize_problem_options())
    present_study(study, options.target_score, output, options.db)


def run_study_with_progress(
    plan: "Plan", store: "Store", backend: "Backend", source: str | None
) -> "StudyResult":
    """The study, or the end of the command and how to go on where a person stops it."""
    from lrlab.cli.console import show_progress
    from lrlab.studies import run_study
    from lrlab.studies.execution.local import open_backend
    from lrlab.training.engines import keep_freed_memory

    keep_freed_memory()
    try:
        # What Ray or a training function prints meanwhile is no part of what was asked for.
        with redirect_stdout(sys.stderr), open_backend(backend):
            _print_cluster(backend)
            return run_study(plan, store, backend, show_progress, source)
    except KeyboardInterrupt:
        assert store.path is not None
        arguments = (
            f"{plan.id}{db_options.format_db_option(store.path)}{_format_cluster_options(backend)}"
        )
        typer.echo(
            f"stopped; what has ended is in {store.path}. To go on: lrlab resume {arguments}",
            err=True,
        )
        raise typer.Exit(130) from None


def _print_cluster(backend: "Backend") -> None:
    """Which cluster was joined: with no address, that of this machine may be somebody else's."""
    from lrlab.studies import RayCluster

    if isinstance(backend, RayCluster):
        from lrlab.studies.execution.ray import describe_cluster

        typer.echo(f"training on {describe_cluster()}", err=True)


def _format_cluster_options(backend: "Backend") -> str:
    """What ``lrlab resume`` needs to train on the same cluster."""
    from lrlab.studies import RayCluster

    if not isinstance(backend, RayCluster):
        return ""
    address = "" if backend.address is None else f" --address {backend.address}"
    return f" --engine ray{address}" + (
        f" --num-gpus {backend.gpus_per_run:g}" if backend.gpus_per_run else ""
    )


def present_study(study: "StudyResult", target_score: float | None, output: Path, db: Path) -> None:
    """Prints what came of a study and draws it."""
    from lrlab.views import study_plots
    from lrlab.views.study_table import format_report

    typer.echo(format_report(study, target_score))
    study_plots.save_study_plot(study, output)
    typer.echo(f"wrote {db}, {output} · study {study.plan.id}")


def get_default_study_output(plan: "Plan", folder: Path = Path()) -> Path:
    """Return the path of a study's plot where none is given, checked.

    The file is named after the study, so that repeating a command may replace it.
    """
    from lrlab.views.files import check_output
    from lrlab.views.study_plots import STUDY_PLOT_EXTENSIONS

    path = folder / f"{plan.problem.name}-{plan.id}.png"
    check_output(path, STUDY_PLOT_EXTENSIONS, force=True)
    return path
