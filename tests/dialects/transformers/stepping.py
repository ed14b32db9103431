"""transformers' schedulers, stepped and compared."""

from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.dialects import parse
from lrlab.dialects import transformers as ours
from tests.dialects import stepping
from tests.dialects.stepping import STEPS

theirs = pytest.importorskip("transformers.optimization", reason="transformers is not installed")

bases = st.floats(1e-4, 10)
factors = st.floats(0, 1)
cycles = st.one_of(st.just(0.5), st.floats(0.1, 5))


def collect_foreign_rates(name: str, base: float, **arguments: Any) -> np.ndarray:
    """The rates of transformers' own scheduler at steps 0, 1, ..."""
    return stepping.collect_rates(lambda sgd: getattr(theirs, name)(sgd, **arguments), base)


def check_rates(
    name: str, base: float, until: int = STEPS, skip: tuple[int, ...] = (), **arguments: Any
) -> None:
    """Compares at steps up to ``until`` except ``skip``."""
    schedule = getattr(ours, name)(**arguments)
    t = np.setdiff1d(np.arange(min(until + 1, STEPS)), skip)
    expected = collect_foreign_rates(name, base, **arguments)[t]
    # Near 0 a cosine cancels, and so does the last step of a line.
    assert_allclose(schedule(t, base=base), expected, rtol=1e-12, atol=1e-12 * base)
    assert repr(parse(repr(schedule))) == repr(schedule)
