"""What `lrlab show` prints: the chart of schedules, their legend, and their numbers."""

import textwrap
from collections.abc import Iterator

from rich.text import Text

from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import Line, Preview
from lrlab.views.schedule_summary import (
    COLUMN_NAMES,
    COLUMN_NOTE,
    describe_line,
    format_summary,
    format_title,
)
from lrlab.views.terminal_chart import render_chart
from lrlab.views.text import Column, render_columns, wrap_note


def render_preview(preview: Preview, width: int = 80) -> list[Text]:
    """Return the lines of the whole view, at most ``width`` characters wide."""
    return [
        Text(format_title(preview)),
        Text(),
        *render_chart(preview, width),
        Text(),
        *render_legend(preview, width),
        Text(),
        *render_numbers(preview, width),
        *wrap_note(COLUMN_NOTE, width, indent=2),
    ]


def render_legend(preview: Preview, width: int = 80) -> list[Text]:
    """Return each schedule with its mark, and where the parts of a sequence begin."""
    return [
        row for i, line in enumerate(preview.lines) for row in _render_legend_entry(line, i, width)
    ]


def _render_legend_entry(line: Line, i: int, width: int) -> Iterator[Text]:
    style = get_line_style(i)
    first, *more = textwrap.wrap(line.label, max(20, width - 5)) or [""]
    yield Text.assemble(("  " + style.mark, style.rich_style), "  " + first)
    yield from (Text("     " + text) for text in more)
    yield from wrap_note(describe_line(line), width, indent=7)


def render_numbers(preview: Preview, width: int = 80) -> list[Text]:
    """Return the table of numbers, one row for each schedule."""
    styles = [get_line_style(i) for i in range(len(preview.lines))]
    marks = [Text(style.mark, style.rich_style) for style in styles]
    numbers = zip(*map(format_summary, preview.lines), strict=True)
    columns = [Column("", marks), *map(Column, COLUMN_NAMES, numbers)]
    lines = render_columns(columns)
    is_too_wide = max(line.cell_len for line in lines) > width
    return render_columns(columns, gap=1) if is_too_wide else lines
