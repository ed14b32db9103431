"""``lrlab studies``: list the studies of a database."""

import typer

from lrlab.cli import db_options


def studies(db: db_options.DbOption = db_options.DEFAULT_DB) -> None:
    """List the studies of a database."""
    from lrlab.studies import StoreReader
    from lrlab.views.studies_table import format_studies

    reader = StoreReader(db)
    study_summaries = reader.list_studies()
    if study_summaries:
        db_option = db_options.format_db_option(db)
        typer.echo(
            f"{format_studies(study_summaries)}\n\n"
            f"To see one in detail: lrlab status {study_summaries[-1].id}{db_option}"
        )
    else:
        typer.echo(f"{db} has no studies yet; `lrlab compare` starts one")
    if run_count := reader.count_runs_without_study():
        typer.echo(f"{db} has runs that belong to no study ({run_count}); a study can reuse them")
