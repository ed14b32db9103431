"""What a paired test can see: the smallest difference, and how many seeds one takes."""

import math
from bisect import bisect_left
from functools import lru_cache

from scipy import special

POWER = 0.8
"""How often what is there shall be seen: the usual choice, four times in five."""

MOST_SEEDS = 100_000
"""No study has more."""


@lru_cache(maxsize=4096)  # one study asks for the same ones over and over
def visible(seeds: int, level: float) -> float:
    """The smallest difference that is seen in 80 % of studies, in standard errors.

    It is the noncentrality d of Student's t with n - 1 degrees of freedom for which
    P(T > t) = 0.8, where t is the two-sided limit of the test. (That T falls below -t instead has
    no chance to speak of.)

    Args:
        seeds: n, 2 or more.
        level: of the two-sided test.

    >>> round(visible(30, 0.05), 3)
    2.899
    """
    limit = -special.stdtrit(seeds - 1, level / 2)
    return float(special.nctdtrinc(seeds - 1, 1 - POWER, limit))


def seeds_to_see(effect: float, level: float, overlap: float = 0.0) -> int | None:
    """How many seeds see a difference in 80 % of studies.

    With n seeds its standard error is sqrt(1 / n + overlap) standard deviations. Where splits
    overlap that does not fall to zero, and no number of seeds may do.

    Args:
        effect: the difference in standard deviations of the differences, 0 or more.
        level: of the two-sided test.
        overlap: test rows per row not tested, where each seed draws its own split.

    Returns:
        The smallest number, 2 or more; None where none up to 100 000 does.

    >>> seeds_to_see(0.5, 0.05), seeds_to_see(0.5, 0.05, overlap=0.4)
    (34, None)
    """

    def seen(seeds: int) -> bool:
        return effect >= visible(seeds, level) * math.sqrt(1 / seeds + overlap)

    numbers = range(2, MOST_SEEDS + 1)
    place = bisect_left(numbers, True, key=seen)
    return numbers[place] if place < len(numbers) else None
