"""The argument STUDY and the option --db, which find a stored study."""

from pathlib import Path
from typing import Annotated

import typer

from lrlab.views import hints

DEFAULT_DB = Path(hints.DEFAULT_DB)

STUDY_HELP = "Id of a study, the first characters of its id, or its problem's name."

DbOption = Annotated[Path, typer.Option(metavar="FILE", help="Database of studies and runs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
StudyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="STUDY",
        help=STUDY_HELP,
        show_default="the only study in the database",
    ),
]


def format_db_option(db: Path) -> str:
    """Return the option with which another command finds the same database.

    >>> format_db_option(Path("my studies.db")), format_db_option(DEFAULT_DB)
    (" --db 'my studies.db'", '')
    """
    import shlex

    return "" if db == DEFAULT_DB else f" --db {shlex.quote(str(db))}"
