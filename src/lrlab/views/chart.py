"""Schedules as a chart in the terminal: braille dots, axes, and a mark on every line.

The marks name the lines where there is no colour, and where lines lie on each other they take
turns, so that none is hidden.
"""

import math
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from lrlab.schedules.base import Array
from lrlab.views.braille import cells, text
from lrlab.views.pieces import MARKS, Piece, Row
from lrlab.views.preview import Preview

_WIDEST, _LOWEST, _TALLEST = 160, 12, 24
_SOLID = 0xFF
_TINY = 1e-300  # below, no axis could be divided


def chart(preview: Preview, width: int = 80) -> list[Row]:
    """The chart, at most ``width`` characters wide."""
    width = max(40, min(width, _WIDEST))
    rows = max(_LOWEST, min(width // 5, _TALLEST))
    marks = ticks(max(line.numbers.peak for line in preview.lines))
    labels = {
        _row(value, marks[-1], rows): text
        for value, text in zip(marks, _same_places(marks), strict=True)
    }
    margin = max(map(len, labels.values())) + 2
    columns = width - margin - 1
    rates = [line.rates for line in preview.lines]
    drawn = [
        (Piece(labels.get(i, "").rjust(margin)), Piece("┤" if i in labels else "│", dim=True), *row)
        for i, row in enumerate(_canvas(rates, columns, rows, marks[-1]))
    ]
    name = (Piece(f"{' ' * (margin - 1)}{preview.unit}", dim=True),)
    return [name, *drawn, *_foot(preview.steps, columns, margin)]


def ticks(highest: float, about: int = 5) -> list[float]:
    """Round numbers from 0 to the first that is not below ``highest``.

    >>> ticks(0.083)
    [0.0, 0.02, 0.04, 0.06, 0.08, 0.1]
    """
    step = _round_step(highest if highest > _TINY else 1.0, about)
    count = math.ceil(highest / step - 1e-9) if highest > _TINY else about
    return [float(f"{i * step:.6g}") for i in range(count + 1)]


def _same_places(values: list[float]) -> list[str]:
    shown = [f"{value:.6g}" for value in values]
    if any("e" in one for one in shown):
        return shown
    places = max(len(one.partition(".")[2]) for one in shown)
    return [f"{value:.{places}f}" for value in values]


def _round_step(span: float, about: int) -> float:
    """The nearest 1, 2 or 5 times a power of ten that divides ``span`` into about so many."""
    power = 10.0 ** math.floor(math.log10(span / about))
    return min((1, 2, 5, 10), key=lambda k: abs(math.log(span / about / power / k))) * power


def _row(value: float, top: float, rows: int) -> int:
    return rows - 1 - round(value / top * (4 * rows - 1)) // 4


def _canvas(rates: list[Array], columns: int, rows: int, top: float) -> list[Row]:
    layers = [cells(one, columns, rows, top) for one in rates]
    dots = np.zeros((rows, columns), dtype=np.uint8)
    owner = np.full((rows, columns), -1)
    # The fullest first: a line that is a solid band gives way to those that cross it.
    for i in sorted(range(len(layers)), key=lambda i: -int(np.unpackbits(layers[i]).sum())):
        here = layers[i] > 0
        dots[here] = np.where(dots == _SOLID, 0, dots)[here] | layers[i][here]
        owner[here] = i
    signs = [list(line) for line in text(dots)]
    if len(layers) > 1:
        for i, layer in enumerate(layers):
            for row, column in _places(layer, i, len(layers)):
                signs[row][column], owner[row, column] = MARKS[i], i
    return [_pieces(line, owner[row]) for row, line in enumerate(signs)]


def _places(layer: NDArray[np.uint8], i: int, count: int) -> list[tuple[int, int]]:
    """Where the marks of line ``i`` stand: in columns that no other line's have."""
    every = max(18, 2 * count)
    first = (2 * i + 1) * every // (2 * count)
    return [
        (int(np.flatnonzero(layer[:, column])[layer[:, column].astype(bool).sum() // 2]), column)
        for column in range(first, layer.shape[1], every)
    ]


def _pieces(signs: list[str], owner: NDArray[np.int64]) -> Row:
    groups = groupby(zip(signs, owner.tolist(), strict=True), key=lambda pair: pair[1])
    return tuple(
        Piece("".join(sign for sign, _ in group), None if who < 0 else who) for who, group in groups
    )


def _foot(steps: int, columns: int, margin: int) -> list[Row]:
    """The axis of the steps: a line with notches, and their numbers below."""
    every = max(1, round(_round_step(steps, max(2, columns // 14))))
    line, numbers = ["─"] * columns, [" "] * (margin + 1 + columns)
    name = " step"
    for step in range(0, steps + 1, every):
        column = step * columns // steps
        if column >= columns:
            continue
        line[column] = "┬"
        shown = str(step)
        start = margin + 1 + column - (len(shown) - 1) // 2
        if start + len(shown) <= len(numbers) - len(name):
            numbers[start : start + len(shown)] = shown
    numbers[-len(name) :] = name
    return [
        (Piece(" " * margin), Piece("└" + "".join(line), dim=True)),
        (Piece("".join(numbers[: -len(name)])), Piece(name, dim=True)),
    ]
