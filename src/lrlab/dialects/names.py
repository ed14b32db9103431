"""Other libraries' names in a schedule's text: ``torch.LinearLR(...)`` beside ``Linear(...)``."""

from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module
from typing import Any

from lrlab.dialects.hyperparameters import LrAndMomentum
from lrlab.schedules import Schedule
from lrlab.schedules.text import SHAPES, Builders
from lrlab.schedules.text import parse as parse_with

DIALECTS = (
    "composer",
    "fastai",
    "fvcore",
    "ignite",
    "keras",
    "optax",
    "paddle",
    "timm",
    "torch",
    "transformers",
)


@cache
def builders() -> Builders:
    """Everything that a text may call, by name."""
    theirs = {
        f"{dialect}.{name}": _rate_of(getattr(module, name))
        for dialect in DIALECTS
        for module in (import_module(f"lrlab.dialects.{dialect}"),)
        for name in module.__all__
    }
    return {**SHAPES, **theirs}


def parse(text: str) -> Schedule:
    """The schedule that a text describes, in lrlab's own words or in another library's.

    Raises:
        ScheduleError: the text describes none; the message shows the place.

    >>> parse("Warmup(5) >> torch.CosineAnnealingLR(T_max=45)")
    Warmup(5) >> Cosine(45)
    """
    return parse_with(text, builders())


def _rate_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` where it returns one schedule, and that of the rate where it returns two."""

    @wraps(function)
    def rate(*args: Any, **words: Any) -> Any:
        value = function(*args, **words)
        return value.lr if isinstance(value, LrAndMomentum) else value

    return rate
