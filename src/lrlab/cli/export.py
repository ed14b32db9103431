"""``lrlab export``: write the runs or epochs of a study to a file for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.cli import db_options
from lrlab.cli.console import echo
from lrlab.errors import StudyError, format_suggestion

_TABLES = ("runs", "epochs")


def export(
    output: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE",
            help="File to write: .csv, .parquet (needs pyarrow) or .json; repeat the option for "
            "several.",
        ),
    ],
    study: db_options.StudyArgument = None,
    table: Annotated[
        str,
        typer.Option(
            metavar="runs|epochs",
            help="Write one row per run, or one row per epoch of each run.",
        ),
    ] = "runs",
    force: Annotated[
        bool, typer.Option("--force", help="Replace existing --output files.")
    ] = False,
    db: db_options.DbOption = db_options.DEFAULT_DB,
) -> None:
    """Write the finished runs of a study to a file."""
    if table not in _TABLES:
        hint = format_suggestion(table, _TABLES) or "."
        raise StudyError(f"--table must be runs or epochs, got {table}{hint}")

    from lrlab.views.files import check_output
    from lrlab.views.frame_files import FRAME_WRITERS, save_frame

    for path in output:
        check_output(path, FRAME_WRITERS, force)

    from lrlab.lab import read_epochs, read_runs

    frame = read_runs(study, db) if table == "runs" else read_epochs(study, db)
    for path in output:
        save_frame(frame, path)
        echo(f"wrote {path}: {len(frame)} rows, {len(frame.columns)} columns")
