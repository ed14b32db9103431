"""An example of every shape, recipe and combinator, and the listing that shows them.

``GALLERY`` is the one table of examples: whoever adds a name to the language of schedules adds its
example here.
"""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lrlab.schedules import Custom, Schedule
from lrlab.schedules.text import SHAPES, parse
from lrlab.views.braille import sparkline
from lrlab.views.pieces import Piece, Row

_STEPS, _EPOCH, _BASE = 100, 10, 0.1
_WIDTH = 16


@dataclass(frozen=True)
class Example:
    """One schedule that shows what a name does.

    Args:
        name: of the shape or recipe; of a combinator its form, such as ``a >> b``.
        text: the example, drawn over 100 steps (10 epochs) at base rate 0.1.
        schedule: what to draw where no text can say it.
    """

    name: str
    text: str
    schedule: Schedule | None = None


GALLERY: Mapping[str, tuple[Example, ...]] = {
    "levels: a number is a factor of the base rate": (Example("Rate", "Linear(1.0, Rate(0.02))"),),
    "ramps: from one level to another": (
        Example("Constant", "Constant(0.5)"),
        Example("Linear", "Linear(1.0, 0.1)"),
        Example("Cosine", "Cosine()"),
    ),
    "warm-ups: up to the base rate": (Example("Warmup", "Warmup(30)"),),
    "decays: they fall and never end": (
        Example("Exponential", "Exponential(0.97)"),
        Example("InverseTime", "InverseTime(0.1)"),
    ),
    "staircases: constant for a while, then a jump": (Example("Step", "Step(25, 0.5)"),),
    "your own": (
        Example("Formula", 'Formula("(1 - p)**2 * (1 + 0.3*sin(t/3))", over=100)'),
        Example("Custom", "Custom(function)", Custom(lambda t: 0.95**t)),
    ),
    "combinators: schedules made of schedules": (
        Example("a >> b", 'Warmup("10%") >> Cosine()'),
        Example("a.then(b, at)", "Exponential(0.97).then(Constant(0.1), at=60)"),
        Example("a.until(at)", "Exponential(0.97).until(30)"),
        Example("a * b", "Warmup(20) * Exponential(0.98)"),
        Example("0.5 * a", "0.5 * Cosine()"),
    ),
}
"""The examples, by the room they stand in."""


def gallery(width: int = 80) -> list[Row]:
    """Every example with its picture, its signature and its text, room by room."""
    rows: list[Row] = []
    for room, examples in GALLERY.items():
        rows += [(Piece(room, line=0),)]
        for example in examples:
            rows += _shown(example, width)
        rows += [()]
    return rows


def drawn(example: Example) -> Schedule:
    """The schedule of an example, in steps."""
    schedule = parse(example.text) if example.schedule is None else example.schedule
    return schedule.bind(total=_STEPS, epoch=_EPOCH)


def signature(name: str) -> str:
    """How something is called, without types: ``Linear(start, end, *, over=None)``."""
    if name not in SHAPES:
        return name
    parameters = inspect.signature(SHAPES[name]).parameters.values()
    bare = [one.replace(annotation=one.empty) for one in parameters]
    return f"{name}{inspect.Signature(bare)}"


def _shown(example: Example, width: int) -> list[Row]:
    rates = drawn(example)(np.arange(_STEPS), base=_BASE)
    upper, lower = sparkline(rates, _WIDTH, rows=2, top=max(_BASE, float(rates.max())))
    room = max(30, width - _WIDTH - 4)
    first, *more = textwrap.wrap(signature(example.name), room, subsequent_indent="    ")
    texts = [*more, *textwrap.wrap(example.text, room, subsequent_indent="    ")]
    pictures = [lower, *[" " * _WIDTH] * (len(texts) - 1)]
    return [
        (Piece(f"  {upper}  "), Piece(first)),
        *(
            (Piece(f"  {picture}  "), Piece(text, dim=i >= len(more)))
            for i, (picture, text) in enumerate(zip(pictures, texts, strict=True))
        ),
    ]
