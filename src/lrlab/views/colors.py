"""The colours and strokes of lines, the same in every picture."""

# Okabe and Ito's colours, which people of any colour vision tell apart.
COLORS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#999999")
LINE_STYLES = ("-", "--", ":")


def get_line_style(i: int) -> tuple[str, str]:
    """Colour and stroke of the line number ``i``, counted from 0.

    >>> get_line_style(0), get_line_style(9)
    (('#000000', '-'), ('#E69F00', '--'))
    """
    return COLORS[i % len(COLORS)], LINE_STYLES[i // len(COLORS) % len(LINE_STYLES)]
