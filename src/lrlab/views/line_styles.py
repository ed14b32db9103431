"""How the line of each schedule looks, the same in every plot: color, dashes and mark."""

from typing import NamedTuple

MARKS = "123456789abcdefghijklmnopqrstuvwxyz"

# The palette of Okabe and Ito, which people with any color vision can tell apart.
_COLORS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#999999")
_DASHES = (("-", "solid", "none"), ("--", "dash", "6 3"), (":", "dot", "2 3"))


class LineStyle(NamedTuple):
    """The look of one line, in the words of each library.

    Args:
        mark: the character that names the line, with colors and without.
        color: as a hexadecimal number.
        linestyle: of matplotlib.
        plotly_dash: of Plotly.
        svg_dasharray: of SVG.
    """

    mark: str
    color: str
    linestyle: str
    plotly_dash: str
    svg_dasharray: str

    @property
    def rich_style(self) -> str:
        """The style of rich; black is the terminal's own color, readable on any background."""
        return "bold" if self.color == _COLORS[0] else f"bold {self.color}"


def get_line_style(i: int) -> LineStyle:
    """Return the style of line number ``i``, counted from 0.

    >>> get_line_style(0)[:3], get_line_style(9)[:3]
    (('1', '#000000', '-'), ('a', '#E69F00', '--'))
    """
    color, dashes = _COLORS[i % len(_COLORS)], _DASHES[i // len(_COLORS) % len(_DASHES)]
    return LineStyle(MARKS[i % len(MARKS)], color, *dashes)
