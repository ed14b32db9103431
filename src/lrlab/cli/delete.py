"""``lrlab delete``: a study and its runs, gone."""

import sys
from typing import Annotated

import typer

from lrlab.cli import db_options
from lrlab.errors import StudyError


def delete(
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY",
            help="The id of a study or its beginning, or the name of a problem that one study has.",
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    db: db_options.DbOption = db_options.DEFAULT_DB,
) -> None:
    """Delete a study and its runs, but those that another study has.

    Later runs fill the room that they leave in the file, which keeps its size.
    """
    from lrlab.studies import StoreReader
    from lrlab.views.text import format_run_count

    reader = StoreReader(db)
    study_summary = reader.find_study(study)
    deleted_count = reader.count_unshared_runs(study_summary)
    shared_count = study_summary.ended_count - deleted_count
    others = (
        f"; {format_run_count(shared_count)} that other studies have would stay"
        if shared_count
        else ""
    )
    description = f"study {study_summary.id} ({study_summary.problem}) with {format_run_count(deleted_count)}{others}"
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"nothing is deleted without --yes: that would be {description}.")
        if not typer.confirm(f"Delete {description}?"):
            typer.echo("nothing was deleted")
            return

    from lrlab.studies import Store

    with Store(db) as store:
        deleted = store.delete_study(study_summary.id)
    typer.echo(f"deleted study {study_summary.id} with {format_run_count(deleted)}")
