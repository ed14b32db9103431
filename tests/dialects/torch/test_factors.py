"""Factors of the base rate: torch's names against torch's own schedulers, step by step."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.torch.stepping import check, stepped

bases = st.floats(1e-4, 10)
factors = st.floats(1e-3, 1.0)
counts = st.integers(1, 150)


@settings(max_examples=30)
@given(base=bases, start=factors, end=st.floats(0, 1), iters=counts)
def test_linear(base: float, start: float, end: float, iters: int) -> None:
    words = {"start_factor": start, "end_factor": end, "total_iters": iters}
    check(ours.LinearLR(**words), "LinearLR", base, **words)
    check(ours.LinearLR(), "LinearLR", base)


@settings(max_examples=30)
@given(base=bases, factor=st.floats(0.01, 1), iters=counts)
def test_constant(base: float, factor: float, iters: int) -> None:
    words = {"factor": factor, "total_iters": iters}
    check(ours.ConstantLR(**words), "ConstantLR", base, **words)
    check(ours.ConstantLR(), "ConstantLR", base)


@settings(max_examples=30)
@given(base=bases, gamma=st.floats(0.8, 1.01))
def test_exponential(base: float, gamma: float) -> None:
    check(ours.ExponentialLR(gamma), "ExponentialLR", base, gamma=gamma)


@settings(max_examples=30)
@given(base=bases, size=counts, gamma=st.floats(0.5, 1))
def test_step(base: float, size: int, gamma: float) -> None:
    check(ours.StepLR(size, gamma), "StepLR", base, step_size=size, gamma=gamma)
    check(ours.StepLR(size), "StepLR", base, step_size=size)


@settings(max_examples=30)
@given(base=bases, alpha=st.floats(0, 1))
def test_lambda(base: float, alpha: float) -> None:
    def factor(epoch: int) -> float:
        return 1 / (1 + alpha * epoch)

    check(ours.LambdaLR(factor), "LambdaLR", base, lr_lambda=factor)


@settings(max_examples=30)
@given(base=bases, alpha=st.floats(0, 0.1))
def test_multiplicative(base: float, alpha: float) -> None:
    def factor(epoch: int) -> float:
        return 1 - alpha / epoch

    check(ours.MultiplicativeLR(factor), "MultiplicativeLR", base, lr_lambda=factor)


@settings(max_examples=30)
@given(base=bases, milestones=st.lists(st.integers(0, 250), max_size=6), gamma=st.floats(0.5, 1))
def test_multi_step(base: float, milestones: list[int], gamma: float) -> None:
    words = {"milestones": milestones, "gamma": gamma}
    check(ours.MultiStepLR(**words), "MultiStepLR", base, **words)
    check(ours.MultiStepLR(milestones), "MultiStepLR", base, milestones=milestones)


@settings(max_examples=30)
@given(base=bases, iters=counts, power=st.floats(0.1, 3))
def test_polynomial(base: float, iters: int, power: float) -> None:
    words = {"total_iters": iters, "power": power}
    check(ours.PolynomialLR(**words), "PolynomialLR", base, **words)
    check(ours.PolynomialLR(), "PolynomialLR", base)


@pytest.mark.parametrize("name", ["ConstantLR", "LinearLR", "PolynomialLR"])
def test_no_iterations_are_endless_ones(name: str) -> None:
    check(getattr(ours, name)(total_iters=0), name, 0.1, total_iters=0)


def test_fractions_of_a_step_are_met_by_us_only() -> None:
    words = {"factor": 0.5, "total_iters": 2.5}
    assert ours.ConstantLR(**words)([2, 3]).tolist() == [0.5, 1.0]
    assert stepped("ConstantLR", 1.0, 200, **words)[-1] == 0.5
    assert repr(ours.StepLR("5ep")) == 'Step("5ep")'


@pytest.mark.parametrize("milestones", [3, None, [1, "x"], ["x"], [-1], [[1]]])
def test_milestones_that_are_no_steps(milestones: object) -> None:
    with pytest.raises(ScheduleError, match="milestones must be"):
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
        stepped(name, 0.1, **arguments)
    assert isinstance(getattr(ours, name)(**arguments)(3, base=0.1), float)


def test_a_factor_of_zero_is_one_by_which_torch_divides() -> None:
    with pytest.raises(ZeroDivisionError):
        stepped("ConstantLR", 0.1, factor=0.0)
    assert ours.ConstantLR(0.0)([4, 5]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("gamma", [0.0, -0.5])
def test_factors_that_only_torch_takes(gamma: float) -> None:
    stepped("ExponentialLR", 0.1, gamma=gamma)
    with pytest.raises(ScheduleError, match="gamma must be a number above 0"):
        ours.ExponentialLR(gamma)


def test_a_list_of_functions_is_refused() -> None:
    for dialect in (ours.LambdaLR, ours.MultiplicativeLR):
        with pytest.raises(ScheduleError, match="must be one function"):
            dialect([lambda epoch: 1.0])
