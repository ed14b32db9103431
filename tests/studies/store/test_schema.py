"""Curves as bytes: bit for bit what they were, whatever the numbers."""

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from lrlab.studies.store.schema import pack_curve, unpack_curve

CURVES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9))


@given(CURVES)
def test_numbers_and_names_come_back(values: np.ndarray) -> None:
    names = tuple(f"colonne n° {i}\n" for i in range(values.shape[1]))
    back, named = unpack_curve(pack_curve(values, names))
    assert named == names
    np.testing.assert_array_equal(back, values)
    np.testing.assert_array_equal(np.signbit(back[values == 0]), np.signbit(values[values == 0]))


def test_columns_that_say_nothing_cost_nothing() -> None:
    full = np.random.default_rng(0).normal(size=(50, 7))
    part = full.copy()
    part[:, 4:] = np.nan
    names = tuple("abcdefg")
    assert len(pack_curve(part, names)) < len(pack_curve(full[:, :4], names[:4])) + 20
