"""lrlab.dialects.torch against torch's own schedulers: arguments, rates, texts and errors."""

import inspect
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.optim import Optimizer, lr_scheduler

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from tests.dialects.foreign_torch import check_against_torch, collect_torch_rates, get_torch_class
from tests.dialects.stepped_rates import STEPS, collect_metric_rates, collect_rates, make_sgd
from tests.dialects.torch_strategies import SchedulerSpec, chained_specs, sequential_specs
from tests.raising import raises


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_and_defaults_equal_torchs(name: str) -> None:
    mine = inspect.signature(getattr(ours, name)).parameters
    whole = inspect.signature(get_torch_class(name)).parameters
    theirs = {key: value for key, value in whole.items() if key not in ("optimizer", "last_epoch")}
    assert list(mine) == list(theirs)
    for key, parameter in theirs.items():
        assert mine[key].default == pytest.approx(parameter.default) or (
            mine[key].default is parameter.default
        )


REQUIRED: dict[str, dict[str, Any]] = {
    "LambdaLR": {"lr_lambda": abs},
    "MultiplicativeLR": {"lr_lambda": abs},
    "ExponentialLR": {"gamma": 0.9},
    "StepLR": {"step_size": 3},
    "MultiStepLR": {"milestones": [3]},
    "CosineAnnealingLR": {"T_max": 9},
    "CosineAnnealingWarmRestarts": {"T_0": 9},
    "SWALR": {"swa_lr": 0.1},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 9},
    "SequentialLR": {"schedulers": [ours.StepLR(3)] * 2, "milestones": [4]},
    "ChainedScheduler": {"schedulers": [ours.StepLR(3)] * 2},
}


@pytest.mark.parametrize("name", ours.__all__)
@pytest.mark.parametrize(
    "value",
    [None, "x", math.nan, math.inf, -1, -0.5, 0, True, [1, 2], {}, object(), 10**400],
    ids=lambda value: repr(value)[:9] if isinstance(value, int) else None,
)
def test_invalid_arguments_raise_a_schedule_error(name: str, value: Any) -> None:
    function = getattr(ours, name)
    for parameter in inspect.signature(function).parameters:
        try:
            result = function(**REQUIRED.get(name, {}) | {parameter: value})
        except ScheduleError:
            continue
        assert isinstance(result, Schedule | LrAndMomentum)


bases = st.floats(1e-4, 10)
factors = st.floats(1e-3, 1.0)
counts = st.integers(1, 150)


@settings(max_examples=30)
@given(base=bases, start=factors, end=st.floats(0, 1), iters=counts)
def test_linear(base: float, start: float, end: float, iters: int) -> None:
    kwargs = {"start_factor": start, "end_factor": end, "total_iters": iters}
    check_against_torch(ours.LinearLR(**kwargs), "LinearLR", base, **kwargs)
    check_against_torch(ours.LinearLR(), "LinearLR", base)


@settings(max_examples=30)
@given(base=bases, factor=st.floats(0.01, 1), iters=counts)
def test_constant(base: float, factor: float, iters: int) -> None:
    kwargs = {"factor": factor, "total_iters": iters}
    check_against_torch(ours.ConstantLR(**kwargs), "ConstantLR", base, **kwargs)
    check_against_torch(ours.ConstantLR(), "ConstantLR", base)


@settings(max_examples=30)
@given(base=bases, gamma=st.floats(0.8, 1.01))
def test_exponential(base: float, gamma: float) -> None:
    check_against_torch(ours.ExponentialLR(gamma), "ExponentialLR", base, gamma=gamma)


@settings(max_examples=30)
@given(base=bases, size=counts, gamma=st.floats(0.5, 1))
def test_step(base: float, size: int, gamma: float) -> None:
    check_against_torch(ours.StepLR(size, gamma), "StepLR", base, step_size=size, gamma=gamma)
    check_against_torch(ours.StepLR(size), "StepLR", base, step_size=size)


@settings(max_examples=30)
@given(base=bases, alpha=st.floats(0, 1))
def test_lambda(base: float, alpha: float) -> None:
    def compute_factor(epoch: int) -> float:
        return 1 / (1 + alpha * epoch)

    check_against_torch(ours.LambdaLR(compute_factor), "LambdaLR", base, lr_lambda=compute_factor)


