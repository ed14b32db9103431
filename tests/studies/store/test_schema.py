"""Packed curves are unpacked bit for bit."""

import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from lrlab.studies.store.schema import pack_curve, unpack_curve

CURVES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9))


@given(CURVES)
def test_values_and_names_are_unpacked(values: np.ndarray) -> None:
    names = tuple(f"colonne n° {i}\n" for i in range(values.shape[1]))
    unpacked, unpacked_names = unpack_curve(pack_curve(values, names))
    assert unpacked_names == names
    np.testing.assert_array_equal(unpacked, values)
    zeros = values == 0
    np.testing.assert_array_equal(np.signbit(unpacked[zeros]), np.signbit(values[zeros]))


def test_columns_of_nan_take_no_space() -> None:
    values = np.random.default_rng(0).normal(size=(50, 7))
    with_nan = values.copy()
    with_nan[:, 4:] = np.nan
    names = tuple("abcdefg")
    assert len(pack_curve(with_nan, names)) < len(pack_curve(values[:, :4], names[:4])) + 20
