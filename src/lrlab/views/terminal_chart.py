"""Charts for a terminal, drawn in braille: each character holds 2 by 4 dots."""

import math
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from lrlab.schedules.core import Array
from lrlab.views.line_styles import get_line_style
from lrlab.views.preview import Preview

_DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
_EMPTY_CELL = 0x2800


def compute_cells(rates: Array, columns: int, rows: int, top: float) -> NDArray[np.uint8]:
    """Return the dots of a curve as bits, one byte for each cell, shape (rows, columns).

    Steps are spread evenly over the width. Each column of dots spans its lowest to its highest
    rate, so that no rate gets lost, and adjacent columns are joined.

    Args:
        rates: one for each step.
        columns, rows: the size in cells.
        top: the rate at the upper edge, above 0; the lower edge is 0.
    """
    dot_columns, dot_rows = 2 * columns, 4 * rows
    starts = np.arange(dot_columns) * len(rates) // dot_columns
    low = _compute_heights(np.minimum.reduceat(rates, starts), top, dot_rows)
    high = _compute_heights(np.maximum.reduceat(rates, starts), top, dot_rows)
    low[1:], high[1:] = (
        np.minimum(low[1:], high[:-1] + 1),
        np.maximum(high[1:], low[:-1] - 1),
    )
    height = np.arange(dot_rows)[::-1, np.newaxis]
    dots = (low <= height) & (height <= high)
    bits = dots.reshape(rows, 4, columns, 2) * _DOT_BITS[:, np.newaxis, :]
    packed: NDArray[np.uint8] = np.bitwise_or.reduce(bits, axis=(1, 3))
    return packed


def cells_to_text(cells: NDArray[np.uint8]) -> list[str]:
    """Return cells as lines of text, with spaces for empty cells."""
    return ["".join(chr(_EMPTY_CELL + int(bit)) if bit else " " for bit in row) for row in cells]


def draw_sparkline(
    rates: Array, width: int = 16, rows: int = 1, top: float | None = None
) -> list[str]:
    """Return a curve without axes, as ``rows`` lines of ``width`` characters.

    The lower edge is 0, the upper edge ``top``, by default the peak.

    >>> draw_sparkline(np.linspace(1, 0, 100), width=8, rows=2)
    ['⠙⠲⢤⣀    ', '    ⠉⠓⠦⣄']
    """
    return cells_to_text(compute_cells(rates, width, rows, top or float(rates.max()) or 1.0))


def _compute_heights(rates: Array, top: float, dot_rows: int) -> NDArray[np.int64]:
    return np.rint(rates / top * (dot_rows - 1)).astype(np.int64)


_MAX_CHART_WIDTH, _MIN_CHART_ROWS, _MAX_CHART_ROWS = 160, 12, 24
_FULL_CELL = 0xFF
_MIN_AXIS_LIMIT = 1e-300  # smaller peaks are drawn on an axis up to 1


