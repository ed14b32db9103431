"""The gallery as text: every example with its picture, its arguments and its text."""

import inspect
import textwrap

from lrlab.schedules import Schedule
from lrlab.schedules.text import SHAPES
from lrlab.views.braille import sparkline
from lrlab.views.gallery import GALLERY, Example, rates
from lrlab.views.pieces import Piece, Row

_WIDTH = 16
_BASE = 0.1
_INDENT = " " * 4


def listing(width: int = 80) -> list[Row]:
    """All examples, room by room."""
    rows: list[Row] = []
    for room, examples in GALLERY.items():
        rows.append((Piece(room, line=0),))
        for example in examples:
            rows += _shown(example, width)
        rows.append(())
    return rows


def signature(name: str) -> str:
    """How something is called, without types.

    >>> signature("Linear"), signature("a.until"), signature("a * b")
    ('Linear(start, end, *, over=None)', 'a.until(at)', 'a * b')
    """
    if name in SHAPES:
        called, own = SHAPES[name], 0
    elif name.startswith("a."):
        called, own = getattr(Schedule, name.removeprefix("a.")), 1
    else:
        return name
    parameters = list(inspect.signature(called).parameters.values())[own:]
    bare = inspect.Signature([one.replace(annotation=one.empty) for one in parameters])
    return f"{name}{bare}".replace("'", '"')  # as texts are written in a shell's single quotes


def _shown(example: Example, width: int) -> list[Row]:
    """The picture is two lines high and stands left of two lines of text or more."""
    drawn = rates(example)
    pictures = sparkline(drawn, _WIDTH, rows=2, top=max(_BASE, float(drawn.max())))
    room = max(30, width - _WIDTH - 4)
    called = textwrap.wrap(signature(example.name), room, subsequent_indent=_INDENT)
    text = textwrap.wrap(example.text, room, subsequent_indent=_INDENT)
    pieces = [*(Piece(line) for line in called), *(Piece(line, dim=True) for line in text)]
    pictures += [" " * _WIDTH] * (len(pieces) - 2)
    return [
        (Piece(f"  {picture}  "), piece) for picture, piece in zip(pictures, pieces, strict=True)
    ]
