"""Warm-ups and cooldowns against closed forms and against the library that has them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Cooldown,
    Cosine,
    ExponentialWarmup,
    Linear,
    LogWarmup,
    RadamWarmup,
    Schedule,
    Warmup,
    untuned_exponential_warmup,
    untuned_linear_warmup,
)
from lrlab.schedules.ramps import CURVES
from tests.schedules.strategies import curves

overs = st.integers(1, 300)
COOLDOWNS = {
    "linear": lambda u: 1 - u,
    "cosine": lambda u: (1 + math.cos(math.pi * u)) / 2,
    "sqrt": lambda u: 1 - math.sqrt(u),
    "square": lambda u: 1 - u**2,
    "mirror": lambda u: 2 * (1 - u) - (1 + math.cos(math.pi * u)) / 2,
    "halving": lambda u: 2 * 0.5**u - 1,
}


@given(over=overs, curve=curves)
def test_a_cooldown_is_what_papers_write(over: int, curve: str | float) -> None:
    left = COOLDOWNS[curve] if isinstance(curve, str) else lambda u: 1 - u**curve
    expected = [left(t / over) for t in range(over + 1)]
    assert_allclose(Cooldown(over, curve=curve)(range(over + 1)), expected, atol=1e-15)
    assert set(COOLDOWNS) == set(CURVES)
    assert Cooldown(over, curve="1-sqrt") == Cooldown(over, curve=0.5) == Cooldown(over)


@given(over=overs, curve=curves)
def test_a_warmup_is_a_cooldown_upside_down(over: int, curve: str | float) -> None:
    t = np.arange(over + 1)
    up = Warmup(over, start=0.0, curve=curve)
    assert_allclose(up(t), 1 - Cooldown(over, curve=curve)(t), atol=1e-15)


@given(over=overs)
def test_a_symmetric_warmup_is_a_decay_reversed(over: int) -> None:
    t = np.arange(over + 1)
    for curve, decay in (("linear", Linear(1, 0, over=over)), ("cosine", Cosine(over))):
        assert_allclose(Warmup(over, start=0.0, curve=curve)(t), decay(over - t), atol=1e-15)


@given(over=overs, curve=curves)
def test_the_first_step_is_not_wasted(over: int, curve: str | float) -> None:
    warmup = Warmup(over, curve=curve)
    longer = Warmup(over + 1, start=0.0, curve=curve)
    assert warmup(0) > 0
    assert_allclose(warmup(np.arange(over + 3)), longer(np.arange(over + 3) + 1), atol=1e-15)


@given(over=st.integers(2, 300))
def test_log_warmup_is_deepspeeds(over: int) -> None:
    gamma = 1 / math.log(over)
    expected = [gamma * math.log(t + 1) if t < over else 1.0 for t in range(over + 20)]
    assert_allclose(LogWarmup(over)(range(over + 20)), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("theirs", "words", "ours"),
    [
        ("RAdamWarmup", {}, RadamWarmup(0.999)),
        ("LinearWarmup", {"warmup_period": 100}, Warmup(99)),
        ("ExponentialWarmup", {"warmup_period": 100}, ExponentialWarmup(100)),
    ],
)
def test_warmups_of_adam_are_pytorch_warmups(theirs: str, words: dict, ours: Schedule) -> None:
    library = pytest.importorskip("pytorch_warmup")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    warmup = getattr(library, theirs)(optimizer, **words)
    rates = []
    for _ in range(400):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warmup.dampening():
            optimizer.param_groups[0]["lr"] = 1.0
    # RAdam's r - 4 is what is left of two numbers in the thousands.
    assert_allclose(ours(range(400)), rates, rtol=1e-10 if theirs == "RAdamWarmup" else 1e-12)


@pytest.mark.parametrize("beta2", [0.7, 0.9, 0.99, 0.9999])
def test_rectification_is_that_of_pytorchs_radam_paper(beta2: float) -> None:
    longest = 2 / (1 - beta2) - 1
    lengths = [longest - 2 * n * beta2**n / (1 - beta2**n) for n in range(1, 400)]
    paper = [
        math.sqrt((r - 4) * (r - 2) * longest / ((longest - 4) * (longest - 2) * r))
        for r in lengths
        if r > 4
    ]
    assert_allclose(RadamWarmup(beta2)(range(len(paper))), paper, rtol=1e-9)  # as above


@pytest.mark.parametrize(("beta2", "steps"), [(0.5, 4), (0.9, 20), (0.99, 200), (0.999, 2000)])
def test_untuned_warmups_are_the_papers(beta2: float, steps: int) -> None:
    paper = [min(1.0, (1 - beta2) / 2 * n) for n in range(1, 3000)]
    assert_allclose(untuned_linear_warmup(beta2)(range(2999)), paper, rtol=1e-12)
    assert untuned_linear_warmup(beta2) == Warmup(steps - 1)
    paper = [1 - math.exp(-(1 - beta2) * n) for n in range(1, 3000)]
    assert_allclose(untuned_exponential_warmup(beta2)(range(2999)), paper, rtol=1e-12)


def test_exponential_warmup_comes_ever_nearer() -> None:
    rates = ExponentialWarmup(10)(np.arange(1000))
    assert rates[0] == pytest.approx(1 - math.exp(-0.1))
    assert (np.diff(rates) >= 0).all()
    assert rates[-1] == 1.0


@pytest.mark.parametrize("curve", ["quadratic", 0, -1, None, float("nan")])
def test_curves_that_are_none(curve: object) -> None:
    with pytest.raises(
        ScheduleError, match=r"curve must be one of linear, cosine, .* or a number k"
    ):
        Warmup(5, curve=curve)


@pytest.mark.parametrize("beta2", [0.6, 1.0, "0.9"])
def test_betas_that_are_none(beta2: object) -> None:
    with pytest.raises(ScheduleError, match=r"beta2 must be a number above 0\.6 and below 1"):
        RadamWarmup(beta2)
    if beta2 != 0.6:
        with pytest.raises(ScheduleError, match="beta2 must be from 0 to below 1"):
            untuned_linear_warmup(beta2)
