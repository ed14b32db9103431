"""The text that `lrlab show` prints: the chart of schedules, their legend, and their numbers."""

import ast
import textwrap
from collections.abc import Iterator

from rich.text import Text

from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import Line, Preview
from lrlab.views.terminal_chart import render_chart
from lrlab.views.text import Column, render_columns, wrap_note

COLUMN_NAMES = ("first", "peak", "peak step", "last", "sum", "mean", "jump", "jump step")
COLUMN_NOTE = (
    "sum: over the rates of all steps; mean: sum / steps; jump: largest change from one step to "
    "the next."
)


def render_preview(preview: Preview, width: int = 80) -> list[Text]:
    """Return the lines of the whole view, at most ``width`` characters wide."""
    return [
        Text(preview.title),
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


def format_summary(line: Line) -> tuple[str, ...]:
    """Return the numbers of one schedule in the order of ``COLUMN_NAMES``."""
    summary = line.summary
    if summary.jump is None:
        jump = "none"
    else:
        jump = ("+" if summary.jump > 0 else "") + format_number(summary.jump)
    return (
        format_number(summary.first),
        format_number(summary.peak),
        f"{summary.peak_step}",
        format_number(summary.last),
        format_number(summary.area),
        format_number(summary.mean),
        jump,
        "" if summary.jump_step is None else f"{summary.jump_step}",
    )


def format_number(value: float) -> str:
    """Return four digits, with a power of ten if a rate is tiny or an area huge.

    >>> [format_number(x) for x in (1.0, 0.05, 50.02, 999.99, 12345.6, 1e-06, 0.0)]
    ['1.000', '0.05000', '50.02', '1000', '12346', '1.000e-6', '0']
    """
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e7:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{digits}e{int(power)}"
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:#.4g}"


def describe_line(line: Line) -> str:
    """Return the details that the label lacks: where parts begin, steps, lrlab's names."""
    text = repr(line.schedule)
    if line.parts:
        description = ", ".join(
            f"{part.schedule} from step {part.start_step}" for part in line.parts
        )
    else:
        description = "" if _is_same_expression(line.label, text) else text
    if not line.schedule.needs_metric:
        return description
    note = "follows a metric: these are the rates until the metric changes them"
    return f"{description}; {note}" if description else note


def _is_same_expression(label: str, text: str) -> bool:
    """Whether two texts differ at most in spaces, quotes, or 1 for 1.0."""
    try:
        return _normalize_expression(label) == _normalize_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _normalize_expression(text: str) -> str:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            node.value = float(node.value)
    return ast.dump(tree)
