"""Data frames of runs and epochs as files: CSV, JSON, Parquet."""

import json
import math
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from lrlab.errors import require_package
from lrlab.views.files import atomic_write

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_ROWS_PER_CHUNK = 10_000


def save_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame, whole or not at all; other programs read its numbers back bit for bit.

    Check the path by ``check_output(path, FRAME_WRITERS, force)`` first.

    Args:
        frame: the frame.
        path: of the file, whose extension is one of ``FRAME_WRITERS``.

    Raises:
        ViewError: the file cannot be written.
        MissingExtra: pyarrow, which Parquet needs, is not installed.
    """
    with atomic_write(path) as temporary_path:
        FRAME_WRITERS[path.suffix.lower()](frame, temporary_path)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, date_format=_TIME_FORMAT, lineterminator="\n")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    with require_package("pyarrow"):
        import_module("pyarrow")
    frame.to_parquet(path, index=False, engine="pyarrow")


def _write_json(frame: pd.DataFrame, path: Path) -> None:
    """Write a list of records, one on a line; NaN, infinity and missing values become null.

    Python's json writes the shortest text that reads back as the same float. pandas' ``to_json``
    has at most 15 digits, which changes the last bits of two floats in three.
    """
    for name in frame.select_dtypes("datetimetz"):
        frame = frame.assign(**{str(name): frame[name].dt.strftime(_TIME_FORMAT)})
    with path.open("w", encoding="utf-8") as file:
        separator = "[\n"
        for start in range(0, len(frame), _ROWS_PER_CHUNK):
            for record in frame.iloc[start : start + _ROWS_PER_CHUNK].to_dict("records"):
                values = {str(name): _to_json_value(value) for name, value in record.items()}
                file.write(separator + json.dumps(values, ensure_ascii=False))
                separator = ",\n"
        file.write("\n]\n" if len(frame) else "[]\n")


def _to_json_value(value: Any) -> Any:
    is_missing = value is pd.NA or (isinstance(value, float) and not math.isfinite(value))
    return None if is_missing else value


FRAME_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".json": _write_json,
}
"""How a frame is written, by the extension of the file."""
