"""``lrlab resume``: a study that was stopped, carried on."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrlab.cli import options, reading
from lrlab.cli.compare import carried_out, picture_for, show
from lrlab.cli.introduction import introduce
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.studies import Entry, Plan


def resume(
    study: options.StudyName = None,
    db: options.Database = Path("lrlab.db"),
    goal: options.Goal = None,
    png: options.Picture = None,
    memory: options.Memory = None,
    workers: options.Workers = None,
    ray: Annotated[bool, typer.Option("--ray", help="Train on a Ray cluster.")] = False,
    address: options.Address = None,
    gpus: options.Gpus = 0.0,
) -> None:
    """Go on with a study where it was stopped; one that has ended is shown again."""
    from lrlab.studies import Catalog, Store, place_of
    from lrlab.studies.statistics.reaching import refuse_goal

    refuse_goal(goal)
    _, place = place_of("ray" if ray else "auto", workers, reading.bytes_of(memory), address, gpus)
    entry = Catalog(db).find(study)
    db, here = db.absolute(), Path.cwd()
    plan = _plan_of(entry)
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
    source = json.loads(entry.source)
    folder = source.pop("folder")
    try:
        os.chdir(folder)  # files are named as they were, those of a script of the user's too
    except OSError as error:
        raise StudyError(
            f"study {entry.id} was begun in {folder}, which cannot be entered: {error.strerror}; "
            "put its data there again."
        ) from None
    problem = reading.problem_of(**source)
    plan = Plan.read(json.loads(entry.plan), problem, Engine.read(entry.engine))
    if plan.id != entry.id:
        raise StudyError(
            f"{source['data']} is not what study {entry.id} was begun with: its content has "
            "changed; put it back, or begin a new study with lrlab compare."
        )
    return plan
