"""``lrlab plan``: what ``lrlab compare`` would do, before it does it."""

from dataclasses import replace
from pathlib import Path

import typer

from lrlab.cli.preflight import print_preflight
from lrlab.cli.study_options import StudyOptions


def plan(options: StudyOptions) -> None:
    """Print what `lrlab compare` would do with the same words: runs, phases, time and disk."""
    from lrlab.studies import (
        Machine,
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
    with Store(None) as empty_store:  # a file that is not there is not made
        reader = StoreReader(options.db) if _has_content(options.db) else empty_store
        engine, reason = select_engine(plan, reader, engines, backend)
        plan_with_engine = replace(plan, engine=engine)
        stored_run_count = len(reader.find_stored_runs(plan_first_phase(plan_with_engine).runs))
    typer.echo(f"engine: {engine} ({reason})", err=True)
    machine = backend if isinstance(backend, Machine) else Machine()
    typer.echo(
        format_plan(plan_with_engine, estimate_cost(plan_with_engine, machine), stored_run_count)
    )


def _has_content(db: Path) -> bool:
    return db.exists() and (not db.is_file() or db.stat().st_size > 0)
