"""Printing rows of text: in colour on a terminal that has some, and plain everywhere else."""

import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrlab.views.pieces import Row


def show_rows(rows: "Callable[[int], Iterable[Row]]") -> None:
    """Prints what ``rows`` gives for the width of the terminal, or 80 where there is none."""
    from rich.console import Console

    from lrlab.views.pieces import coloured

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        _warn_of(sys.stdout.encoding)
    console = Console(highlight=False)
    console.print(coloured(rows(console.width)), soft_wrap=True)


def _warn_of(encoding: str) -> None:
    try:
        "⠿".encode(encoding)
    except UnicodeEncodeError:
        print(
            f"warning: the output's encoding, {encoding}, has no dots for a chart; "
            "PYTHONIOENCODING=utf-8 has.",
            file=sys.stderr,
        )
