"""``lrlab status``: how far a study is."""

from datetime import UTC, datetime

import typer

from lrlab.cli import stored


def status(study: stored.Study = None, db: stored.Database = stored.DEFAULT) -> None:
    """Show how far a study is, and what to do next."""
    from lrlab.studies import Catalog
    from lrlab.views import catalog as views

    catalog = Catalog(db)
    entry = catalog.find(study)
    pace = None if entry.finished else catalog.pace(entry)
    typer.echo(views.status(entry, pace, datetime.now(UTC), stored.db_option(db)))
