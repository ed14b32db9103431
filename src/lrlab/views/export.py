"""Frames as files that other programs read: CSV, JSON, Parquet."""

import json
import math
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

from lrlab.errors import ViewError, needs
from lrlab.views.drafts import draft

_TIMES = "%Y-%m-%dT%H:%M:%SZ"
_AT_ONCE = 10_000
_DATABASE = b"SQLite format 3\0"


def check(path: Path, kind: str, overwrite: bool = False) -> None:
    """Refuses a file that may not or cannot be written: better now than after long work.

    Args:
        path: of the file.
        kind: one of ``KINDS``.
        overwrite: whether a file that is there may be written over; a database never is.

    Raises:
        ViewError: it may not.
        MissingExtra: Parquet is asked for and pyarrow is not installed.
    """
    if kind == "parquet":
        with needs("pyarrow"):
            import_module("pyarrow")
    if path.is_dir():
        raise ViewError(f"{path} is a folder: name a file.")
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise ViewError(f"{path} cannot be written: name a file in a folder that is there.")
    if path.exists() and _start(path) == _DATABASE:
        raise ViewError(f"{path} is a database, which is never written over; name another file.")
    if path.exists() and not overwrite:
        raise ViewError(f"{path} is there already; name another file, or add --force.")


def save(frame: pd.DataFrame, path: Path, kind: str) -> None:
    """Writes a frame, whole or not at all; numbers come back bit for bit.

    Args:
        frame: what is written.
        path: of the file.
        kind: one of ``KINDS``.

    Raises:
        ViewError: it cannot be written.
    """
    with draft(path) as file:
        KINDS[kind](frame, file)


def _csv(frame: pd.DataFrame, file: Path) -> None:
    frame.to_csv(file, index=False, date_format=_TIMES, lineterminator="\n")


def _parquet(frame: pd.DataFrame, file: Path) -> None:
    frame.to_parquet(file, index=False, engine="pyarrow")


def _json(frame: pd.DataFrame, file: Path) -> None:
    """A list of records, one on a line. What JSON has no number for is null."""
    for name in frame.select_dtypes("datetimetz"):
        frame = frame.assign(**{str(name): frame[name].dt.strftime(_TIMES)})
    with file.open("w", encoding="utf-8") as out:
        before = "[\n"
        for first in range(0, len(frame), _AT_ONCE):
            for record in frame.iloc[first : first + _AT_ONCE].to_dict("records"):
                values = {str(name): _value(value) for name, value in record.items()}
                out.write(before + json.dumps(values, ensure_ascii=False))
                before = ",\n"
        out.write("\n]\n" if len(frame) else "[]\n")


def _value(value: Any) -> Any:
    return (
        None if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)) else value
    )


KINDS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    "csv": _csv,
    "parquet": _parquet,
    "json": _json,
}


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_DATABASE))
    except OSError as error:
        raise ViewError(f"{path} cannot be written over: {error.strerror}.") from None
