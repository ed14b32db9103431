"""``lrlab delete``: delete a study and its runs."""

import sys
from typing import Annotated

import typer

from lrlab.cli import db_options
from lrlab.cli.console import echo
from lrlab.errors import StudyError, pluralize


def delete(
    study: Annotated[str, typer.Argument(metavar="STUDY", help=db_options.STUDY_HELP)],
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    db: db_options.DbOption = db_options.DEFAULT_DB,
) -> None:
    """Delete a study and its runs, except runs that other studies use.

    The database file keeps its size; later runs reuse the space.
    """
    from lrlab.lab import delete_study, preview_deletion

    deletion = preview_deletion(study, db)
    shared_note = (
        f" (and keep {pluralize(deletion.kept_count, 'run')} that other studies use)"
        if deletion.kept_count
        else ""
    )
    description = (
        f"study {deletion.study.id} ({deletion.study.problem}) with "
        f"{pluralize(deletion.deleted_count, 'run')}{shared_note}"
    )
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"a script must confirm with --yes to delete {description}.")
        if not typer.confirm(f"Delete {description}?"):
            echo("nothing was deleted")
            return
    deletion = delete_study(deletion.study.id, db)
    echo(f"deleted study {deletion.study.id} with {pluralize(deletion.deleted_count, 'run')}")
