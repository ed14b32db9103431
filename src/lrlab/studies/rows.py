"""Learning curves as the store writes them: numbers column after column, compressed."""

import json
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_ZLIB_LEVEL = 1
"""zlib's level: of fifty epochs' 2800 bytes it leaves less than half, and others hardly less."""

_UNTIL_2 = ("epoch", "before", "after", "loss", "score", "validation_loss", "validation_score")
"""The columns until version 2, see ``pack_json``."""


def pack_curve(values: NDArray[np.float64], names: Sequence[str]) -> bytes:
    """The bytes of a curve; the numbers come back bit for bit.

    A line of JSON (epochs, names of the columns, those that are NaN throughout), then the others as
    float64, little-endian, a column after the other; compressed by zlib.

    Args:
        values: shape (epochs, columns).
        names: of the columns.

    >>> unpack_curve(pack_curve(np.array([[0, 0.1, np.nan], [1, 0.3, np.nan]]), ("epoch", "loss", "accuracy")))
    (array([[0. , 0.1, nan],
           [1. , 0.3, nan]]), ('epoch', 'loss', 'accuracy'))
    """
    empty = np.isnan(values).all(axis=0)
    header = json.dumps([len(values), list(names), np.flatnonzero(empty).tolist()])
    numbers = values.T[~empty].astype("<f8").tobytes()
    return zlib.compress(header.encode() + b"\n" + numbers, _ZLIB_LEVEL)


def unpack_curve(packed: bytes) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Values and names of a curve, see ``pack_curve``."""
    header, _, numbers = zlib.decompress(packed).partition(b"\n")
    epochs, names, empty = json.loads(header)
    written = np.setdiff1d(np.arange(len(names)), empty)
    values = np.full((epochs, len(names)), np.nan)
    values[:, written] = np.frombuffer(numbers, "<f8").reshape(len(written), epochs).T
    return values, tuple(names)


def pack_json(text: str) -> bytes:
    """The bytes of a curve that was written as JSON, as it was until version 2: a row for each
    epoch, without the last two columns where no rows were held out.
    """
    rows = json.loads(text)
    values = np.full((len(rows), len(_UNTIL_2)), np.nan)
    if rows:
        written = np.array(rows, dtype=np.float64)
        values[:, : written.shape[1]] = written
    return pack_curve(values, _UNTIL_2)
