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
    from lrlab.studies import Store, StoreReader

    reader = StoreReader(db)
    study_summary = reader.find_study(study)
    deleted_count = reader.count_unshared_runs(study_summary)
    shared_count = study_summary.ended_count - deleted_count
    shared_note = (
        f" (and keep {pluralize(shared_count, 'run')} that other studies use)"
        if shared_count
        else ""
    )
    description = (
        f"study {study_summary.id} ({study_summary.problem}) with "
        f"{pluralize(deleted_count, 'run')}{shared_note}"
    )
    if not yes:
        if not sys.stdin.isatty():
            raise StudyError(f"a script must confirm with --yes to delete {description}.")
        if not typer.confirm(f"Delete {description}?"):
            echo("nothing was deleted")
            return
    with Store(db) as store:
        deleted_count = store.delete_study(study_summary.id)
    echo(f"deleted study {study_summary.id} with {pluralize(deleted_count, 'run')}")
