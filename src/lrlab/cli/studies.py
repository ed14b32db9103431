"""``lrlab studies``: what is stored, a line for each study."""

import typer

from lrlab.cli import stored


def studies(db: stored.Database = stored.DEFAULT) -> None:
    """List the studies in a database."""
    from lrlab.studies import Catalog
    from lrlab.views.catalog import listing

    catalog = Catalog(db)
    entries = catalog.studies()
    if entries:
        hint = stored.db_option(db)
        typer.echo(f"{listing(entries)}\n\nmore of one: lrlab status {entries[-1].id}{hint}")
    else:
        typer.echo(f"no study in {db} yet; `lrlab compare` begins one")
    if others := catalog.without_study():
        typer.echo(
            f"{db} has runs of no study ({others}), as those of an older lrlab; a study that needs "
            "them takes them"
        )
