"""``lrlab status``: show the progress of a study."""

from datetime import UTC, datetime

from lrlab.cli import db_options
from lrlab.cli.console import echo


def status(
    study: db_options.StudyArgument = None, db: db_options.DbOption = db_options.DEFAULT_DB
) -> None:
    """Show the progress of a study and the command to run next."""
    from lrlab.studies import StoreReader
    from lrlab.views.studies_table import format_study_status

    reader = StoreReader(db)
    study_summary = reader.find_study(study)
    runs_per_second = (
        None if study_summary.is_finished else reader.measure_runs_per_second(study_summary)
    )
    db_option = db_options.format_db_option(db)
    echo(format_study_status(study_summary, runs_per_second, datetime.now(UTC), db_option))
