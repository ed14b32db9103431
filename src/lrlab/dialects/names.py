"""Other libraries' names in a schedule's text: ``torch.LinearLR(...)`` beside ``Linear(...)``."""

from lrlab.dialects import torch
from lrlab.schedules import Schedule
from lrlab.schedules.text import SHAPES, Builders
from lrlab.schedules.text import parse as parse_with

DIALECTS = {"torch": torch}

BUILDERS: Builders = {
    **SHAPES,
    **{
        f"{dialect}.{name}": getattr(module, name)
        for dialect, module in DIALECTS.items()
        for name in module.__all__
    },
}


def parse(text: str) -> Schedule:
    """The schedule that a text describes, in lrlab's own words or in another library's.

    Raises:
        ScheduleError: the text describes none; the message shows the place.

    >>> parse("Warmup(5) >> torch.CosineAnnealingLR(T_max=45)")
    Warmup(5) >> Cosine(45)
    """
    return parse_with(text, BUILDERS)
