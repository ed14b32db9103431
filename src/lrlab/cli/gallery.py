"""``lrlab gallery``: list all schedules, each with a small plot and an example."""

from lrlab.cli.console import print_lines
from lrlab.cli.import_option import ImportOption

_FOOTNOTE = (
    "Plots: 100 steps, from 0 to the base rate, or to the peak if that is higher. Names of other "
    "libraries work too, such as torch.StepLR(30). To see a schedule in detail: lrlab show "
    "'Warmup(5) >> Cosine(45)'"
)


def gallery(imports: ImportOption = None) -> None:
    """List all schedules, recipes and combinators, each with a small plot and an example."""
    from lrlab.views.gallery import render_gallery
    from lrlab.views.text import wrap_note

    print_lines(lambda width: [*render_gallery(width), *wrap_note(_FOOTNOTE, width)])
