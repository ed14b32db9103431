"""Learning curves as the store writes them: JSON, a row for each epoch."""

import json

import numpy as np

from lrlab.training import Curve
from lrlab.training.result import COLUMNS

_ALWAYS = COLUMNS.index("validation_loss")
"""The columns before it are written always, the others where rows were held out."""


def to_rows(curve: Curve) -> str:
    """The text of a curve; the numbers come back bit for bit.

    >>> from lrlab.training import Epoch
    >>> to_rows(Curve.of([Epoch(0, 0.1, 0.05, loss=0.7, score=0.8)]))
    '[[0, 0.1, 0.05, 0.7, 0.8]]'
    """
    values = curve.values
    if np.isnan(values[:, _ALWAYS:]).all():
        values = values[:, :_ALWAYS]
    return json.dumps([[int(epoch), *row] for epoch, *row in values.tolist()])


def from_rows(text: str) -> Curve:
    """The curve of a text; columns that it lacks are NaN."""
    rows = json.loads(text)
    values = np.full((len(rows), len(COLUMNS)), np.nan)
    if rows:
        written = np.array(rows, dtype=np.float64)
        values[:, : written.shape[1]] = written
    return Curve(values)
