"""Holm's correction against what it is made to be: the closed test of Bonferroni's."""

from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.studies.statistics.paired import adjust_by_holm


@given(st.lists(st.floats(0, 1), max_size=6))
def test_it_is_the_closed_test_of_bonferronis(p: list[float]) -> None:
    """Rejected is what is in rejected sets alone, each tested by its smallest p times its size."""
    everyone = range(len(p))
    sets = [s for size in range(1, len(p) + 1) for s in combinations(everyone, size)]
    closed = [max(min(1, len(s) * min(p[j] for j in s)) for s in sets if i in s) for i in everyone]
    assert_allclose(adjust_by_holm(np.array(p)), closed, rtol=1e-12)
