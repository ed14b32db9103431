"""``lrlab studies``: list the studies of a database."""

from lrlab.cli import db_options
from lrlab.cli.console import echo, print_json


def studies(
    db: db_options.DbOption = db_options.DEFAULT_DB, as_json: db_options.JsonOption = False
) -> None:
    """List the studies of a database."""
    from lrlab.lab import list_studies
    from lrlab.views.studies_table import format_studies

    summaries = list_studies(db)
    if as_json:
        print_json([summary.to_dict() for summary in summaries])
    elif summaries:
        db_option = db_options.format_db_option(db)
        echo(
            f"{format_studies(summaries)}\n\n"
            f"To see a study in detail: lrlab status {summaries[-1].id}{db_option}"
        )
    else:
        echo(f"{db} has no studies yet; `lrlab compare` starts one")
