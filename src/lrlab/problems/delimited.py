"""Read a table from CSV or other delimited text: detect delimiter and header, check rows."""

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from lrlab.errors import ProblemError

_DELIMITERS = ",;\t| :"
_MISSING_VALUES = {"", "?", "NA", "N/A", "NaN", "nan", "null", "None"}
_MIN_ROWS = 10
_NUMBER_PATTERN = re.compile(
    r"[-+]?(\d+[.,]?\d*|[.,]\d+)(e[-+]?\d+)?|[-+]?inf(inity)?", re.IGNORECASE
)


def read_table(path: Path, header: bool | None = None) -> pd.DataFrame:
    """Read the table in a text file, one row per line.

    Args:
        path: a file of CSV or other text, delimited by one of ``, ; tab | space :``; it may be
            compressed as ``.gz``.
        header: whether the first row names the columns; detected if None. The first row is a
            header if one of its cells is text above a column of numbers, or if all its cells are
            texts that occur nowhere else in their columns.

    Raises:
        ProblemError: the file cannot be read, is empty or ragged, or has fewer than 2 columns or
            10 rows.
    """
    text = _read_text(path)
    delimiter = _detect_delimiter(text)
    lines = list(_parse_lines(path, text, delimiter))
    _check_row_lengths(path, lines, delimiter)
    cells = _drop_empty_last_column(lines)
    header = _has_header(cells) if header is None else header
    clean = io.StringIO()
    csv.writer(clean).writerows(cells)
    clean.seek(0)
    frame = pd.read_csv(
        clean,
        header=0 if header else None,
        na_values=list(_MISSING_VALUES),
        decimal="," if _has_decimal_commas(cells, delimiter) else ".",
    )
    if frame.shape[1] < 2:
        raise ProblemError(
            f"{path}: a table needs at least two columns, inputs and a target, got one; separate "
            "cells by a comma, semicolon, tab, bar, space or colon."
        )
    if len(frame) < _MIN_ROWS:
        raise ProblemError(
            f"{path}: a table needs at least {_MIN_ROWS} rows, to split into training and test "
            f"rows, got {len(frame)}."
        )
    return frame.rename(columns=str)


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ProblemError(f"{path}: the file cannot be read ({reason}).") from None
    except UnicodeDecodeError:
        raise ProblemError(
            f"{path}: a table must be text in UTF-8, possibly compressed as .gz; save it as CSV "
            "(UTF-8)."
        ) from None
    if not text.strip():
        raise ProblemError(f"{path}: the file is empty; a table needs rows of inputs and a target.")
    if "\0" in text:
        raise ProblemError(f"{path}: a table must be text, but the file has binary content.")
    return text


def _detect_delimiter(text: str) -> str:
    sample = "\n".join(text.splitlines()[:50])
    try:
        return csv.Sniffer().sniff(sample, delimiters=_DELIMITERS).delimiter
    except csv.Error:
        # A ragged table confuses the sniffer, but the error about it needs the delimiter.
        return max(_DELIMITERS, key=sample.count)


def _parse_lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    source = io.StringIO(text, newline="")
    rows = csv.reader(source, delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in rows:
            # Aligned columns have any number of spaces between them and at the ends.
            cells = [cell for cell in row if cell] if delimiter == " " else row
            if any(cell.strip() for cell in cells):
                yield rows.line_num, cells
    except csv.Error as error:
        raise ProblemError(
            f"{path}: line {rows.line_num} cannot be read as a row ({error}); unbalanced quote?"
        ) from None


def _check_row_lengths(path: Path, lines: list[tuple[int, list[str]]], delimiter: str) -> None:
    (width, rows), *_ = Counter(len(row) for _, row in lines).most_common(1)
    for number, row in lines:
        if len(row) != width:
            raise ProblemError(
                f"{path}: all rows must have the same number of cells, but line {number} has "
                f"{len(row)} and {rows} others have {width} (separated by {delimiter!r}); fix that "
                "line."
            )


def _drop_empty_last_column(lines: list[tuple[int, list[str]]]) -> list[list[str]]:
    """Return the cells, without the empty last column of tables whose rows end in a delimiter."""
    cells = [[cell.strip() for cell in row] for _, row in lines]
    return [row[:-1] for row in cells] if not any(row[-1] for row in cells) else cells


def _has_header(cells: list[list[str]]) -> bool:
    first, *below = cells
    columns = [{row[i] for row in below} - _MISSING_VALUES for i in range(len(first))]
    names = [cell not in _MISSING_VALUES and not _is_number(cell) for cell in first]
    if any(
        name and column and all(map(_is_number, column))
        for name, column in zip(names, columns, strict=True)
    ):
        return True
    return all(names) and not any(c in column for c, column in zip(first, columns, strict=True))


def _is_number(cell: str) -> bool:
    return _NUMBER_PATTERN.fullmatch(cell.strip()) is not None


def _has_decimal_commas(cells: list[list[str]], delimiter: str) -> bool:
    if delimiter == ",":
        return False
    numbers = [cell.strip() for row in cells for cell in row if _is_number(cell)]
    return sum("," in n for n in numbers) > sum("." in n for n in numbers)
