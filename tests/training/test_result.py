"""Curves hold epochs exactly, small and quick to send."""

import pickle
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis.strategies import builds, floats, integers, lists, none

from lrlab.training import Curve, Epoch, Result

numbers = floats(allow_nan=False)
epochs = builds(
    Epoch,
    integers(0, 2**40),
    numbers,
    numbers,
    numbers,
    numbers,
    validation_loss=none() | numbers,
    validation_score=none() | numbers,
)


@given(lists(epochs, max_size=5))
def test_a_curve_gives_back_its_epochs(given_epochs: list[Epoch]) -> None:
    curve = Curve.from_epochs(given_epochs)
    assert list(curve) == given_epochs
    assert len(curve) == len(given_epochs)
    assert all(type(epoch.epoch) is int for epoch in curve)
    for field in fields(Epoch):
        column = [getattr(epoch, field.name) for epoch in given_epochs]
        expected = np.array([np.nan if value is None else value for value in column], dtype=float)
        np.testing.assert_array_equal(curve.get_column(field.name), expected)


@given(lists(epochs, min_size=1, max_size=5), lists(epochs, max_size=5))
def test_curves_are_equal_if_their_epochs_are(first: list[Epoch], second: list[Epoch]) -> None:
    assert (Curve.from_epochs(first) == Curve.from_epochs(second)) == (first == second)
    assert Curve.from_epochs(first) == pickle.loads(pickle.dumps(Curve.from_epochs(first)))
    assert Curve.from_epochs(first)[-1] == first[-1]


def test_a_curve_is_unhashable_and_equals_only_curves() -> None:
    curve = Curve.from_epochs([Epoch(0, 0.1, 0.1, 1.0, 1.0)])
    assert curve != [curve[0]]
    with pytest.raises(TypeError, match="unhashable"):
        hash(curve)
    with pytest.raises(IndexError):
        curve[1]


def test_results_are_small() -> None:
    curve = Curve.from_epochs([Epoch(i, 0.1, 0.1, 1.0, 1.0) for i in range(50)])
    assert len(pickle.dumps(Result(1.0, False, curve, 0.1))) < 50 * 7 * 8 + 500