@settings(max_examples=30)
@given(base=bases, alpha=st.floats(0, 0.1))
def test_multiplicative(base: float, alpha: float) -> None:
    def compute_factor(epoch: int) -> float:
        return 1 - alpha / epoch

    check_against_torch(
        ours.MultiplicativeLR(compute_factor), "MultiplicativeLR", base, lr_lambda=compute_factor
    )


@settings(max_examples=30)
@given(base=bases, milestones=st.lists(st.integers(0, 250), max_size=6), gamma=st.floats(0.5, 1))
def test_multi_step(base: float, milestones: list[int], gamma: float) -> None:
    kwargs = {"milestones": milestones, "gamma": gamma}
    check_against_torch(ours.MultiStepLR(**kwargs), "MultiStepLR", base, **kwargs)
    check_against_torch(ours.MultiStepLR(milestones), "MultiStepLR", base, milestones=milestones)


@settings(max_examples=30)
@given(base=bases, iters=counts, power=st.floats(0.1, 3))
def test_polynomial(base: float, iters: int, power: float) -> None:
    kwargs = {"total_iters": iters, "power": power}
    check_against_torch(ours.PolynomialLR(**kwargs), "PolynomialLR", base, **kwargs)
    check_against_torch(ours.PolynomialLR(), "PolynomialLR", base)


@pytest.mark.parametrize("name", ["ConstantLR", "LinearLR", "PolynomialLR"])
def test_zero_iterations_never_end(name: str) -> None:
    check_against_torch(getattr(ours, name)(total_iters=0), name, 0.1, total_iters=0)


def test_only_lrlab_reaches_fractions_of_a_step() -> None:
    kwargs = {"factor": 0.5, "total_iters": 2.5}
    assert ours.ConstantLR(**kwargs)([2, 3]).tolist() == [0.5, 1.0]
    assert collect_torch_rates("ConstantLR", 1.0, 200, **kwargs)[-1] == 0.5
    assert repr(ours.StepLR("5ep")) == 'Step("5ep")'


@pytest.mark.parametrize("milestones", [3, None, [1, "x"], ["x"], [-1], [[1]]])
def test_milestones_that_are_not_steps(milestones: object) -> None:
    with raises(ScheduleError, "milestones", f"got {milestones}"):
        ours.MultiStepLR(milestones)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("LinearLR", {"start_factor": 0.0}),
        ("LinearLR", {"start_factor": 2.0}),
        ("LinearLR", {"end_factor": 2.0}),
        ("ConstantLR", {"factor": 2.0}),
    ],
)
def test_factors_that_torch_refuses(name: str, arguments: dict) -> None:
    with pytest.raises(ValueError, match=r"[Ff]actor"):
        collect_torch_rates(name, 0.1, **arguments)
    assert isinstance(getattr(ours, name)(**arguments)(3, base=0.1), float)


