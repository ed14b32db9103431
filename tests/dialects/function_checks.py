"""What every dialect is asked: the other library's own arguments, and an answer to nonsense."""

import inspect
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Schedule

NONSENSE = (
    None, True, 0, -1, 0.5, -0.5, 3, 1e100, float("nan"), float("inf"), 10**400, 1j, "x", "10%",
    (), [], [3, 1], [1, "x"], {}, {3: -1}, {"x": 1}, [{}], [{"x": 1}], {3: "x"}, object(),
    Constant(1.0), [Constant(1.0)],
)  # fmt: skip


def check_same_parameters(
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


def check_nonsense_is_refused(function: Callable[..., Any]) -> None:
    """Whatever it is given, it makes a schedule of it or raises ScheduleError; so do its values.

    Every argument is given all the nonsense there is; and now and then several at once.
    """
    names = list(inspect.signature(function).parameters)
    random = Random(function.__name__)
    single = [(name, value) for name in names for value in NONSENSE]
    for strange in [[pair] for pair in single] + [random.sample(single, 3) for _ in range(100)]:
        words = {name: random.choice([3, 0.5]) for name in names} | dict(strange)
        try:
            _build_and_evaluate(function, words)
        except ScheduleError:
            continue
        except Exception as error:
            error.add_note(f"{function.__name__}(**{words})")
            raise


def _build_and_evaluate(function: Callable[..., Any], words: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = function(**words)
        schedule = made.lr if isinstance(made, LrAndMomentum) else made
        assert isinstance(schedule, Schedule)
        assert (schedule.bind(total_steps=100, steps_per_epoch=10)([0, 1, 50], base=0.1) >= 0).all()
