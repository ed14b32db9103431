"""``lrlab studies``: what is stored, a line for each study."""

import typer

from lrlab.cli import db_options


def studies(db: db_options.DbOption = db_options.DEFAULT_DB) -> None:
    """List the studies in a database."""
    from lrlab.studies import StoreReader
    from lrlab.views.studies_table import format_studies

    reader = StoreReader(db)
    study_summaries = reader.list_studies()
    if study_summaries:
        db_option = db_options.format_db_option(db)
        typer.echo(
            f"{format_studies(study_summaries)}\n\nmore of one: lrlab status {study_summaries[-1].id}{db_option}"
        )
    else:
        typer.echo(f"no study in {db} yet; `lrlab compare` begins one")
    if run_count := reader.count_runs_without_study():
        typer.echo(
            f"{db} has runs of no study ({run_count}), as those of an older lrlab; a study that needs "
            "them takes them"
        )
