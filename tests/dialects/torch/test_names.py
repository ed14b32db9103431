"""Torch's names: their arguments and defaults, and what a text makes of them."""

import inspect

import pytest

from lrlab.dialects import parse
from lrlab.dialects import torch as ours
from lrlab.errors import ScheduleError
from tests.dialects.torch.stepping import torchs


@pytest.mark.parametrize("name", ours.__all__)
def test_arguments_and_defaults_are_torchs_own(name: str) -> None:
    mine = inspect.signature(getattr(ours, name)).parameters
    whole = inspect.signature(torchs(name)).parameters
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
    with pytest.raises(ScheduleError, match="`lrlab shapes` lists them all"):
        parse("torch.Something()")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR('0.1')")
    with pytest.raises(ScheduleError, match="Formula"):
        parse("torch.LambdaLR(lambda epoch: 0.95 ** epoch)")
