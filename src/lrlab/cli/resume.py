"""``lrlab resume``: a study that was stopped, carried on."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options, reading, stored
from lrlab.cli.compare import carried_out, picture_for, show
from lrlab.cli.introduction import introduce
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Entry, Plan


def resume(
    study: stored.Study = None,
    db: stored.Database = stored.DEFAULT,
    goal: options.Goal = None,
    png: options.Picture = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="[auto|ray]",
            help="ray: on a Ray cluster; else on this machine. What trains is as it was begun.",
        ),
    ] = "auto",
    workers: options.Workers = None,
    address: options.Address = None,
    gpus: options.Gpus = 0.0,
) -> None:
    """Go on with a study where it was stopped; one that has ended is shown again."""
    from lrlab.studies import Catalog, Store, place_of
    from lrlab.studies.settling import AUTO
    from lrlab.studies.statistics.reaching import refuse_goal

    kind, place = place_of(engine, workers, None, address, gpus)
    if kind != AUTO:
        raise StudyError(f"a study keeps its engine, got --engine {engine}; use auto or ray.")
    entry = Catalog(db).find(study)
    db, here = db.absolute(), Path.cwd()
    plan = _plan_of(entry)
    refuse_goal(goal, plan.problem.metric)
    picture = picture_for(plan.problem, png, here)
    introduce(plan.problem, plan.grid, [])
    with Store(db) as store:
        done = carried_out(plan, store, place, entry.source)
    show(done, goal, picture, db)


def _plan_of(entry: "Entry") -> "Plan":
    """The plan of a stored study, in whose folder the command goes on."""
    from lrlab.studies import Plan
    from lrlab.training.engines import Engine

    if entry.source is None:
        raise StudyError(
            f"study {entry.id} was begun in Python, where its problem is; run that script again, "
            "which goes on where it was."
        )
    try:
        source, described = json.loads(entry.source), json.loads(entry.plan)
        folder = source.pop("folder")
    except (ValueError, KeyError):
        raise StudyError(
            f"what was asked for by study {entry.id} cannot be read, the database is damaged; put "
            "a copy of it in its place."
        ) from None
    try:
        os.chdir(folder)  # files are named as they were, those of a script of the user's too
    except OSError as error:
        raise StudyError(
            f"study {entry.id} was begun in {folder}, which cannot be entered: {error.strerror}; "
            "put its data there again."
        ) from None
    problem = reading.problem_of(**source)
    plan = Plan.read(described, problem, Engine.read(entry.engine))
    if plan.id != entry.id:
        raise StudyError(
            f"{source['data']} is not what study {entry.id} was begun with: its content has "
            "changed; put it back, or begin a new study with lrlab compare."
        )
    return plan