def test_torch_divides_by_a_factor_of_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        collect_torch_rates("ConstantLR", 0.1, factor=0.0)
    assert ours.ConstantLR(0.0)([4, 5]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("gamma", [0.0, -0.5])
def test_factors_that_only_torch_takes(gamma: float) -> None:
    collect_torch_rates("ExponentialLR", 0.1, gamma=gamma)
    with raises(ScheduleError, "gamma", f"got {gamma}"):
        ours.ExponentialLR(gamma)


def test_a_list_of_functions_is_refused() -> None:
    for dialect in (ours.LambdaLR, ours.MultiplicativeLR):
        with raises(ScheduleError, "lr_lambda", "got [<function", "Formula("):
            dialect([lambda epoch: 1.0])


@settings(max_examples=30)
@given(base=bases, period=st.integers(2, 300), floor=st.floats(0, 1e-4))
def test_cosine_equals_torch_until_its_end_and_stays_there(
    base: float, period: int, floor: float
) -> None:
    schedule = ours.CosineAnnealingLR(period, floor)
    expected = collect_torch_rates("CosineAnnealingLR", base, T_max=period, eta_min=floor)
    ends = min(period + 1, STEPS)
    assert_allclose(schedule(range(ends), base=base), expected[:ends], rtol=1e-9, atol=1e-12 * base)
    exact = [floor + (base - floor) * (1 + math.cos(math.pi * t / period)) / 2 for t in range(ends)]
    assert_allclose(schedule(range(ends), base=base), exact, rtol=1e-12, atol=1e-15 * base)
    assert schedule(2 * period, base=base) == schedule(period, base=base)  # torch climbs
    if 2 * period < STEPS:
        assert expected[2 * period] == pytest.approx(base)


def test_a_cosine_of_zero_steps_is_at_its_end() -> None:
    with pytest.raises(ZeroDivisionError):
        collect_torch_rates("CosineAnnealingLR", 0.1, T_max=0)
    assert ours.CosineAnnealingLR(0, 0.01)([0, 5], base=0.1).tolist() == [0.01, 0.01]


@settings(max_examples=30)
@given(base=bases, period=st.integers(1, 100), growth=st.integers(1, 4), floor=st.floats(0, 1e-3))
def test_warm_restarts(base: float, period: int, growth: int, floor: float) -> None:
    kwargs = {"T_0": period, "T_mult": growth, "eta_min": floor}
    schedule = ours.CosineAnnealingWarmRestarts(**kwargs)
    expected = collect_torch_rates("CosineAnnealingWarmRestarts", base, **kwargs)
    # torch's own closed form in float64; its cosine is 1 + cos, whose last bits cancel near 0.
    assert_allclose(schedule(range(STEPS), base=base), expected, rtol=1e-12, atol=1e-15 * base)


@settings(max_examples=30)
@given(
    base=bases,
    swa_lr=st.floats(0, 0.1),
    epochs=st.integers(0, 100),
    strategy=st.sampled_from(["cos", "linear"]),
)
def test_swalr(base: float, swa_lr: float, epochs: int, strategy: str) -> None:
    kwargs = {"swa_lr": swa_lr, "anneal_epochs": epochs, "anneal_strategy": strategy}
    check_against_torch(ours.SWALR(**kwargs), "SWALR", base, **kwargs)
    check_against_torch(ours.SWALR(0.05), "SWALR", base, swa_lr=0.05)


metrics = st.lists(
    st.one_of(st.floats(-2, 2), st.sampled_from([0.5, 1.0, math.nan, math.inf, -math.inf])),
    min_size=1,
    max_size=60,
)


@settings(max_examples=100)
@given(
    base=bases,
    losses=metrics,
    kwargs=st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["min", "max"]),
            "factor": st.floats(0, 1, exclude_max=True),
            "patience": st.integers(0, 4),
            "threshold": st.floats(0, 0.5),
            "threshold_mode": st.sampled_from(["rel", "abs"]),
            "cooldown": st.integers(0, 4),
            "min_lr": st.floats(0, 0.1),
            "eps": st.floats(0, 0.01),
        },
    ),
)
def test_plateau_equals_torch(base: float, losses: list[float], kwargs: dict) -> None:
    optimizer = make_sgd(base)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **kwargs)
    expected = []
    for metric in losses:
        theirs.step(metric)
        expected.append(optimizer.param_groups[0]["lr"])
    # Without an absolute level lrlab multiplies factors, which rounds differently.
    rates = collect_metric_rates(ours.ReduceLROnPlateau(**kwargs), losses, base)
    assert rates == pytest.approx(expected, rel=1e-12, abs=0)


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": [0.1, 0.2]}, ("eta_min", "got [0.1, 0.2]")),
        ("CosineAnnealingLR", {"T_max": 5, "eta_min": -1}, ("eta_min", "got -1")),
        ("CosineAnnealingWarmRestarts", {"T_0": 0}, ("T_0", "got 0")),
        ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 1.5}, ("T_mult", "got 1.5")),
        ("SWALR", {"swa_lr": [0.1]}, ("swa_lr", "got [0.1]")),
        ("SWALR", {"swa_lr": 0.1, "anneal_epochs": -1}, ("anneal_epochs", "got -1")),
        ("SWALR", {"swa_lr": 0.1, "anneal_strategy": "exp"}, ("anneal_strategy", "got 'exp'")),
        ("SWALR", {"swa_lr": 0.1, "anneal_strategy": []}, ("anneal_strategy", "got []")),
        ("ReduceLROnPlateau", {"min_lr": [0.1, 0.2]}, ("min_lr", "got [0.1, 0.2]")),
        ("ReduceLROnPlateau", {"min_lr": "x"}, ("min_lr", "got 'x'")),
        ("ReduceLROnPlateau", {"mode": "most"}, ("mode", "got 'most'")),
    ],
)
def test_refused_arguments_of_annealing(
    name: str, arguments: dict, mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(**arguments)


lrs = st.floats(1e-4, 1)
momenta = st.floats(0, 0.99)


def check_cycles(name: str, kwargs: dict[str, Any], steps: int) -> None:
    # torch computes these in closed form; 1 - x and 1 + cos cancel near the ends of a phase.
    result = getattr(ours, name)(**kwargs)
    by_key = {"lr": result.lr, "momentum": result.momentum} if isinstance(result, tuple) else {}
    for key, schedule in (by_key or {"lr": result}).items():
        expected = collect_torch_rates(name, 0.1, steps, key, **kwargs)
        atol = 1e-12 * expected.max() + 1e-300  # the smallest floats have fewer digits
        assert_allclose(schedule(range(steps), base=0.1), expected, rtol=1e-12, atol=atol)


@settings(max_examples=60)
@given(
    kwargs=st.fixed_dictionaries(
        {"base_lr": lrs, "max_lr": lrs},
        optional={
            "step_size_up": st.integers(1, 90),
            "step_size_down": st.integers(0, 90),
            "mode": st.sampled_from(["triangular", "triangular2", "exp_range"]),
            "gamma": st.floats(0.9, 1.0),
            "cycle_momentum": st.booleans(),
            "base_momentum": momenta,
            "max_momentum": momenta,
        },
    )
)
def test_cyclic(kwargs: dict[str, Any]) -> None:
    check_cycles("CyclicLR", kwargs, STEPS)


@pytest.mark.parametrize("scale_mode", ["cycle", "iterations"])
def test_cyclic_with_a_scale_fn(scale_mode: str) -> None:
    kwargs = {"base_lr": 0.1, "max_lr": 0.3, "step_size_up": 7, "scale_mode": scale_mode}
    check_cycles("CyclicLR", kwargs | {"scale_fn": lambda x: 1 / (1 + 0.2 * x)}, STEPS)


@settings(max_examples=100)
@given(
    kwargs=st.fixed_dictionaries(
        {"max_lr": lrs, "total_steps": st.integers(3, 120)},
        optional={
            # With 0 and 1, too; a phase that ends at step 0 divides by zero in torch.
            "pct_start": st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])),
            "anneal_strategy": st.sampled_from(["cos", "linear"]),
            "cycle_momentum": st.booleans(),
            "base_momentum": momenta,
            "max_momentum": momenta,
            "div_factor": st.floats(0.5, 100),
            "final_div_factor": st.floats(0.5, 1e5),
            "three_phase": st.booleans(),
        },
    )
)
def test_one_cycle(kwargs: dict[str, Any]) -> None:
    steps = kwargs["total_steps"]
    try:
        collect_torch_rates("OneCycleLR", 0.1, steps, **kwargs)
    except ZeroDivisionError:
        return
    check_cycles("OneCycleLR", kwargs, steps)


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("three_phase", [False, True])
def test_one_cycle_of_one_or_two_steps(steps: int, three_phase: bool) -> None:
    check_cycles(
        "OneCycleLR", {"max_lr": 0.5, "total_steps": steps, "three_phase": three_phase}, steps
    )


