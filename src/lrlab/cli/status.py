"""``lrlab status``: show the progress of a study."""

from datetime import UTC, datetime

from lrlab.cli import db_options
from lrlab.cli.console import echo, print_json


def status(
    study: db_options.StudyArgument = None,
    db: db_options.DbOption = db_options.DEFAULT_DB,
    as_json: db_options.JsonOption = False,
) -> None:
    """Show the progress of a study and the command to run next."""
    from lrlab.lab import find_study, measure_runs_per_second
    from lrlab.views.studies_table import format_study_status

    summary = find_study(study, db)
    runs_per_second = None if summary.is_finished else measure_runs_per_second(summary, db)
    if as_json:
        speed = {
            "runs_per_second": runs_per_second,
            "seconds_left": summary.estimate_seconds_left(runs_per_second),
        }
        print_json(summary.to_dict() | speed)
        return
    db_option = db_options.format_db_option(db)
    echo(format_study_status(summary, runs_per_second, datetime.now(UTC), db_option))
