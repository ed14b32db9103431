"""Printing rows of text: in colour on a terminal that has some, and plain everywhere else."""

import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lrlab.views.pieces import StyledLine


def print_lines(render: "Callable[[int], Iterable[StyledLine]]") -> None:
    """Prints what ``render`` gives for the width of the terminal, or 80 where there is none."""
    from rich.console import Console

    from lrlab.views.pieces import to_rich_text

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        _warn_about_encoding(sys.stdout.encoding)
    console = Console(highlight=False)
    console.print(to_rich_text(render(console.width)), soft_wrap=True)


def _warn_about_encoding(encoding: str) -> None:
    try:
        "⠿".encode(encoding)
    except UnicodeEncodeError:
        print(
            f"warning: the output's encoding, {encoding}, has no dots for a chart; "
            "PYTHONIOENCODING=utf-8 has.",
            file=sys.stderr,
        )
