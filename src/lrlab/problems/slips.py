"""Columns of text that look as if they were meant as numbers."""

from typing import Any

import pandas as pd


def find_non_numeric_cells(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """The cells of a column that are neither missing nor plain numbers."""
    cells = column.dropna()
    return cells[pd.to_numeric(cells, errors="coerce").isna()]


def looks_like_numbers(column: "pd.Series[Any]") -> bool:
    """Whether most cells are made of digits and signs alone: ``12``, ``1,017``, ``$3``, ``29%``.

    >>> looks_like_numbers(pd.Series(["1", "2", "unknown"]))
    True
    >>> looks_like_numbers(pd.Series(["A1", "B2", "3"]))
    False
    """
    cells = column.dropna().astype(str)
    return bool(cells.str.fullmatch(r"\W*\d[\d\W]*(e-?\d+)?").mean() > 0.5)
