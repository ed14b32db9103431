"""Torch's names: their arguments and defaults, and what a text makes of them."""

import inspect
import math
from typing import Any

import pytest

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Schedule
from tests.dialects.torch.stepping import get_torch_class


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_and_defaults_are_torchs_own(name: str) -> None:
    mine = inspect.signature(getattr(ours, name)).parameters
    whole = inspect.signature(get_torch_class(name)).parameters
    theirs = {key: value for key, value in whole.items() if key not in ("optimizer", "last_epoch")}
    assert list(mine) == list(theirs)
    for key, parameter in theirs.items():
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
    with pytest.raises(ScheduleError, match=r"is called torch.Something; known are .*torch.StepLR"):
        parse("torch.Something()")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR('0.1')")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR(lambda epoch: 0.95 ** epoch)")


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
    "junk",
    [None, "x", math.nan, math.inf, -1, -0.5, 0, True, [1, 2], {}, object(), 10**400],
    ids=lambda junk: repr(junk)[:9] if isinstance(junk, int) else None,
)
def test_invalid_arguments_raise_a_schedule_error(name: str, junk: Any) -> None:
    function = getattr(ours, name)
    for word in inspect.signature(function).parameters:
        try:
            found = function(**REQUIRED.get(name, {}) | {word: junk})
        except ScheduleError:
            continue
        assert isinstance(found, Schedule | LrAndMomentum)
