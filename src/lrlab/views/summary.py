"""Schedules in words and numbers: what each is made of, and a table to compare them by."""

import ast
import textwrap
from collections.abc import Iterator

from lrlab.views.pieces import MARKS, Piece, Row, wrapped
from lrlab.views.preview import Line, Preview

HEAD = ("first", "peak", "at step", "last", "area", "mean", "jump", "at step")
NOTE = "area: sum of the rates; mean: area / steps; jump: largest change from one step to the next."


def title(preview: Preview) -> str:
    """What is shown, on one line."""
    count = len(preview.lines)
    rates = "factors of the base rate" if preview.factors else f"base rate {preview.base:g}"
    return " · ".join(
        (
            "1 schedule" if count == 1 else f"{count} schedules",
            "1 step" if preview.steps == 1 else f"{preview.steps} steps",
            rates,
        )
    )


def legend(preview: Preview, width: int = 80) -> list[Row]:
    """Each schedule by its mark and label, and when each part of a sequence begins."""
    return [row for i, line in enumerate(preview.lines) for row in _described(line, i, width)]


def table(preview: Preview, width: int = 80) -> list[Row]:
    """The numbers of all schedules, one line each."""
    cells = [numbers(line) for line in preview.lines]
    widths = [max(map(len, column)) for column in zip(HEAD, *cells, strict=True)]
    gap = 2 if 5 + sum(widths) + 2 * len(widths) <= width else 1
    head = "".join(" " * gap + name.rjust(w) for name, w in zip(HEAD, widths, strict=True))
    rows: list[Row] = [(Piece(f"   {head}", dim=True),)]
    for i, row in enumerate(cells):
        text = "".join(" " * gap + cell.rjust(w) for cell, w in zip(row, widths, strict=True))
        rows.append((Piece(f"  {MARKS[i]}", i), Piece(text)))
    return rows


def numbers(line: Line) -> tuple[str, ...]:
    """The numbers of one schedule, in the order of ``HEAD``."""
    known = line.numbers
    return (
        number(known.first),
        number(known.peak),
        str(known.peak_step),
        number(known.last),
        number(known.area),
        number(known.mean),
        "none" if known.jump is None else ("+" if known.jump > 0 else "") + number(known.jump),
        "" if known.jump_step is None else str(known.jump_step),
    )


def number(value: float) -> str:
    """Four digits, and powers of ten where a rate is tiny or an area huge.

    >>> [number(x) for x in (1.0, 0.05, 50.02, 999.99, 12345.6, 1e-06, 0.0)]
    ['1.000', '0.05000', '50.02', '1000', '12346', '1.000e-6', '0']
    """
    if value == 0:
        return "0"
    if not 1e-3 <= abs(value) < 1e7:
        digits, _, power = f"{value:.3e}".partition("e")
        return f"{digits}e{int(power)}"
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:#.4g}"


def details(line: Line) -> str:
    """What the label leaves open: when parts begin, units in steps, another library's names."""
    parts = ", ".join(f"{part.schedule} from step {part.step}" for part in line.parts)
    text = repr(line.schedule)
    said = parts or ("" if _same(line.label, text) else text)
    if not line.schedule.reactive:
        return said
    metric = "it reads a metric: these are the rates until one makes it change"
    return f"{said}; {metric}" if said else metric


def _described(line: Line, i: int, width: int) -> Iterator[Row]:
    first, *more = textwrap.wrap(line.label, max(20, width - 5)) or [""]
    yield (Piece(f"  {MARKS[i]}", i), Piece(f"  {first}"))
    yield from ((Piece(f"     {text}"),) for text in more)
    yield from wrapped(details(line), width, indent=7)


def _same(label: str, text: str) -> bool:
    """Whether two texts differ in spelling only: spaces, quotes, 1 for 1.0."""
    try:
        return _spelled(label) == _spelled(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _spelled(text: str) -> str:
    tree = ast.parse(text, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            node.value = float(node.value)
    return ast.dump(tree)
