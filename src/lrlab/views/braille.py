"""Curves in braille: each cell of a terminal holds 2 by 4 dots."""

import numpy as np
from numpy.typing import NDArray

from lrlab.schedules.base import Array

_DOT_BITS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]], dtype=np.uint8)
_EMPTY_CELL = 0x2800


def compute_cells(rates: Array, columns: int, rows: int, top: float) -> NDArray[np.uint8]:
    """The dots of a curve as the bits of its cells, shape (rows, columns); 0 is an empty cell.

    The steps share the width evenly, and every column of dots spans the lowest and the highest of
    its rates, so that nothing between two columns gets lost. Neighbours are joined.

    Args:
        rates: one for each step.
        columns, rows: the size in cells.
        top: the rate at the upper edge, above 0; 0 is at the lower.
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
    """Cells as lines of text, blank where nothing is drawn."""
    return ["".join(chr(_EMPTY_CELL + int(bit)) if bit else " " for bit in row) for row in cells]


def draw_sparkline(rates: Array, width: int = 16, rows: int = 1, top: float | None = None) -> list[str]:
    """A curve without axes, as ``rows`` lines of ``width`` characters.

    It reaches from 0 to ``top``: its peak, when that is left out.

    >>> draw_sparkline(np.linspace(1, 0, 100), width=8, rows=2)
    ['⠙⠲⢤⣀    ', '    ⠉⠓⠦⣄']
    """
    return cells_to_text(compute_cells(rates, width, rows, top or float(rates.max()) or 1.0))


def _compute_heights(rates: Array, top: float, dot_rows: int) -> NDArray[np.int64]:
    return np.rint(rates / top * (dot_rows - 1)).astype(np.int64)
