"""``lrlab delete``: a study and its runs, gone."""

import sys
from typing import Annotated

import typer

from lrlab.cli import stored
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
    db: stored.Database = stored.DEFAULT,
) -> None:
    """Delete a study and its runs, but those that another study has.

    Later runs fill the room that they leave in the file, which keeps its size.
    """
    from lrlab.studies import Catalog
    from lrlab.views.catalog import runs_of

    catalog = Catalog(db)
    entry = catalog.find(study)
    going = catalog.of_no_other(entry)
    kept = entry.ended - going
    others = f"; {runs_of(kept)} that other studies have would stay" if kept else ""
    what = f"study {entry.id} ({entry.problem}) with {runs_of(going)}{others}"
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"nothing is deleted without --yes: that would be {what}.")
        if not typer.confirm(f"Delete {what}?"):
            typer.echo("nothing was deleted")
            return

    from lrlab.studies import Store

    with Store(db) as store:
        deleted = store.delete(entry.id)
    typer.echo(f"deleted study {entry.id} with {runs_of(deleted)}")
