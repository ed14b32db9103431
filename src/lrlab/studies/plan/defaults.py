"""The schedules compared by default: the baseline and eleven others."""

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
"""The schedule that all others are compared with: a constant learning rate."""


def build_default_schedules(settings: Settings) -> tuple[Schedule, ...]:
    """Return the tutorial's four schedules and common ones, all with a peak factor of 1.

    The tutorial steps its scheduler once per epoch. If ``settings`` step more often, its schedules
    and ``Step`` still count epochs; ``Plateau`` reads its metric once per epoch in any case.

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
