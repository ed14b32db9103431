"""What every dialect is asked: the other library's own arguments, and an answer to nonsense."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Schedule

NONSENSE = (
    None, True, 0, -1, 0.5, -0.5, 3, 1e100, float("nan"), float("inf"), 10**400, 1j, "x", "10%",
    (), [], [3, 1], [1, "x"], {}, {3: -1}, {"x": 1}, [{}], [{"x": 1}], {3: "x"}, object(),
    Constant(1.0), [Constant(1.0)],
)  # fmt: skip
nonsense = st.sampled_from(NONSENSE)


def same_arguments(
    ours: Callable[..., Any], theirs: Callable[..., Any], left_out: tuple[str, ...] = ()
) -> None:
    """Names, order and defaults are the library's, but for what is no part of a schedule."""
    mine = inspect.signature(ours).parameters
    whole = inspect.signature(theirs).parameters
    kept = {
        name: value
        for name, value in whole.items()
        if name not in ("self", *left_out) and value.kind is not value.VAR_KEYWORD
    }
    assert list(mine) == list(kept)
    for name, parameter in kept.items():
        ours_default = mine[name].default
        assert ours_default is parameter.default or ours_default == pytest.approx(parameter.default)


def refuses_nonsense(function: Callable[..., Any], data: st.DataObject) -> None:
    """Whatever it is given, it makes a schedule of it or raises ScheduleError; so do its values."""
    names = list(inspect.signature(function).parameters)
    words = {name: data.draw(st.sampled_from([3, 0.5]), label=name) for name in names}
    for name in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=len(names))):
        words[name] = data.draw(nonsense, label=name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            made = function(**words)
        except ScheduleError:
            return
        schedule = made.lr if isinstance(made, LrAndMomentum) else made
        assert isinstance(schedule, Schedule)
        try:
            rates = schedule.bind(total=100, epoch=10)([0, 1, 50], base=0.1)
        except ScheduleError:
            return
    assert (rates >= 0).all()
