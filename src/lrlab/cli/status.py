"""``lrlab status``: how far a study is."""

from datetime import UTC, datetime

import typer

from lrlab.cli import db_options


def status(
    study: db_options.StudyArgument = None, db: db_options.DbOption = db_options.DEFAULT_DB
) -> None:
    """Show how far a study is, and what to do next."""
    from lrlab.studies import StoreReader
    from lrlab.views import studies_table as views

    reader = StoreReader(db)
    study_summary = reader.find_study(study)
    runs_per_second = (
        None if study_summary.is_finished else reader.measure_runs_per_second(study_summary)
    )
    typer.echo(
        views.format_study_status(
            study_summary, runs_per_second, datetime.now(UTC), db_options.format_db_option(db)
        )
    )
