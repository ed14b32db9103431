"""``lrlab resume``: continue a stopped study with the options and runs in the database."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import db_options, study_options
from lrlab.cli.import_option import ImportOption
from lrlab.cli.preflight import print_preflight
from lrlab.cli.run_study import (
    check_plot_output,
    get_default_plot_output,
    present_study,
    run_study_with_progress,
)
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Plan, StudySummary


def resume(
    study: db_options.StudyArgument = None,
    db: db_options.DbOption = db_options.DEFAULT_DB,
    imports: ImportOption = None,
    target_score: study_options.TargetScoreOption = None,
    output: study_options.PlotOutputOption = None,
    force: study_options.ForceOption = False,
    engine: Annotated[
        str,
        typer.Option(
            metavar="auto|ray",
            help="auto trains on this machine, ray on a Ray cluster; the study keeps its loop or "
            "ensemble.",
        ),
    ] = "auto",
    workers: study_options.WorkersOption = None,
    address: study_options.AddressOption = None,
    gpus_per_run: study_options.GpusPerRunOption = 0.0,
) -> None:
    """Continue a stopped study, or show the report of a finished one."""
    from lrlab.lab import resolve_backend
    from lrlab.studies import Store, StoreReader
    from lrlab.studies.execution.engine_selection import AUTO_ENGINE
    from lrlab.studies.statistics.time_to_target import check_target_score

    engine_choice, backend = resolve_backend(engine, workers, None, address, gpus_per_run)
    if engine_choice != AUTO_ENGINE:
        raise StudyError(f"--engine must be auto or ray, got {engine}: a study keeps its engine.")
    study_summary = StoreReader(db).find_study(study)
    # _load_plan changes the current folder; the command's own paths stay relative to this one.
    db, folder = db.absolute(), Path.cwd()
    plan = _load_plan(study_summary)
    check_target_score(target_score, is_fraction=plan.problem.metric.percent)
    if output is None:
        output = get_default_plot_output(plan, folder)
    else:
        output = folder / output
        check_plot_output(output, force)
    print_preflight(plan.problem, plan.grid, [])
    with Store(db) as store:
        result = run_study_with_progress(plan, store, backend, study_summary.source)
    present_study(result, target_score, output, db)


def _load_plan(study_summary: "StudySummary") -> "Plan":
    """Load the plan and the problem of a stored study; change to the folder it was started in."""
    from lrlab.studies import Plan
    from lrlab.training.engines import Engine

    if study_summary.source is None:
        raise StudyError(
            f"study {study_summary.id} was started from Python; run that script again to continue "
            "it."
        )
    try:
        problem_options = json.loads(study_summary.source)
        plan_data = json.loads(study_summary.plan)
        folder = problem_options.pop("folder")
    except (ValueError, KeyError):
        raise StudyError(
            f"the options of study {study_summary.id} cannot be read, the database is damaged; "
            "restore it from a copy."
        ) from None
    try:
        os.chdir(folder)  # paths of data, and those in a script of the user, are relative to it
    except OSError as error:
        raise StudyError(
            f"study {study_summary.id} was started in {folder}, which cannot be opened "
            f"({error.strerror}); restore that folder and its data."
        ) from None
    problem = study_options.load_problem_from_options(**problem_options)
    plan = Plan.from_dict(plan_data, problem, Engine.from_text(study_summary.engine))
    if plan.id != study_summary.id:
        stored_fingerprints = plan_data.get("classes", {})
        changed_classes = [
            name
            for name, fingerprint in plan.class_fingerprints.items()
            if fingerprint != stored_fingerprints.get(name)
        ]
        raise StudyError(
            f"{' and '.join(changed_classes) or problem_options['data']} has changed since study "
            f"{study_summary.id} was started; restore it, or start a new study with lrlab compare."
        )
    return plan
