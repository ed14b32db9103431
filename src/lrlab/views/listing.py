"""The gallery as text: every example with its picture, its arguments and its text."""

import inspect
import textwrap

from lrlab.schedules import Schedule
from lrlab.schedules.text import BUILTIN_BUILDERS
from lrlab.views.braille import draw_sparkline
from lrlab.views.gallery import GALLERY, Example, compute_example_rates
from lrlab.views.pieces import StyledText, StyledLine

_SPARKLINE_WIDTH = 16
_BASE_LR = 0.1
_INDENT = " " * 4


def render_gallery(width: int = 80) -> list[StyledLine]:
    """All examples, room by room."""
    rows: list[StyledLine] = []
    for section, examples in GALLERY.items():
        rows.append((StyledText(section, line_index=0),))
        for example in examples:
            rows += _render_example(example, width)
        rows.append(())
    return rows


def format_signature(name: str) -> str:
    """How something is called, without types.

    >>> format_signature("Linear"), format_signature("a.until"), format_signature("a * b")
    ('Linear(start, end, *, over=None)', 'a.until(at)', 'a * b')
    """
    if name in BUILTIN_BUILDERS:
        function, skipped_parameters = BUILTIN_BUILDERS[name], 0
    elif name.startswith("a."):
        function, skipped_parameters = getattr(Schedule, name.removeprefix("a.")), 1
    else:
        return name
    parameters = list(inspect.signature(function).parameters.values())[skipped_parameters:]
    untyped_signature = inspect.Signature([one.replace(annotation=one.empty) for one in parameters])
    return f"{name}{untyped_signature}".replace("'", '"')  # as texts are written in a shell's single quotes


def _render_example(example: Example, width: int) -> list[StyledLine]:
    """The picture is two lines high and stands left of two lines of text or more."""
    example_rates = compute_example_rates(example)
    pictures = draw_sparkline(example_rates, _SPARKLINE_WIDTH, rows=2, top=max(_BASE_LR, float(example_rates.max())))
    text_width = max(30, width - _SPARKLINE_WIDTH - 4)
    signature_lines = textwrap.wrap(format_signature(example.name), text_width, subsequent_indent=_INDENT)
    text_lines = textwrap.wrap(example.text, text_width, subsequent_indent=_INDENT)
    pieces = [*(StyledText(line) for line in signature_lines), *(StyledText(line, dim=True) for line in text_lines)]
    pictures += [" " * _SPARKLINE_WIDTH] * (len(pieces) - 2)
    return [
        (StyledText(f"  {picture}  "), piece) for picture, piece in zip(pictures, pieces, strict=True)
    ]
