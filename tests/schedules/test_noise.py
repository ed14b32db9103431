"""Noise is a pure function of seed and step, and is distributed as it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lrlab.errors import ScheduleError
from lrlab.schedules import Noise
from tests.raising import raises

STEPS = np.arange(20_000)


@given(seed=st.integers(0, 2**70), amount=st.floats(0.01, 1))
def test_noise_stays_within_its_amount_and_is_new_at_every_step(seed: int, amount: float) -> None:
    for noise in (Noise(amount, seed=seed), Noise(amount, seed=seed, std=0.5)):
        rates = noise(np.arange(300))
        assert (np.abs(rates - 1) <= amount).all()
        assert len(set(rates.tolist())) > 290
        assert noise(17.5) == noise(17)


@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_uniform_noise_is_uniform(seed: int) -> None:
    deviations = Noise(0.5, seed=seed)(STEPS) - 1
    assert stats.kstest(deviations, stats.uniform(-0.5, 1.0).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(deviations[1:], deviations[:-1])[0, 1]) < 0.03
    other = Noise(0.5, seed=seed + 1)(STEPS) - 1
    assert abs(np.corrcoef(deviations, other)[0, 1]) < 0.03


@pytest.mark.parametrize(("amount", "std"), [(0.67, 1.0), (0.5, 0.1)])
def test_normal_noise_is_a_truncated_normal(amount: float, std: float) -> None:
    deviations = Noise(amount, std=std)(STEPS) - 1
    truncated = stats.truncnorm(-amount / std, amount / std, scale=std)
    assert stats.kstest(deviations, truncated.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("arguments", "mentions"),
    [
        ({"amount": 0}, ("amount", "above 0, at most 1", "got 0")),
        ({"amount": 1.5}, ("amount", "got 1.5")),
        ({"amount": 0.5, "std": 0}, ("std", "positive", "got 0")),
        ({"amount": 0.5, "seed": -1}, ("seed", "non-negative", "got -1")),
    ],
)
def test_arguments_out_of_their_domain_are_refused(arguments: dict, mentions: tuple) -> None:
    with raises(ScheduleError, "Noise:", *mentions):
        Noise(**arguments)
