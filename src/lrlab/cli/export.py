"""``lrlab export``: the runs of a study, or their epochs, as a file for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import db_options
from lrlab.errors import StudyError, format_suggestion

_TABLES = ("runs", "epochs")


def export(
    study: db_options.StudyArgument = None,
    csv: Annotated[Path | None, typer.Option(help="Write comma-separated values.")] = None,
    parquet: Annotated[Path | None, typer.Option(help="Write Parquet; needs pyarrow.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write a list of records.")] = None,
    table: Annotated[
        str,
        typer.Option(
            help="runs (a row for each that has ended) or epochs (a row for each of each)."
        ),
    ] = "runs",
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    db: db_options.DbOption = db_options.DEFAULT_DB,
) -> None:
    """Write the runs of a study to a file."""
    named = {"csv": csv, "parquet": parquet, "json": json}
    files = {kind: path for kind, path in named.items() if path is not None}
    if not files:
        raise StudyError("there is no file to write; name one with --csv, --parquet or --json.")
    if table not in _TABLES:
        hint = format_suggestion(table, _TABLES) or "."
        raise StudyError(f"--what must be runs or epochs, got {table}{hint}")

    from lrlab.studies import StoreReader

    reader = StoreReader(db)
    study_summary = reader.find_study(study)

    from lrlab.studies.store import frames
    from lrlab.views.files import check_output
    from lrlab.views.frame_files import save_frame

    for kind, path in files.items():
        check_output(path, [f".{kind}"], force)
    frame = (frames.read_runs if table == "runs" else frames.read_epochs)(reader, study_summary.id)
    for path in files.values():
        save_frame(frame, path)
        typer.echo(f"wrote {path}: {len(frame)} rows, {len(frame.columns)} columns")
