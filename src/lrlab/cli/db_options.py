"""The options of commands that look at what is stored, and the hint of where that is."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DB = Path("lrlab.db")

DbOption = Annotated[Path, typer.Option("--db", help="Where studies are stored.")]
StudyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[STUDY]",
        help="The id of a study or its beginning, or the name of a problem that one study has; may "
        "be left out where there is only one.",
    ),
]


def format_db_option(db: Path) -> str:
    """What a command needs to find the same database: nothing, where it is the default.

    >>> format_db_option(Path("my studies.db")), format_db_option(DEFAULT_DB)
    (" --db 'my studies.db'", '')
    """
    import shlex

    return "" if db == DEFAULT_DB else f" --db {shlex.quote(str(db))}"
