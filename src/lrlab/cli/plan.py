"""``lrlab plan``: show what ``lrlab compare`` would do, without training."""

from dataclasses import replace
from pathlib import Path

from lrlab.cli.console import echo
from lrlab.cli.preflight import print_preflight
from lrlab.cli.study_options import StudyOptions


def plan(options: StudyOptions) -> None:
    """Show the phases, runs, time and disk space of a study; `lrlab compare` runs it.

    Takes the options of `lrlab compare`, except --target-score, --output and --force.
    """
    from lrlab.studies import (
        Store,
        StoreReader,
        estimate_cost,
        plan_first_phase,
        select_engine,
    )
    from lrlab.views.plan_report import format_plan

    schedules = options.parse_schedules()
    engines, backend = options.resolve_engines_and_backend()
    plan = options.build_plan(options.load_problem(), schedules)
    print_preflight(plan.problem, plan.grid, schedules, plan.schedules)
    with Store(None) as empty_store:  # so that a database that does not exist is not created
        reader = StoreReader(options.db) if _has_content(options.db) else empty_store
        engine, reason = select_engine(plan, reader, engines, backend)
        plan = replace(plan, engine=engine)
        stored_run_count = len(reader.find_stored_runs(plan_first_phase(plan).runs))
    echo(f"engine: {engine} ({reason})", err=True)
    echo(format_plan(plan, estimate_cost(plan, backend.driver), stored_run_count))


def _has_content(db: Path) -> bool:
    return db.exists() and (not db.is_file() or db.stat().st_size > 0)
