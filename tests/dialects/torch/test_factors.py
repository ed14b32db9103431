"""Factors of the base rate: torch's names against torch's own schedulers, step by step."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.torch.stepping import check_against_torch, collect_torch_rates

bases = st.floats(1e-4, 10)
factors = st.floats(1e-3, 1.0)
counts = st.integers(1, 150)


@settings(max_examples=30)
@given(base=bases, start=factors, end=st.floats(0, 1), iters=counts)
def test_linear(base: float, start: float, end: float, iters: int) -> None:
    words = {"start_factor": start, "end_factor": end, "total_iters": iters}
    check_against_torch(ours.LinearLR(**words), "LinearLR", base, **words)
    check_against_torch(ours.LinearLR(), "LinearLR", base)


@settings(max_examples=30)
@given(base=bases, factor=st.floats(0.01, 1), iters=counts)
def test_constant(base: float, factor: float, iters: int) -> None:
    words = {"factor": factor, "total_iters": iters}
    check_against_torch(ours.ConstantLR(**words), "ConstantLR", base, **words)
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
    def factor(epoch: int) -> float:
        return 1 / (1 + alpha * epoch)

    check_against_torch(ours.LambdaLR(factor), "LambdaLR", base, lr_lambda=factor)


@settings(max_examples=30)
@given(base=bases, alpha=st.floats(0, 0.1))
def test_multiplicative(base: float, alpha: float) -> None:
    def factor(epoch: int) -> float:
        return 1 - alpha / epoch

    check_against_torch(ours.MultiplicativeLR(factor), "MultiplicativeLR", base, lr_lambda=factor)


@settings(max_examples=30)
@given(base=bases, milestones=st.lists(st.integers(0, 250), max_size=6), gamma=st.floats(0.5, 1))
def test_multi_step(base: float, milestones: list[int], gamma: float) -> None:
    words = {"milestones": milestones, "gamma": gamma}
    check_against_torch(ours.MultiStepLR(**words), "MultiStepLR", base, **words)
    check_against_torch(ours.MultiStepLR(milestones), "MultiStepLR", base, milestones=milestones)


@settings(max_examples=30)
@given(base=bases, iters=counts, power=st.floats(0.1, 3))
def test_polynomial(base: float, iters: int, power: float) -> None:
    words = {"total_iters": iters, "power": power}
    check_against_torch(ours.PolynomialLR(**words), "PolynomialLR", base, **words)
    check_against_torch(ours.PolynomialLR(), "PolynomialLR", base)


@pytest.mark.parametrize("name", ["ConstantLR", "LinearLR", "PolynomialLR"])
def test_no_iterations_never_end(name: str) -> None:
    check_against_torch(getattr(ours, name)(total_iters=0), name, 0.1, total_iters=0)


def test_only_lrlab_reaches_fractions_of_a_step() -> None:
    words = {"factor": 0.5, "total_iters": 2.5}
    assert ours.ConstantLR(**words)([2, 3]).tolist() == [0.5, 1.0]
    assert collect_torch_rates("ConstantLR", 1.0, 200, **words)[-1] == 0.5
    assert repr(ours.StepLR("5ep")) == 'Step("5ep")'


@pytest.mark.parametrize("milestones", [3, None, [1, "x"], ["x"], [-1], [[1]]])
def test_milestones_that_are_not_steps(milestones: object) -> None:
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
        collect_torch_rates(name, 0.1, **arguments)
    assert isinstance(getattr(ours, name)(**arguments)(3, base=0.1), float)


def test_torch_divides_by_a_factor_of_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        collect_torch_rates("ConstantLR", 0.1, factor=0.0)
    assert ours.ConstantLR(0.0)([4, 5]).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("gamma", [0.0, -0.5])
def test_factors_that_only_torch_takes(gamma: float) -> None:
    collect_torch_rates("ExponentialLR", 0.1, gamma=gamma)
    with pytest.raises(ScheduleError, match="gamma must be a number above 0"):
        ours.ExponentialLR(gamma)


def test_a_list_of_functions_is_refused() -> None:
    for dialect in (ours.LambdaLR, ours.MultiplicativeLR):
        with pytest.raises(ScheduleError, match="must be one function"):
            dialect([lambda epoch: 1.0])
