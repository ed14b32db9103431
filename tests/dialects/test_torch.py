"""torch's names against torch's own schedulers, step by step."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.optim import lr_scheduler as theirs

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule

STEPS = 220
bases = st.floats(1e-4, 10)
factors = st.floats(1e-3, 1.0)
counts = st.integers(1, 150)


def stepped(name: str, base: float, **arguments: Any) -> list[float]:
    """The rates of torch's own scheduler at steps 0, 1, ..."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
    scheduler = getattr(theirs, name)(optimizer, **arguments)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def check(schedule: Schedule, name: str, base: float, **arguments: Any) -> None:
    expected = stepped(name, base, **arguments)
    assert_allclose(schedule(range(STEPS), base=base), expected, rtol=1e-9, atol=1e-12 * base)


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
@given(base=bases, period=st.integers(2, 300), floor=st.floats(0, 1e-4))
def test_cosine_until_its_end_and_held_there_on_purpose(
    base: float, period: int, floor: float
) -> None:
    schedule = ours.CosineAnnealingLR(period, floor)
    expected = stepped("CosineAnnealingLR", base, T_max=period, eta_min=floor)
    ends = min(period + 1, STEPS)
    assert_allclose(schedule(range(ends), base=base), expected[:ends], rtol=1e-9, atol=1e-12 * base)
    exact = [floor + (base - floor) * (1 + math.cos(math.pi * t / period)) / 2 for t in range(ends)]
    assert_allclose(schedule(range(ends), base=base), exact, rtol=1e-12, atol=1e-15 * base)
    assert schedule(2 * period, base=base) == schedule(period, base=base)  # torch climbs again
    if 2 * period < STEPS:
        assert expected[2 * period] == pytest.approx(base)


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


@pytest.mark.parametrize("gamma", [0.0, -0.5])
def test_factors_that_only_torch_takes(gamma: float) -> None:
    stepped("ExponentialLR", 0.1, gamma=gamma)
    with pytest.raises(ScheduleError, match="gamma must be a number above 0"):
        ours.ExponentialLR(gamma)


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_and_defaults_are_torchs_own(name: str) -> None:
    import inspect

    mine = inspect.signature(getattr(ours, name)).parameters
    whole = inspect.signature(getattr(theirs, name)).parameters
    torchs = {key: value for key, value in whole.items() if key not in ("optimizer", "last_epoch")}
    assert list(mine) == list(torchs)
    for key, parameter in torchs.items():
        assert mine[key].default == pytest.approx(parameter.default) or (
            mine[key].default is parameter.default
        )


def test_text_has_torchs_names() -> None:
    text = "torch.LinearLR(start_factor=1.0, end_factor=0.5, total_iters=30)"
    assert repr(parse(text)) == "Linear(1.0, 0.5, over=30)"
    assert repr(parse("torch.StepLR(30)")) == "Step(30)"
    with pytest.raises(ScheduleError, match=r"did you mean torch.LinearLR\?"):
        parse("torch.LinerLR()")
    for text in ("LinearLR()", "torch.optim.lr_scheduler.LinearLR()"):
        with pytest.raises(ScheduleError, match=r"did you mean torch.LinearLR\?"):
            parse(text)
    with pytest.raises(ScheduleError, match="`lrlab shapes` lists them all"):
        parse("torch.Something()")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR('0.1')")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR(lambda epoch: 0.95 ** epoch)")


def test_a_list_of_functions_is_refused() -> None:
    with pytest.raises(ScheduleError, match="must be one function"):
        ours.LambdaLR([lambda epoch: 1.0])
