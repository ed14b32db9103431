"""``lrlab shapes``: every schedule there is, with an example of each."""

from lrlab.cli.screen import show_rows

_HOW = (
    "Pictures: 100 steps, from 0 to the base rate, or to the peak if that is higher. Names of "
    "other libraries work too, such as torch.StepLR(30). Look closer: lrlab show "
    "'Warmup(5) >> Cosine(45)'"
)


def shapes() -> None:
    """List every shape, recipe and combinator: its picture, its arguments and an example."""
    from lrlab.views.listing import listing
    from lrlab.views.pieces import wrapped

    show_rows(lambda width: [*listing(width), *wrapped(_HOW, width, indent=0)])