def test_one_cycle_counts_epochs_too() -> None:
    schedule = ours.OneCycleLR(0.5, epochs=5, steps_per_epoch=20, cycle_momentum=False)
    assert schedule == ours.OneCycleLR(0.5, 100, cycle_momentum=False)


def test_past_its_end_one_cycle_holds_and_torch_raises() -> None:
    kwargs = {"max_lr": 0.5, "total_steps": 10}
    schedule = ours.OneCycleLR(**kwargs).lr
    assert np.ptp(schedule(range(9, 40), base=0.1)) == 0
    with pytest.raises(ValueError, match="Tried to step 11 times"):
        collect_torch_rates("OneCycleLR", 0.1, 12, **kwargs)


def test_a_text_takes_the_learning_rate_of_two_schedules() -> None:
    text = "torch.OneCycleLR(0.5, 100)"
    assert parse(text) == ours.OneCycleLR(0.5, 100).lr
    assert parse(repr(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("name", "arguments", "mentions"),
    [
        ("CyclicLR", {"max_lr": [0.1, 0.2]}, ("max_lr", "got [0.1, 0.2]")),
        ("CyclicLR", {"base_momentum": (0.8, 0.9)}, ("base_momentum", "got (0.8, 0.9)")),
        ("CyclicLR", {"step_size_up": 0}, ("step_size_up", "got 0")),
        ("CyclicLR", {"mode": "square"}, ("mode", "got 'square'")),
        ("CyclicLR", {"scale_fn": 3, "scale_mode": "iterations"}, ("scale_fn", "got 3")),
        ("CyclicLR", {"scale_fn": 3}, ("scale_fn", "got 3")),
        ("CyclicLR", {"base_lr": -0.1}, ("value", "got -0.1")),
        ("OneCycleLR", {}, ("total_steps", "got epochs=None and steps_per_epoch=None")),
        ("OneCycleLR", {"total_steps": 2.5}, ("total_steps", "got 2.5")),
        ("OneCycleLR", {"epochs": 0, "steps_per_epoch": 2}, ("epochs", "got 0")),
        ("OneCycleLR", {"total_steps": 9, "max_lr": [0.1, 0.2]}, ("max_lr", "got [0.1, 0.2]")),
        (
            "OneCycleLR",
            {"total_steps": 9, "pct_start": 30},
            ("pct_start", "got 30"),
        ),
        ("OneCycleLR", {"total_steps": 9, "div_factor": 0}, ("div_factor", "got 0")),
        (
            "OneCycleLR",
            {"total_steps": 9, "anneal_strategy": "exp"},
            ("anneal_strategy", "got 'exp'"),
        ),
        ("OneCycleLR", {"total_steps": 1, "pct_start": 1.0}, ("total_steps=1", "steps")),
    ],
)
def test_refused_arguments_of_cycles(
    name: str, arguments: dict[str, Any], mentions: tuple[str, ...]
) -> None:
    required = {"CyclicLR": {"base_lr": 0.1, "max_lr": 0.2}, "OneCycleLR": {"max_lr": 0.1}}
    with raises(ScheduleError, *mentions):
        getattr(ours, name)(**required[name] | arguments)


COSINE_STEPS = 61  # the cosines of the specs fall at least this long


@settings(max_examples=100)
@given(base=st.floats(0.01, 10), spec=sequential_specs())
def test_sequential(base: float, spec: SchedulerSpec) -> None:
    expected = collect_rates(spec.build_torch, base, COSINE_STEPS)
    schedule = spec.build_lrlab()
    assert_allclose(
        schedule(range(COSINE_STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base
    )


@settings(max_examples=60)
@given(base=st.floats(0.01, 10), spec=chained_specs)
def test_chained(base: float, spec: SchedulerSpec) -> None:
    expected = collect_rates(spec.build_torch, base, COSINE_STEPS)
    schedule = spec.build_lrlab()
    assert_allclose(
        schedule(range(COSINE_STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base
    )


def test_two_swalr_share_a_rate_in_torch_only() -> None:
    first, second = (SchedulerSpec("SWALR", {"swa_lr": x, "anneal_epochs": 1}) for x in (0.2, 0.4))
    spec = SchedulerSpec("SequentialLR", {"milestones": [2]}, (first, second))
    assert_allclose(spec.build_lrlab()(range(4), base=1.0), [1.0, 0.2, 0.2, 0.4])
    assert_allclose(collect_rates(spec.build_torch, 1.0, 4), [1.0, 0.4, 0.4, 0.4])


def test_an_exponential_restarts_and_a_multiplicative_continues() -> None:
    first = ours.ConstantLR(0.5, 100)
    restarted = ours.SequentialLR([first, ours.ExponentialLR(0.9)], [3])
    continued = ours.SequentialLR([first, ours.MultiplicativeLR(lambda t: 0.9)], [3])
    assert_allclose(restarted([2, 3, 4]), [0.5, 1.0, 0.9])
    assert_allclose(continued([2, 3, 4]), [0.5, 0.45, 0.405])


def test_sequences_have_short_texts() -> None:
    warmup = ours.LinearLR(0.2, total_iters=5)
    assert repr(ours.SequentialLR([warmup, ours.CosineAnnealingLR(45)], [5])) == (
        "Linear(0.2, 1.0, over=5) >> Cosine(45)"
    )
    constant = ours.ConstantLR(0.5, 10)
    for at, text in [
        (4, "Constant(0.5, over=4) >> Step(9)"),
        (10, "Constant(0.5, over=10) >> Step(9)"),
        (12, "Constant(0.5, over=10) >> Constant(1.0, over=2) >> Step(9)"),
        (0, "Step(9)"),
    ]:
        assert repr(ours.SequentialLR([constant, ours.StepLR(9)], [at])) == text


def test_texts_nest_schedulers() -> None:
    text = "torch.SequentialLR([torch.LinearLR(0.2), torch.CosineAnnealingLR(45)], [5])"
    assert repr(parse(text)) == "Linear(0.2, 1.0, over=5) >> Cosine(45)"
    text = "torch.ChainedScheduler([torch.StepLR(3), torch.ExponentialLR(0.9)])"
    assert repr(parse(text)) == "Step(3) * Exponential(0.9)"


def list_unchainable_specs() -> list[SchedulerSpec]:
    functions = {"lr_lambda": lambda t: 0.9**t}
    return [
        SchedulerSpec("LambdaLR", functions),
        SchedulerSpec("CosineAnnealingWarmRestarts", {"T_0": 7}),
        SchedulerSpec("CosineAnnealingLR", {"T_max": 19, "eta_min": 0.2}),
        SchedulerSpec("SWALR", {"swa_lr": 0.5}),
        SchedulerSpec(
            "SequentialLR", {"milestones": [3]}, (SchedulerSpec("StepLR", {"step_size": 2}),) * 2
        ),
    ]


@pytest.mark.parametrize("spec", list_unchainable_specs(), ids=lambda spec: spec.name)
@pytest.mark.parametrize("last", [False, True])
def test_chains_that_torch_does_not_multiply_are_refused(spec: SchedulerSpec, last: bool) -> None:
    other = SchedulerSpec("ExponentialLR", {"gamma": 0.9})
    chain = SchedulerSpec("ChainedScheduler", {}, (other, spec) if last else (spec, other))
    product = collect_rates(spec.build_torch, 1.0, 20) * collect_rates(other.build_torch, 1.0, 20)
    assert abs(collect_rates(chain.build_torch, 1.0, 20) - product).max() > 0.01
    with raises(ScheduleError, "schedulers", "leave it out"):
        chain.build_lrlab()


def test_a_chain_of_one_takes_any_schedule() -> None:
    assert ours.ChainedScheduler([ours.CosineAnnealingLR(9, 0.1)]) == ours.CosineAnnealingLR(9, 0.1)


def test_a_schedule_with_momentum_contributes_its_learning_rate() -> None:
    cycle = ours.CyclicLR(0.1, 0.2, 4)
    assert ours.SequentialLR([cycle, ours.StepLR(3)], [8]) == cycle.lr.until(8) >> ours.StepLR(3)


# torch takes the first step of a nested scheduler for one before the optimizer's.
ignore_step_order_warning = pytest.mark.filterwarnings(
    "ignore:Detected call of `lr_scheduler.step:UserWarning"
)


@ignore_step_order_warning
def test_a_sequence_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halves = SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 100})
    inner = SchedulerSpec(
        "SequentialLR", {"milestones": [3]}, (halves, halves._replace(kwargs={"factor": 1.0}))
    )
    outer = SchedulerSpec("SequentialLR", {"milestones": [6]}, (inner, halves))
    assert list(outer.build_lrlab()(range(7))) == [0.5] * 3 + [1.0] * 3 + [0.5]
    assert list(collect_rates(outer.build_torch, 1.0, 7)) == [0.5] * 2 + [1.0] * 4 + [0.5]


@ignore_step_order_warning
def test_a_chain_in_a_sequence_is_stepped_wrongly_by_torch_only() -> None:
    halving = SchedulerSpec(
        "ChainedScheduler", {}, (SchedulerSpec("ExponentialLR", {"gamma": 0.5}),)
    )
    rest = SchedulerSpec("ConstantLR", {"factor": 1.0})
    first = SchedulerSpec("SequentialLR", {"milestones": [2]}, (halving, rest))
    assert list(first.build_lrlab()(range(3))) == [1.0, 0.5, 1.0]
    assert list(collect_rates(first.build_torch, 1.0, 3)) == [0.5, 0.25, 1.0]
    second = SchedulerSpec("SequentialLR", {"milestones": [2]}, (rest, halving))
    assert list(second.build_lrlab()(range(4))) == [1.0, 1.0, 1.0, 0.5]
    with pytest.raises(NotImplementedError):
        collect_rates(second.build_torch, 1.0, 4)


def test_a_later_constant_of_no_steps_ends_at_once_in_torch_only() -> None:
    none = SchedulerSpec("ConstantLR", {"factor": 0.5, "total_iters": 0})
    spec = SchedulerSpec(
        "SequentialLR", {"milestones": [3]}, (SchedulerSpec("StepLR", {"step_size": 9}), none)
    )
    assert spec.build_lrlab()([2, 3, 4]).tolist() == [1.0, 0.5, 0.5]
    assert collect_rates(spec.build_torch, 1.0, 5)[2:].tolist() == [1.0, 1.0, 1.0]
    for name in ("LinearLR", "PolynomialLR"):
        later = SchedulerSpec(name, {"total_iters": 0})
        spec = SchedulerSpec("SequentialLR", {"milestones": [3]}, (none, later))
        with pytest.raises(ZeroDivisionError):
            collect_rates(spec.build_torch, 1.0, 5)
        assert spec.build_lrlab()(3) == later.build_lrlab()(0)


def test_one_cycle_sets_the_base_rate_of_others_in_torch_only() -> None:
    parts = (
        SchedulerSpec("StepLR", {"step_size": 9}),
        SchedulerSpec("OneCycleLR", {"max_lr": 0.5, "total_steps": 50}),
    )
    spec = SchedulerSpec("SequentialLR", {"milestones": [3]}, parts)
    assert spec.build_lrlab()([0, 3], base=1.0) == pytest.approx([1.0, 0.02])
    assert collect_rates(spec.build_torch, 1.0, 4)[[0, 3]] == pytest.approx([0.02, 0.02])


def test_a_plateau_in_a_sequence_is_refused_by_torch_only() -> None:
    schedule = ours.SequentialLR([ours.LinearLR(), ours.ReduceLROnPlateau(patience=0)], [5])
    assert schedule.needs_metric

    def build_sequence(optimizer: Optimizer) -> object:
        parts = [lr_scheduler.LinearLR(optimizer), lr_scheduler.ReduceLROnPlateau(optimizer)]
        return lr_scheduler.SequentialLR(optimizer, parts, [5])

    with pytest.raises(ValueError, match="does not support `ReduceLROnPlateau`"):
        collect_rates(build_sequence, 0.1, 2)


@pytest.mark.parametrize(
    ("schedulers", "milestones", "mentions"),
    [
        ([], [], ("schedulers", "got []")),
        (ours.StepLR(3), [], ("schedulers", "got Step(3)")),
        ([ours.StepLR(3), "StepLR"], [3], ("schedulers", "got [Step(3), 'StepLR']")),
        ([ours.StepLR(3)] * 2, [], ("milestones", "got []")),
        ([ours.StepLR(3)] * 3, [5, 3], ("milestones", "got [5, 3]")),
        ([ours.StepLR(3)] * 2, [2.5], ("milestones", "got 2.5")),
        ([ours.StepLR(3)] * 2, 5, ("milestones", "got 5")),
    ],
)
def test_sequences_that_are_refused(
    schedulers: list, milestones: list, mentions: tuple[str, ...]
) -> None:
    with raises(ScheduleError, *mentions):
        ours.SequentialLR(schedulers, milestones)
