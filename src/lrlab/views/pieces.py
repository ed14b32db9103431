"""Lines of text for a terminal, whose pieces say which schedule's colour they have."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lrlab.views.colors import COLORS

if TYPE_CHECKING:
    from rich.text import Text

MARKS = "123456789abcdefghijklmnopqrstuvwxyz"
"""What names each line on a chart, with colours and without."""


@dataclass(frozen=True)
class StyledText:
    """A bit of text; ``line_index`` is the number of the line whose colour it has, ``dim`` steps back."""

    text: str
    line_index: int | None = None
    dim: bool = False


StyledLine = tuple[StyledText, ...]


def to_plain_text(rows: Iterable[StyledLine]) -> str:
    """The rows without colours."""
    return "\n".join("".join(piece.text for piece in row).rstrip() for row in rows)


def wrap_note(text: str, width: int, indent: int) -> list[StyledLine]:
    """A note on lines of at most ``width`` characters."""
    space = " " * indent
    lines = textwrap.wrap(text, max(20, width), initial_indent=space, subsequent_indent=space)
    return [(StyledText(line, dim=True),) for line in lines]


def to_rich_text(rows: Iterable[StyledLine]) -> "Text":
    """The rows as rich prints them: in colour where there is a terminal that has some."""
    from rich.text import Text

    lines = [
        Text.assemble(*((piece.text, _get_rich_style(piece)) for piece in row)) for row in rows
    ]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)


def _get_rich_style(piece: StyledText) -> str:
    if piece.dim:
        return "dim"
    if piece.line_index is None:
        return ""
    color = COLORS[piece.line_index % len(COLORS)]
    # Black is the text's own colour, which can be read on any background.
    return "bold" if color == COLORS[0] else f"bold {color}"
