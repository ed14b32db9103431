"""What a paired test can see: the smallest difference, and how many seeds one takes."""

import math
from bisect import bisect_left
from functools import lru_cache

from scipy import special

POWER = 0.8
"""How often what is there shall be seen: the usual choice, four times in five."""

MAX_SEEDS = 100_000
"""No study has more."""


@lru_cache(maxsize=4096)  # one study asks for the same ones over and over
def compute_min_detectable(seed_count: int, alpha: float) -> float:
    """The smallest difference that is seen in 80 % of studies, in standard errors.

    It is the noncentrality d of Student's t with n - 1 degrees of freedom for which
    P(T > t) = 0.8, where t is the two-sided limit of the test. (That T falls below -t instead has
    no chance to speak of.)

    Args:
        seed_count: n, 2 or more.
        alpha: of the two-sided test.

    >>> round(compute_min_detectable(30, 0.05), 3)
    2.899
    """
    limit = -special.stdtrit(seed_count - 1, alpha / 2)
    return float(special.nctdtrinc(seed_count - 1, 1 - POWER, limit))


def count_seeds_needed(effect_size: float, alpha: float, test_train_ratio: float = 0.0) -> int | None:
    """How many seeds see a difference in 80 % of studies.

    With n seeds its standard error is sqrt(1 / n + overlap) standard deviations. Where splits
    overlap that does not fall to zero, and no number of seeds may do.

    Args:
        effect_size: the difference in standard deviations of the differences, 0 or more.
        alpha: of the two-sided test.
        test_train_ratio: test rows per row not tested, where each seed draws its own split.

    Returns:
        The smallest number, 2 or more; None where none up to 100 000 does.

    >>> count_seeds_needed(0.5, 0.05), count_seeds_needed(0.5, 0.05, overlap=0.4)
    (34, None)
    """

    def is_detectable(seeds: int) -> bool:
        return effect_size >= compute_min_detectable(seeds, alpha) * math.sqrt(1 / seeds + test_train_ratio)

    numbers = range(2, MAX_SEEDS + 1)
    index = bisect_left(numbers, True, key=is_detectable)
    return numbers[index] if index < len(numbers) else None
