"""Text that several views use: durations, times, counts, notes and tables."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

_TIME_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_UNLIMITED_WIDTH = 10_000


def format_duration(seconds: float) -> str:
    """Return a duration with about two digits.

    >>> [format_duration(s) for s in (0.2, 59.6, 100, 600, 5400, 200_000)]
    ['< 1 s', '60 s', '1.7 min', '10 min', '1.5 h', '2.3 d']
    """
    for unit, size in _TIME_UNITS:
        if seconds >= size:
            count = seconds / size
            return f"{count:.0f} {unit}" if count >= 10 or size == 1 else f"{count:.2g} {unit}"
    return "< 1 s"


def format_timestamp(timestamp: datetime) -> str:
    """Return date and time in the time zone of this machine."""
    return f"{timestamp.astimezone():%Y-%m-%d %H:%M}"


def format_paired_seeds(count: int) -> str:
    """Return ``1 seed`` or ``30 paired seeds``."""
    return "1 seed" if count == 1 else f"{count} paired seeds"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        heading: one line or several; short headings stand at the bottom.
        cells: one for each row.
        justify: how heading and cells are aligned.
    """

    heading: str
    cells: Sequence[str | Text]
    justify: Literal["left", "right"] = "right"


def render_columns(columns: Sequence[Column], gap: int = 2) -> list[Text]:
    """Return the lines of a table, headings first: no cell is wrapped, no line ends in spaces.

    Args:
        columns: from left to right.
        gap: spaces left of each column.
    """
    has_heading = any(column.heading for column in columns)
    table = Table(box=None, padding=(0, 0, 0, gap), header_style="dim", show_header=has_heading)
    for column in columns:
        table.add_column(Text(column.heading), justify=column.justify, no_wrap=True)
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    # The console lays out the table and prints nothing.
    console = Console(width=_UNLIMITED_WIDTH, color_system=None, force_terminal=False)
    lines = [
        Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        for segments in console.render_lines(table, pad=False)
    ]
    for line in lines:
        line.rstrip()
    return lines


def format_columns(columns: Sequence[Column], gap: int = 2) -> str:
    """Return a table as plain text; see ``render_columns``."""
    return "\n".join(line.plain for line in render_columns(columns, gap))


def wrap_note(text: str, width: int, indent: int = 0) -> list[Text]:
    """Return a note in dim lines of at most ``width`` characters."""
    space = " " * indent
    lines = textwrap.wrap(text, max(20, width), initial_indent=space, subsequent_indent=space)
    return [Text(line, style="dim") for line in lines]
