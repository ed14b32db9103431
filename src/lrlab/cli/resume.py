"""``lrlab resume``: a study that was stopped, carried on."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import db_options, parsing, study_options
from lrlab.cli.compare import get_default_study_output, present_study, run_study_with_progress
from lrlab.cli.preflight import print_preflight
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Plan, StudySummary


def resume(
    study: db_options.StudyArgument = None,
    db: db_options.DbOption = db_options.DEFAULT_DB,
    target_score: study_options.TargetScoreOption = None,
    output: study_options.PlotOutputOption = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="[auto|ray]",
            help="ray: on a Ray cluster; else on this machine. What trains is as it was begun.",
        ),
    ] = "auto",
    workers: study_options.WorkersOption = None,
    address: study_options.AddressOption = None,
    gpus_per_run: study_options.GpusPerRunOption = 0.0,
) -> None:
    """Go on with a study where it was stopped; one that has ended is shown again."""
    from lrlab.lab import resolve_backend
    from lrlab.studies import Store, StoreReader
    from lrlab.studies.execution.engine_selection import AUTO_ENGINE
    from lrlab.studies.statistics.time_to_target import check_target_score
    from lrlab.views.files import check_output
    from lrlab.views.study_plots import STUDY_PLOT_EXTENSIONS

    engine_choice, backend = resolve_backend(engine, workers, None, address, gpus_per_run)
    if engine_choice != AUTO_ENGINE:
        raise StudyError(f"a study keeps its engine, got --engine {engine}; use auto or ray.")
    study_summary = StoreReader(db).find_study(study)
    db, start_folder = db.absolute(), Path.cwd()
    plan = _load_plan(study_summary)
    check_target_score(target_score, plan.problem.metric)
    if output is None:
        output_path = get_default_study_output(plan, start_folder)
    else:
        output_path = start_folder / output
        check_output(output_path, STUDY_PLOT_EXTENSIONS)
    print_preflight(plan.problem, plan.grid, [])
    with Store(db) as store:
        result = run_study_with_progress(plan, store, backend, study_summary.source)
    present_study(result, target_score, output_path, db)


def _load_plan(study_summary: "StudySummary") -> "Plan":
    """The plan of a stored study, in whose folder the command goes on."""
    from lrlab.studies import Plan
    from lrlab.training.engines import Engine

    if study_summary.source is None:
        raise StudyError(
            f"study {study_summary.id} was begun in Python, where its problem is; run that script again, "
            "which goes on where it was."
        )
    try:
        problem_options, plan_data = (
            json.loads(study_summary.source),
            json.loads(study_summary.plan),
        )
        folder = problem_options.pop("folder")
    except (ValueError, KeyError):
        raise StudyError(
            f"what was asked for by study {study_summary.id} cannot be read, the database is damaged; put "
            "a copy of it in its place."
        ) from None
    try:
        os.chdir(folder)  # files are named as they were, those of a script of the user's too
    except OSError as error:
        raise StudyError(
            f"study {study_summary.id} was begun in {folder}, which cannot be entered: {error.strerror}; "
            "put its data there again."
        ) from None
    problem = parsing.load_problem_from_options(**problem_options)
    plan = Plan.from_dict(plan_data, problem, Engine.from_text(study_summary.engine))
    if plan.id != study_summary.id:
        raise StudyError(
            f"{problem_options['data']} is not what study {study_summary.id} was begun with: its content has "
            "changed; put it back, or begin a new study with lrlab compare."
        )
    return plan