def render_chart(preview: Preview, width: int = 80) -> list[Text]:
    """Return the lines of the chart, at most ``width`` characters wide."""
    width = max(40, min(width, _MAX_CHART_WIDTH))
    rows = max(_MIN_CHART_ROWS, min(width // 5, _MAX_CHART_ROWS))
    tick_values = compute_ticks(max(line.summary.peak for line in preview.lines))
    labels = {
        _find_row(value, tick_values[-1], rows): text
        for value, text in zip(tick_values, _format_ticks(tick_values), strict=True)
    }
    margin = max(map(len, labels.values())) + 2
    columns = width - margin - 1
    rates = [line.rates for line in preview.lines]
    lines = [
        Text(" " * (margin - 1)).append(preview.unit, "dim"),
        *(
            Text(labels.get(i, "").rjust(margin)).append("┤" if i in labels else "│", "dim") + row
            for i, row in enumerate(_draw_canvas(rates, columns, rows, tick_values[-1]))
        ),
        *_render_x_axis(preview.total_steps, columns, margin),
    ]
    for line in lines:
        line.rstrip()
    return lines


def compute_ticks(highest: float, approximate_count: int = 5) -> list[float]:
    """Return round numbers from 0 to the first that is not below ``highest``.

    >>> compute_ticks(0.083)
    [0.0, 0.02, 0.04, 0.06, 0.08, 0.1]
    """
    step = _choose_tick_step(highest if highest > _MIN_AXIS_LIMIT else 1.0, approximate_count)
    count = math.ceil(highest / step - 1e-9) if highest > _MIN_AXIS_LIMIT else approximate_count
    return [float(f"{i * step:.6g}") for i in range(count + 1)]


def _format_ticks(values: list[float]) -> list[str]:
    texts = [f"{value:.6g}" for value in values]
    if any("e" in text for text in texts):
        return texts
    places = max(len(text.partition(".")[2]) for text in texts)
    return [f"{value:.{places}f}" for value in values]


def _choose_tick_step(span: float, approximate_count: int) -> float:
    """Return 1, 2 or 5 times a power of ten that divides ``span`` into about so many parts."""
    power = 10.0 ** math.floor(math.log10(span / approximate_count))
    return (
        min((1, 2, 5, 10), key=lambda k: abs(math.log(span / approximate_count / power / k)))
        * power
    )


def _find_row(value: float, top: float, rows: int) -> int:
    return rows - 1 - round(value / top * (4 * rows - 1)) // 4


def _draw_canvas(rates: list[Array], columns: int, rows: int, top: float) -> list[Text]:
    layers = [compute_cells(line_rates, columns, rows, top) for line_rates in rates]
    dots = np.zeros((rows, columns), dtype=np.uint8)
    line_indices = np.full((rows, columns), -1)
    # Densest first: a line that fills a solid band is drawn below those that cross it.
    for i in sorted(range(len(layers)), key=lambda i: -int(np.unpackbits(layers[i]).sum())):
        filled = layers[i] > 0
        dots[filled] = np.where(dots == _FULL_CELL, 0, dots)[filled] | layers[i][filled]
        line_indices[filled] = i
    characters = [list(line) for line in cells_to_text(dots)]
    if len(layers) > 1:
        for i, layer in enumerate(layers):
            for row, column in _place_marks(layer, i, len(layers)):
                characters[row][column], line_indices[row, column] = get_line_style(i).mark, i
    return [_color_row(line, line_indices[row]) for row, line in enumerate(characters)]


def _place_marks(
    layer: NDArray[np.uint8], line_index: int, line_count: int
) -> list[tuple[int, int]]:
    """Return the cells for the marks of a line, in columns where no other line has a mark."""
    spacing = max(18, 2 * line_count)
    first = (2 * line_index + 1) * spacing // (2 * line_count)
    return [
        (int(np.flatnonzero(layer[:, column])[layer[:, column].astype(bool).sum() // 2]), column)
        for column in range(first, layer.shape[1], spacing)
    ]


def _color_row(characters: list[str], line_indices: NDArray[np.int64]) -> Text:
    row = Text()
    for i, group in groupby(zip(characters, line_indices.tolist(), strict=True), key=itemgetter(1)):
        row.append(
            "".join(character for character, _ in group),
            get_line_style(i).rich_style if i >= 0 else "",
        )
    return row


def _render_x_axis(total_steps: int, columns: int, margin: int) -> list[Text]:
    """Return the axis of steps: a line with ticks, and their numbers below."""
    spacing = max(1, round(_choose_tick_step(total_steps, max(2, columns // 14))))
    line, numbers = ["─"] * columns, [" "] * (margin + 1 + columns)
    name = " step"
    for step in range(0, total_steps + 1, spacing):
        column = step * columns // total_steps
        if column >= columns:
            continue
        line[column] = "┬"
        number = str(step)
        start = margin + 1 + column - (len(number) - 1) // 2
        if start + len(number) <= len(numbers) - len(name):
            numbers[start : start + len(number)] = number
    numbers[-len(name) :] = name
    return [
        Text(" " * margin).append("└" + "".join(line), "dim"),
        Text("".join(numbers[: -len(name)])).append(name, "dim"),
    ]
