"""Schedules in words and numbers: what each is made of, and a table to compare them by."""

import ast
import textwrap
from collections.abc import Iterator

from lrlab.views.pieces import MARKS, StyledLine, StyledText, wrap_note
from lrlab.views.preview import Line, Preview

COLUMN_NAMES = ("first", "peak", "at step", "last", "area", "mean", "jump", "at step")
COLUMN_NOTE = (
    "area: sum of the rates; mean: area / steps; jump: largest change from one step to the next."
)


def format_title(preview: Preview) -> str:
    """What is shown, on one line."""
    count = len(preview.lines)
    rates = "factors of the base rate" if preview.is_relative else f"base rate {preview.base:g}"
    return " · ".join(
        (
            "1 schedule" if count == 1 else f"{count} schedules",
            "1 step" if preview.total_steps == 1 else f"{preview.total_steps} steps",
            rates,
        )
    )


def render_legend(preview: Preview, width: int = 80) -> list[StyledLine]:
    """Each schedule by its mark and label, and when each part of a sequence begins."""
    return [
        row for i, line in enumerate(preview.lines) for row in _render_legend_entry(line, i, width)
    ]


def render_table(preview: Preview, width: int = 80) -> list[StyledLine]:
    """The numbers of all schedules, one line each."""
    cells = [format_summary(line) for line in preview.lines]
    widths = [max(map(len, column)) for column in zip(COLUMN_NAMES, *cells, strict=True)]
    gap = 2 if 5 + sum(widths) + 2 * len(widths) <= width else 1
    heading = "".join(
        " " * gap + name.rjust(w) for name, w in zip(COLUMN_NAMES, widths, strict=True)
    )
    rows: list[StyledLine] = [(StyledText(f"   {heading}", dim=True),)]
    for i, row in enumerate(cells):
        text = "".join(" " * gap + cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        rows.append((StyledText(f"  {MARKS[i]}", i), StyledText(text)))
    return rows


def format_summary(line: Line) -> tuple[str, ...]:
    """The numbers of one schedule, in the order of ``COLUMN_NAMES``."""
    summary = line.summary
    return (
        format_number(summary.first),
        format_number(summary.peak),
        str(summary.peak_step),
        format_number(summary.last),
        format_number(summary.area),
        format_number(summary.mean),
        "none"
        if summary.jump is None
        else ("+" if summary.jump > 0 else "") + format_number(summary.jump),
        "" if summary.jump_step is None else str(summary.jump_step),
    )


def format_number(value: float) -> str:
    """Four digits, and powers of ten where a rate is tiny or an area huge.

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
    """What the label leaves open: when parts begin, units in steps, another library's names."""
    parts = ", ".join(f"{part.schedule} from step {part.start_step}" for part in line.parts)
    text = repr(line.schedule)
    description = parts or ("" if _is_same_expression(line.label, text) else text)
    if not line.schedule.needs_metric:
        return description
    metric = "it reads a metric: these are the rates until one makes it change"
    return f"{description}; {metric}" if description else metric


def _render_legend_entry(line: Line, i: int, width: int) -> Iterator[StyledLine]:
    first, *more = textwrap.wrap(line.label, max(20, width - 5)) or [""]
    yield (StyledText(f"  {MARKS[i]}", i), StyledText(f"  {first}"))
    yield from ((StyledText(f"     {text}"),) for text in more)
    yield from wrap_note(describe_line(line), width, indent=7)


def _is_same_expression(label: str, text: str) -> bool:
    """Whether two texts differ in spelling only: spaces, quotes, 1 for 1.0."""
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
