"""Mistakes that a schedule may hold although each part of it is right."""

import math
from collections.abc import Iterator

from lrlab.schedules.base import Schedule
from lrlab.schedules.formulas import Custom, Formula


def lint(schedule: Schedule, base: float) -> tuple[str, ...]:
    """One sentence for each mistake found in a bound ``schedule`` on the base rate ``base``.

    Found today: a formula or function that multiplies by the base rate, which the scheduler does
    too (the mistake of passing ``lambda t: 0.1 / (1 + 0.01*t)`` to torch's LambdaLR at rate 0.1).

    >>> lint(Formula("0.1 / (1 + 0.01*t)"), base=0.1)[0]
    'Formula("0.1 / (1 + 0.01*t)") starts at 0.1, the base rate itself, so the base rate is \
applied twice and training starts at 0.1 * 0.1 = 0.01; a formula gives a factor of the base rate, \
so leave the 0.1 out of it.'
    >>> lint(Formula("1 / (1 + 0.01*t)"), base=0.1)
    ()
    """
    return tuple(_base_rate_twice(schedule, base))


def _base_rate_twice(schedule: Schedule, base: float) -> Iterator[str]:
    for part in schedule.walk():
        if not isinstance(part, Formula | Custom) or base == 1:
            continue
        first = part(0)
        if math.isclose(first, base, rel_tol=1e-9):
            yield (
                f"{part} starts at {first:g}, the base rate itself, so the base rate is applied "
                f"twice and training starts at {base:g} * {base:g} = {base * base:g}; a formula "
                f"gives a factor of the base rate, so leave the {base:g} out of it."
            )
