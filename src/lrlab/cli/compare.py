"""``lrlab compare``: every schedule at its best, over the same fresh seeds, with verdicts."""

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from lrlab.cli import stored
from lrlab.cli.asked import Asked
from lrlab.cli.introduction import introduce
from lrlab.errors import StudyError

if TYPE_CHECKING:
    from lrlab.problems import AnyProblem
    from lrlab.studies import Plan, Store, Study
    from lrlab.studies.places import Place


def compare(asked: Asked) -> None:
    """Find out which schedule is best: each tuned alike, then scored over the same fresh seeds.

    `lrlab plan` says beforehand what will be done. Runs are stored as they end, and those that
    train together end together: a command that was stopped goes on when it is repeated.
    """
    from lrlab.studies import Store, settle
    from lrlab.studies.statistics.reaching import refuse_goal

    schedules = asked.schedules()
    engines, place = asked.engines()
    problem = asked.problem()
    refuse_goal(asked.goal, problem.metric)
    plan = asked.plan(problem, schedules)
    picture = picture_for(problem, asked.png)
    introduce(problem, plan.grid, schedules, plan.schedules)
    with Store(asked.db) as store:
        engine, why = settle(plan, store, engines, place)
        typer.echo(f"engine: {engine} ({why})", err=True)
        study = carried_out(replace(plan, engine=engine), store, place, asked.source())
    show(study, asked.goal, picture, asked.db)


def carried_out(plan: "Plan", store: "Store", place: "Place", source: str | None) -> "Study":
    """The study, or the end of the command and how to go on where a person stops it."""
    from lrlab.cli.progress import progress
    from lrlab.studies import carry_out
    from lrlab.studies.execution import held
    from lrlab.training.threads import keep_memory

    keep_memory()
    try:
        # What Ray or a training function prints meanwhile is no part of what was asked for.
        with redirect_stdout(sys.stderr), held(place):
            _say_where(place)
            return carry_out(plan, store, place, progress, source)
    except KeyboardInterrupt:
        assert store.path is not None
        words = f"{plan.id}{stored.db_option(store.path)}{_cluster_option(place)}"
        typer.echo(
            f"stopped; what has ended is in {store.path}. To go on: lrlab resume {words}", err=True
        )
        raise typer.Exit(130) from None


def _say_where(place: "Place") -> None:
    """Which cluster was joined: with no address, that of this machine may be somebody else's."""
    from lrlab.studies import Cluster

    if isinstance(place, Cluster):
        from lrlab.studies.nodes import whereabouts

        typer.echo(f"training on {whereabouts()}", err=True)


def _cluster_option(place: "Place") -> str:
    """What ``lrlab resume`` needs to train on the same cluster."""
    from lrlab.studies import Cluster

    if not isinstance(place, Cluster):
        return ""
    address = "" if place.address is None else f" --address {place.address}"
    return f" --engine ray{address}" + (f" --num-gpus {place.gpus:g}" if place.gpus else "")


def show(study: "Study", goal: float | None, picture: Path, db: Path) -> None:
    """Prints what came of a study and draws it."""
    from lrlab.views import curves
    from lrlab.views.report import report

    typer.echo(report(study, goal))
    curves.save(study, picture)
    typer.echo(f"wrote {db}, {picture} · study {study.plan.id}")


def picture_for(problem: "AnyProblem", png: Path | None, folder: Path = Path()) -> Path:
    """Where the picture goes; only a picture may be written over, never a table or a database.

    Args:
        problem: that it is named after where nobody says.
        png: what it is named otherwise.
        folder: where a name is looked up.
    """
    picture = folder / (png or f"{problem.name}.png")
    if not picture.parent.is_dir() or picture.is_dir():
        raise StudyError(f"{picture} cannot be written: name a file in a folder that is there.")
    if picture.suffix.lower() != ".png":
        raise StudyError(f"the picture is a PNG: name it {picture.stem or 'picture'}.png.")
    if picture.is_file() and picture.read_bytes()[:4] != b"\x89PNG":
        raise StudyError(f"{picture} is there and is no picture; name another file with --png.")
    return picture
