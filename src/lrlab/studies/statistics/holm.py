"""Holm's correction: many tests, and one chance in twenty that any of them is wrong."""

import numpy as np
from numpy.typing import NDArray


def adjust_by_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The p-values of a family of tests, adjusted for there being many.

    With m of them in rising order::

        adjusted(i) = max over j <= i of min(1, (m - j + 1) * p(j))

    Those below 0.05 may all be called real: the chance that any of them is not is 5 % at most,
    however the tests depend on each other.

    Args:
        p_values: shape (tests,).

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70. (SciPy has only corrections of
    the false discovery rate.)

    >>> adjust_by_holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p_values[order]))
    return adjusted
