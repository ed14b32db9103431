"""Frames as files that other programs read: CSV, JSON, Parquet."""

import json
import math
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from lrlab.errors import ViewError, require_package
from lrlab.views.files import atomic_write

_TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_ROWS_PER_CHUNK = 10_000
_SQLITE_HEADER = b"SQLite format 3\0"


def check_frame_output(path: Path, file_format: str, force: bool = False) -> None:
    """Refuses a file that may not or cannot be written: better now than after long work.

    Args:
        path: of the file.
        file_format: one of ``FRAME_WRITERS``.
        force: whether a file that is there may be written over; a database never is.

    Raises:
        ViewError: it may not.
        MissingExtra: Parquet is asked for and pyarrow is not installed.
    """
    if file_format == "parquet":
        with require_package("pyarrow"):
            import_module("pyarrow")
    if path.is_dir():
        raise ViewError(f"{path} is a folder: name a file.")
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise ViewError(f"{path} cannot be written: name a file in a folder that is there.")
    if path.exists() and _read_header(path) == _SQLITE_HEADER:
        raise ViewError(f"{path} is a database, which is never written over; name another file.")
    if path.exists() and not force:
        raise ViewError(f"{path} is there already; name another file, or add --force.")


def save_frame(frame: pd.DataFrame, path: Path, file_format: str) -> None:
    """Writes a frame, whole or not at all; numbers come back bit for bit.

    Args:
        frame: what is written.
        path: of the file.
        file_format: one of ``FRAME_WRITERS``.

    Raises:
        ViewError: it cannot be written.
    """
    with atomic_write(path) as file:
        FRAME_WRITERS[file_format](frame, file)


def _write_csv(frame: pd.DataFrame, file: Path) -> None:
    frame.to_csv(file, index=False, date_format=_TIME_FORMAT, lineterminator="\n")


def _write_parquet(frame: pd.DataFrame, file: Path) -> None:
    frame.to_parquet(file, index=False, engine="pyarrow")


def _write_json(frame: pd.DataFrame, file: Path) -> None:
    """A list of records, one on a line. What JSON has no number for is null."""
    for name in frame.select_dtypes("datetimetz"):
        frame = frame.assign(**{str(name): frame[name].dt.strftime(_TIME_FORMAT)})
    with file.open("w", encoding="utf-8") as out:
        separator = "[\n"
        for first in range(0, len(frame), _ROWS_PER_CHUNK):
            for record in frame.iloc[first : first + _ROWS_PER_CHUNK].to_dict("records"):
                values = {str(name): _to_json_value(value) for name, value in record.items()}
                out.write(separator + json.dumps(values, ensure_ascii=False))
                separator = ",\n"
        out.write("\n]\n" if len(frame) else "[]\n")


def _to_json_value(value: Any) -> Any:
    return (
        None if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)) else value
    )


FRAME_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": _write_csv,
    "parquet": _write_parquet,
    "json": _write_json,
}


def _read_header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE_HEADER))
    except OSError as error:
        raise ViewError(f"{path} cannot be written over: {error.strerror}.") from None
