"""``lrlab export``: the runs of a study, or their epochs, as a file for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import stored
from lrlab.errors import StudyError, did_you_mean

_WHAT = ("runs", "epochs")


def export(
    study: stored.Study = None,
    csv: Annotated[Path | None, typer.Option(help="Write comma-separated values.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write Parquet; needs pyarrow.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write a list of records.")] = None,
    what: Annotated[
        str,
        typer.Option(
            help="runs (a row for each that has ended) or epochs (a row for each of each)."
        ),
    ] = "runs",
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    db: stored.Database = stored.DEFAULT,
) -> None:
    """Write the runs of a study to a file."""
    named = {"csv": csv, "parquet": parquet, "json": json}
    files = {kind: path for kind, path in named.items() if path is not None}
    if not files:
        raise StudyError("there is no file to write; name one with --csv, --parquet or --json.")
    if what not in _WHAT:
        hint = did_you_mean(what, _WHAT) or "."
        raise StudyError(f"--what must be runs or epochs, got {what}{hint}")

    from lrlab.studies import Catalog

    catalog = Catalog(db)
    entry = catalog.find(study)

    from lrlab.studies import frames
    from lrlab.views.export import check, save

    for kind, path in files.items():
        check(path, kind, force)
    frame = (frames.runs if what == "runs" else frames.epochs)(catalog, entry.id)
    for kind, path in files.items():
        save(frame, path, kind)
        typer.echo(f"wrote {path}: {len(frame)} rows, {len(frame.columns)} columns")
