"""The colours and strokes of lines, the same in every picture."""

# Okabe and Ito's colours, which people of any colour vision tell apart.
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7", "#999999")
STYLES = ("-", "--", ":")


def look(i: int) -> tuple[str, str]:
    """Colour and stroke of the line number ``i``, counted from 0.

    >>> look(0), look(9)
    (('#000000', '-'), ('#E69F00', '--'))
    """
    return COLOURS[i % len(COLOURS)], STYLES[i // len(COLOURS) % len(STYLES)]
