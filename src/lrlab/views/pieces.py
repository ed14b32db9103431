"""Lines of text for a terminal, whose pieces say which schedule's colour they have."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrlab.views.colours import COLOURS

if TYPE_CHECKING:
    from rich.text import Text

MARKS = "123456789abcdefghijklmnopqrstuvwxyz"
"""What names each line on a chart, with colours and without."""


@dataclass(frozen=True)
class Piece:
    """A bit of text; ``line`` is the number of the line whose colour it has, ``dim`` steps back."""

    text: str
    line: int | None = None
    dim: bool = False


Row = tuple[Piece, ...]


def plain(rows: Iterable[Row]) -> str:
    """The rows without colours."""
    return "\n".join("".join(piece.text for piece in row).rstrip() for row in rows)


def wrapped(text: str, width: int, indent: int) -> list[Row]:
    """A note on lines of at most ``width`` characters."""
    space = " " * indent
    lines = textwrap.wrap(text, max(20, width), initial_indent=space, subsequent_indent=space)
    return [(Piece(line, dim=True),) for line in lines]


def coloured(rows: Iterable[Row]) -> "Text":
    """The rows as rich prints them: in colour where there is a terminal that has some."""
    from rich.text import Text

    lines = [Text.assemble(*((piece.text, _style(piece)) for piece in row)) for row in rows]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _style(piece: Piece) -> str:
    if piece.dim:
        return "dim"
    if piece.line is None:
        return ""
    colour = COLOURS[piece.line % len(COLOURS)]
    # Black is the text's own colour, which can be read on any background.
    return "bold" if colour == COLOURS[0] else f"bold {colour}"
