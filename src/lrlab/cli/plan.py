"""``lrlab plan``: what ``lrlab compare`` would do, before it does it."""

from dataclasses import replace
from pathlib import Path

import typer

from lrlab.cli.asked import Asked
from lrlab.cli.introduction import introduce


def plan(asked: Asked) -> None:
    """Print what `lrlab compare` would do with the same words: runs, phases, time and disk."""
    from lrlab.studies import Catalog, Machine, Store, estimate, first, settle
    from lrlab.views.forecast import forecast

    schedules = asked.schedules()
    engines, place = asked.engines()
    plan = asked.plan(asked.problem(), schedules)
    introduce(plan.problem, plan.grid, schedules, plan.schedules)
    with Store(None) as nothing:  # a file that is not there is not made
        kept = Catalog(asked.db) if _has_something(asked.db) else nothing
        engine, why = settle(plan, kept, engines, place)
        settled = replace(plan, engine=engine)
        known = len(kept.known(first(settled).runs))
    typer.echo(f"engine: {engine} ({why})", err=True)
    machine = place if isinstance(place, Machine) else Machine()
    typer.echo(forecast(settled, estimate(settled, machine), known))


def _has_something(db: Path) -> bool:
    return db.exists() and (not db.is_file() or db.stat().st_size > 0)
