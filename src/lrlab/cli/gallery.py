"""``lrlab gallery``: list every schedule with a picture and an example."""

from lrlab.cli.console import print_lines

_FOOTNOTE = (
    "Pictures: 100 steps, from 0 to the base rate, or to the peak if that is higher. Names of "
    "other libraries work too, such as torch.StepLR(30). To see one in detail: lrlab show "
    "'Warmup(5) >> Cosine(45)'"
)


def gallery() -> None:
    """List every schedule, recipe and combinator with a picture, its arguments and an example."""
    from lrlab.views.gallery import render_gallery
    from lrlab.views.text import wrap_note

    print_lines(lambda width: [*render_gallery(width), *wrap_note(_FOOTNOTE, width)])
