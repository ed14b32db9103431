"""Printing styled lines to the console."""

import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def print_lines(render: "Callable[[int], Iterable[Text]]") -> None:
    """Print the lines that ``render`` returns for the width of the terminal, or 80 without one."""
    from rich.console import Console
    from rich.text import Text

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
        _warn_about_encoding(sys.stdout.encoding)
    console = Console(highlight=False)
    console.print(Text("\n").join(render(console.width)), soft_wrap=True)


def _warn_about_encoding(encoding: str) -> None:
    try:
        "⠿".encode(encoding)
    except UnicodeEncodeError:
        print(
            f"warning: the output encoding {encoding} has no characters for charts; set "
            "PYTHONIOENCODING=utf-8.",
            file=sys.stderr,
        )
