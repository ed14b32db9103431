"""``lrlab status``: how far a study is."""

from datetime import UTC, datetime

import typer

from lrlab.cli import stored


def status(study: stored.StudyArgument = None, db: stored.DbOption = stored.DEFAULT_DB) -> None:
    """Show how far a study is, and what to do next."""
    from lrlab.studies import StoreReader
    from lrlab.views import catalog as views

    reader = StoreReader(db)
    study_summary = reader.find_study(study)
    runs_per_second = None if study_summary.is_finished else reader.measure_runs_per_second(study_summary)
    typer.echo(views.format_study_status(study_summary, runs_per_second, datetime.now(UTC), stored.format_db_option(db)))
