"""Ramps, warm-ups and cooldowns against closed forms and against the libraries that have them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Absolute,
    Constant,
    Cooldown,
    Cosine,
    ExponentialWarmup,
    Geometric,
    Linear,
    LogWarmup,
    Polynomial,
    RadamWarmup,
    Rex,
    Schedule,
    Tanh,
    Warmup,
    untuned_exponential_warmup,
    untuned_linear_warmup,
)
from lrlab.schedules.ramps import CURVES
from tests.raising import raises
from tests.schedules.strategies import curves, heights, levels, powers, ramps

overs = st.integers(1, 500)
COOLDOWNS = {
    "linear": lambda u: 1 - u,
    "cosine": lambda u: (1 + math.cos(math.pi * u)) / 2,
    "sqrt": lambda u: 1 - math.sqrt(u),
    "square": lambda u: 1 - u**2,
    "mirror": lambda u: 2 * (1 - u) - (1 + math.cos(math.pi * u)) / 2,
    "halving": lambda u: 2 * 0.5**u - 1,
}


@given(over=overs, start=levels, end=levels, base=st.floats(1e-6, 10))
def test_ends_are_exact_and_the_last_value_holds(
    over: int, start: float, end: float, base: float
) -> None:
    for ramp in (Linear(start, end, over=over), Cosine(over, start=start, end=end)):
        assert ramp(0) == start
        assert ramp(over) == ramp(over + 1) == ramp(10 * over) == end
        assert ramp(over, base=base) == base * end


@given(over=overs, start=levels, end=levels)
def test_ramps_are_monotone_and_symmetric(over: int, start: float, end: float) -> None:
    t = np.arange(over + 1)
    for ramp, back in (
        (Linear(start, end, over=over), Linear(end, start, over=over)),
        (Cosine(over, start=start, end=end), Cosine(over, start=end, end=start)),
    ):
        rates = ramp(t)
        slack = 1e-14 * max(start, end)
        assert (np.diff(rates) * np.sign(end - start) >= -slack).all()
        assert_allclose(rates, back(over - t), rtol=0, atol=1e-14 * max(start, end, 1))


@given(ramp=ramps)
def test_every_ramp_has_its_levels_at_both_ends(ramp: Schedule) -> None:
    assert ramp(ramp.over) == ramp(ramp.over + 3) == pytest.approx(ramp.end, rel=1e-15)
    if ramp.over and ramp.start is not None:
        assert ramp(0) == pytest.approx(ramp.start, rel=1e-15)


@given(ramp=ramps)
def test_every_ramp_is_monotone(ramp: Schedule) -> None:
    steps = np.diff(ramp(np.linspace(0, ramp.over, 400)))
    slack = 1e-14 * max(ramp(0), ramp.end)
    assert (steps >= -slack).all() or (steps <= slack).all()


@given(over=overs, k=powers)
def test_rising_ramps_mirror_falling_ones(over: int, k: float) -> None:
    t = np.arange(over + 1)
    for primitive, arguments in (
        (Cosine, {"power": k}),
        (Rex, {"beta": min(k, 1.9)}),
        (Cooldown, {"curve": k}),
        (Tanh, {"upper": k}),
    ):
        up, down = (primitive(over, start=start, end=1 - start, **arguments) for start in (0, 1))
        assert_allclose(up(t), 1 - down(t), atol=1e-15)


@given(over=overs, power=powers, k=powers, start=levels, end=levels)
def test_closed_forms(over: int, power: float, k: float, start: float, end: float) -> None:
    for schedule, decay in (
        (
            # A power below 1 would magnify the last bits of the decay near the end.
            Cosine(over, start=start, end=end, power=max(1, power), k=k),
            lambda p: ((1 + math.cos(math.pi * p**k)) / 2) ** max(1, power),
        ),
        (Polynomial(power, over=over, start=start, end=end, k=k), lambda p: (1 - p**k) ** power),
        (
            Rex(over, start=start, end=end, beta=min(k, 1.99)),
            lambda p: (1 - p) / (0.5 + 0.5 * (1 - min(k, 1.99) * p)),
        ),
        (
            Tanh(over, start=start, end=end, lower=-k, upper=power),
            lambda p: (1 - math.tanh(-k * (1 - p) + power * p)) / 2,
        ),
    ):
        expected = [end + (start - end) * decay(t / over) for t in range(over)]
        assert_allclose(schedule(range(over)), expected, rtol=1e-12, atol=1e-12 * max(start, end))


@given(over=overs, start=heights, end=heights, base=st.floats(0.01, 10))
def test_geometric_is_straight_on_a_logarithmic_axis(
    over: int, start: float, end: float, base: float
) -> None:
    t = np.arange(over + 1)
    logs = np.log(Geometric(start, Absolute(end), over=over)(t, base=base))
    assert_allclose(logs, np.linspace(np.log(base * start), np.log(end), over + 1), atol=1e-12)
    with raises(ScheduleError, "Geometric: end", "positive", "Absolute(0.0)"):
        Geometric(start, Absolute(0.0), over=over)


@given(over=overs, end=levels)
def test_cosine_equals_the_papers_formula(over: int, end: float) -> None:
    expected = [end + (1 - end) * (1 + math.cos(math.pi * t / over)) / 2 for t in range(over + 1)]
    assert_allclose(Cosine(over, end=end)(range(over + 1)), expected, rtol=1e-12, atol=1e-15)


@given(over=st.integers(0, 500))
def test_a_warmup_counts_from_one_and_reaches_the_base_rate(over: int) -> None:
    t = np.arange(over + 3)
    expected = np.minimum((t + 1) / (over + 1), 1.0)
    assert_allclose(Warmup(over)(t), expected, rtol=1e-14)
    assert Warmup(over)(over) == 1.0


def test_levels_may_be_absolute() -> None:
    ramp = Linear(Absolute(0.001), 1.0, over=4)
    assert_allclose(ramp([0, 2, 4], base=0.1), [0.001, 0.0505, 0.1], rtol=1e-14)
    assert Warmup(4, start=Absolute(0.02))(0, base=0.1) == 0.02
    assert Constant(Absolute(0.3))(7, base=0.1) == 0.3


def test_a_duration_of_0_is_a_jump() -> None:
    assert Linear(1.0, 0.5, over=0)(0) == 0.5
    assert Cosine(0)(0) == 0.0
    assert Warmup(0)(0) == 1.0


@given(over=st.integers(1, 300), curve=curves)
def test_cooldowns_equal_the_formulas_of_papers(over: int, curve: str | float) -> None:
    cooldown = COOLDOWNS[curve] if isinstance(curve, str) else lambda u: 1 - u**curve
    expected = [cooldown(t / over) for t in range(over + 1)]
    assert_allclose(Cooldown(over, curve=curve)(range(over + 1)), expected, atol=1e-15)
    assert set(COOLDOWNS) == set(CURVES)
    assert Cooldown(over, curve="1-sqrt") == Cooldown(over, curve=0.5) == Cooldown(over)


@given(over=st.integers(1, 300), curve=curves)
def test_a_warmup_mirrors_a_cooldown(over: int, curve: str | float) -> None:
    t = np.arange(over + 1)
    up = Warmup(over, start=0.0, curve=curve)
    assert_allclose(up(t), 1 - Cooldown(over, curve=curve)(t), atol=1e-15)


@given(over=overs)
def test_a_symmetric_warmup_is_a_reversed_decay(over: int) -> None:
    t = np.arange(over + 1)
    for curve, decay in (("linear", Linear(1, 0, over=over)), ("cosine", Cosine(over))):
        assert_allclose(Warmup(over, start=0.0, curve=curve)(t), decay(over - t), atol=1e-15)


@given(over=st.integers(1, 300), curve=curves)
def test_the_first_step_is_not_wasted(over: int, curve: str | float) -> None:
    warmup = Warmup(over, curve=curve)
    longer = Warmup(over + 1, start=0.0, curve=curve)
    assert warmup(0) > 0
    assert_allclose(warmup(np.arange(over + 3)), longer(np.arange(over + 3) + 1), atol=1e-15)


@given(over=st.integers(2, 300))
def test_log_warmup_equals_deepspeed(over: int) -> None:
    gamma = 1 / math.log(over)
    expected = [gamma * math.log(t + 1) if t < over else 1.0 for t in range(over + 20)]
    assert_allclose(LogWarmup(over)(range(over + 20)), expected, rtol=1e-14)


def test_a_log_warmup_of_0_steps_is_none() -> None:
    assert LogWarmup(0)([0, 1, 2]).tolist() == [1, 1, 1]
    assert LogWarmup(1)([0, 1, 2]).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("class_name", "arguments", "ours"),
    [
        ("RAdamWarmup", {}, RadamWarmup(0.999)),
        ("LinearWarmup", {"warmup_period": 100}, Warmup(99)),
        ("ExponentialWarmup", {"warmup_period": 100}, ExponentialWarmup(100)),
    ],
)
def test_warmups_of_adam_equal_pytorch_warmup(
    class_name: str, arguments: dict, ours: Schedule
) -> None:
    library = pytest.importorskip("pytorch_warmup")
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    warmup = getattr(library, class_name)(optimizer, **arguments)
    rates = []
    for _ in range(400):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warmup.dampening():
            optimizer.param_groups[0]["lr"] = 1.0
    # RAdam's r - 4 is a small difference of two numbers in the thousands.
    assert_allclose(ours(range(400)), rates, rtol=1e-10 if class_name == "RAdamWarmup" else 1e-12)


@pytest.mark.parametrize("beta2", [0.7, 0.9, 0.99, 0.9999])
def test_radam_warmup_equals_the_papers_formula(beta2: float) -> None:
    longest = 2 / (1 - beta2) - 1
    lengths = [longest - 2 * n * beta2**n / (1 - beta2**n) for n in range(1, 400)]
    paper = [
        math.sqrt((r - 4) * (r - 2) * longest / ((longest - 4) * (longest - 2) * r))
        for r in lengths
        if r > 4
    ]
    assert_allclose(RadamWarmup(beta2)(range(len(paper))), paper, rtol=1e-9)  # as above


@pytest.mark.parametrize(("beta2", "steps"), [(0.5, 4), (0.9, 20), (0.99, 200), (0.999, 2000)])
def test_untuned_warmups_equal_the_papers_formulas(beta2: float, steps: int) -> None:
    paper = [min(1.0, (1 - beta2) / 2 * n) for n in range(1, 3000)]
    assert_allclose(untuned_linear_warmup(beta2)(range(2999)), paper, rtol=1e-12)
    assert untuned_linear_warmup(beta2) == Warmup(steps - 1)
    paper = [1 - math.exp(-(1 - beta2) * n) for n in range(1, 3000)]
    assert_allclose(untuned_exponential_warmup(beta2)(range(2999)), paper, rtol=1e-12)


def test_exponential_warmup_approaches_the_base_rate() -> None:
    rates = ExponentialWarmup(10)(np.arange(1000))
    assert rates[0] == pytest.approx(1 - math.exp(-0.1))
    assert (np.diff(rates) >= 0).all()
    assert rates[-1] == 1.0


@pytest.mark.parametrize("curve", ["quadratic", 0, -1, None, float("nan")])
def test_unknown_curves_are_refused(curve: object) -> None:
    with raises(
        ScheduleError, "Warmup: curve", "linear, cosine,", "a positive number k", repr(curve)
    ):
        Warmup(5, curve=curve)


@pytest.mark.parametrize("beta2", [0.6, 1.0, "0.9"])
def test_invalid_betas_are_refused(beta2: object) -> None:
    with raises(ScheduleError, "RadamWarmup: beta2", "above 0.6 and below 1", repr(beta2)):
        RadamWarmup(beta2)
    if beta2 != 0.6:
        with raises(ScheduleError, "beta2", "0 to below 1", repr(beta2)):
            untuned_linear_warmup(beta2)
