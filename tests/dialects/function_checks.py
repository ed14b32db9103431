"""Checks for every function of a dialect: the library's parameters, errors for bad arguments."""

import inspect
import warnings
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from lrlab.dialects.building_blocks import LrAndMomentum
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Schedule

INVALID_VALUES = (
    None, True, 0, -1, 0.5, -0.5, 3, 1e100, float("nan"), float("inf"), 10**400, 1j, "x", "10%",
    (), [], [3, 1], [1, "x"], {}, {3: -1}, {"x": 1}, [{}], [{"x": 1}], {3: "x"}, object(),
    Constant(1.0), [Constant(1.0)],
)  # fmt: skip


def check_same_parameters(
    ours: Callable[..., Any], theirs: Callable[..., Any], omitted: tuple[str, ...] = ()
) -> None:
    """Check that names, order and defaults are the library's, except those ``omitted``."""
    our_parameters = inspect.signature(ours).parameters
    their_parameters = {
        name: parameter
        for name, parameter in inspect.signature(theirs).parameters.items()
        if name not in ("self", *omitted) and parameter.kind is not parameter.VAR_KEYWORD
    }
    assert list(our_parameters) == list(their_parameters)
    for name, parameter in their_parameters.items():
        default = our_parameters[name].default
        assert default is parameter.default or default == pytest.approx(parameter.default)


def check_invalid_arguments(function: Callable[..., Any]) -> None:
    """Check that any arguments give a schedule that can be evaluated, or a ScheduleError.

    Each argument takes each of ``INVALID_VALUES``; then three random ones do at once.
    """
    names = list(inspect.signature(function).parameters)
    random = Random(function.__name__)
    single = [(name, value) for name in names for value in INVALID_VALUES]
    for changes in [[pair] for pair in single] + [random.sample(single, 3) for _ in range(100)]:
        kwargs = {name: random.choice([3, 0.5]) for name in names} | dict(changes)
        try:
            _build_and_evaluate(function, kwargs)
        except ScheduleError:
            continue
        except Exception as error:
            error.add_note(f"{function.__name__}(**{kwargs})")
            raise


def _build_and_evaluate(function: Callable[..., Any], kwargs: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = function(**kwargs)
        schedule = result.lr if isinstance(result, LrAndMomentum) else result
        assert isinstance(schedule, Schedule)
        assert (schedule.bind(total_steps=100, steps_per_epoch=10)([0, 1, 50], base=0.1) >= 0).all()
