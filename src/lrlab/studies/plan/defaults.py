"""What is compared when nobody says: the baseline and about a dozen schedules."""

from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    Linear,
    Plateau,
    Polynomial,
    Schedule,
    Step,
    Warmup,
    one_cycle,
    wsd,
)
from lrlab.training import Settings

BASELINE = Constant(1.0)
"""What every schedule is compared to: the rate as it was given, throughout."""


def build_default_schedules(settings: Settings) -> tuple[Schedule, ...]:
    """The tutorial's four, and what is in use elsewhere, all of them with a peak of 1.

    The tutorial steps its scheduler once an epoch; stepped more often, its schedules still count
    epochs, and so do the stairs. ``Plateau`` reads a metric once an epoch, however often others
    are stepped.

    >>> for schedule in build_default_schedules(Settings()):
    ...     print(schedule)
    Constant(1.0)
    Linear(1.0, 0.5, over=30)
    Exponential(0.99)
    InverseTime(0.01)
    Step("30%")
    Polynomial(2.0)
    Cosine()
    Linear(1.0, 0.0)
    Cosine("30%", start=0.04, end=1.0) >> Cosine(end=4e-06)
    Warmup("10%") >> Cosine()
    Warmup("5%") >> Constant(1.0, over="75%") >> Cooldown()
    Plateau()
    """
    by_step = settings.step_every == "step"
    return (
        BASELINE,
        Linear(1.0, 0.5, over="30ep" if by_step else 30),
        Exponential(0.99, every="1ep" if by_step else 1),
        InverseTime(0.01, every="1ep" if by_step else 1),
        Step("30%"),
        Polynomial(2.0),
        Cosine(),
        Linear(1.0, 0.0),
        one_cycle(),
        Warmup("10%") >> Cosine(),
        wsd(),
        Plateau(),
    )
