"""``lrlab plan``: what ``lrlab compare`` would do, before it does it."""

from dataclasses import replace

import typer

from lrlab.cli.asked import Asked
from lrlab.cli.introduction import introduce


def plan(asked: Asked) -> None:
    """Print what `lrlab compare` would do with the same words: runs, phases, time and disk."""
    from lrlab.studies import Machine, Store, estimate, first, settle
    from lrlab.views.forecast import forecast

    schedules = asked.schedules()
    engines, place = asked.engines()
    plan = asked.plan(asked.problem(), schedules)
    introduce(plan.problem, plan.grid, schedules)
    # A file that is not there is not made: nothing is begun.
    with Store(asked.db if asked.db.exists() else None) as store:
        engine, why = settle(plan, store, engines, place)
        settled = replace(plan, engine=engine)
        known = len(store.known(first(settled).runs))
    typer.echo(f"engine: {engine} ({why})", err=True)
    machine = place if isinstance(place, Machine) else Machine()
    typer.echo(forecast(settled, estimate(settled, machine), known))
