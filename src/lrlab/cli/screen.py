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
        sys.stdout.reconfigure(errors="replace")  # not every encoding has the dots of a chart
    console = Console(highlight=False)
    console.print(coloured(rows(console.width)), soft_wrap=True)
