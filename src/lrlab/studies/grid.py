"""The grid of a study: the settings that every schedule is tried with, all of them alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import pairwise, product

from lrlab.errors import StudyError
from lrlab.training import Settings

Grid = tuple[Settings, ...]

_ADAPTIVE = (0.0003, 0.001, 0.003, 0.01, 0.03)
RATES = {
    "sgd": (0.01, 0.03, 0.1, 0.3, 1.0),
    "rmsprop": _ADAPTIVE,
    "adam": _ADAPTIVE,
    "adamw": _ADAPTIVE,
}
"""The peak rates that are tried unless told otherwise, two to a power of ten."""

MOMENTA = {"sgd": (0.0, 0.9), "rmsprop": (0.0, 0.9), "adam": (0.0,), "adamw": (0.0,)}
"""The momenta that each rate is tried with unless told otherwise; Adam's is one of its betas."""

ONE_RATE = {"sgd": 0.1, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}
"""The rate where nothing is tuned: the tutorial's for SGD, torch's for Adam."""

_SHARED = ("optimizer", "epochs", "batch_size", "per", "shuffle", "validation")


def varied(grid: Grid) -> tuple[str, ...]:
    """The names of the hyperparameters that a grid has several values of.

    >>> varied((Settings(lr=0.1), Settings(lr=0.2)))
    ('lr',)
    """
    return tuple(
        field.name
        for field in fields(Settings)
        if len({getattr(settings, field.name) for settings in grid}) > 1
    )


def checked(grid: Iterable[Settings]) -> Grid:
    """A grid whose settings differ in numbers of the optimizer alone, each of them once.

    Raises:
        StudyError: it is empty, or varies what is no hyperparameter of the optimizer.
    """
    once = tuple(dict.fromkeys(grid))
    if not once:
        raise StudyError("a study needs settings, got none; Settings() are the tutorial's.")
    wrong = [name for name in varied(once) if name in _SHARED]
    if wrong:
        raise StudyError(
            f"the settings of a study may differ in the optimizer's hyperparameters alone, not in "
            f"{wrong[0]}; make one study for each {wrong[0]}."
        )
    return once


def cross(common: Settings, rates: Iterable[float], momenta: Iterable[float]) -> Grid:
    """Every rate with every momentum, the lowest first; all else as in the ``common`` settings.

    >>> grid = cross(Settings(epochs=9), rates=[0.1, 0.01], momenta=[0, 0.9])
    >>> [(settings.lr, settings.momentum) for settings in grid]
    [(0.01, 0.0), (0.01, 0.9), (0.1, 0.0), (0.1, 0.9)]
    """
    pairs = product(sorted(set(rates)), sorted(set(momenta)))
    return tuple(replace(common, lr=rate, momentum=momentum) for rate, momentum in pairs)


def rates_of(grid: Iterable[Settings]) -> list[float]:
    """The rates of a grid, the lowest first."""
    return sorted({settings.lr for settings in grid})


def edge_of(rate: float, rates: Sequence[float]) -> int:
    """-1 for the lowest of several rates in ascending order, 1 for the highest, else 0."""
    if len(rates) < 2:
        return 0
    return (rate == rates[-1]) - (rate == rates[0])


def beyond(rates: Sequence[float], side: int, number: int) -> float:
    """The rate that lies so many steps of the grid below (side -1) or above it (side 1).

    A step is the mean ratio of neighbouring rates. What it leads to is written with the leading
    digits of one of the grid's rates where that is near enough, else with two digits or more.

    Args:
        rates: of the grid, two or more, in ascending order.
        side: -1 or 1.
        number: of steps, 1 or more.

    >>> [beyond([0.01, 0.03, 0.1, 0.3, 1.0], 1, i) for i in (1, 2, 3)]
    [3.0, 10.0, 30.0]
    >>> beyond([0.1, 0.2, 0.4], -1, 1), beyond([0.1, 0.12], 1, 2)
    (0.05, 0.17)
    """
    step = math.log(rates[-1] / rates[0]) / (len(rates) - 1)
    exact = (rates[-1] if side > 0 else rates[0]) * math.exp(side * number * step)
    power = math.floor(math.log10(exact))
    leading = {f"{rate:e}".partition("e")[0] for rate in rates}
    familiar = (float(f"{digits}e{power + i}") for digits in leading for i in (0, 1))
    rounded = (float(f"{exact:.{digits}e}") for digits in range(1, 18))
    nearest = min(familiar, key=lambda rate: abs(math.log(rate / exact)))
    # A fourth of a step keeps them apart from each other and in order.
    return next(r for r in (nearest, *rounded) if abs(math.log(r / exact)) <= step / 4)


def halfway(settings: Iterable[Settings]) -> Grid:
    """One more rate between each two neighbouring rates, with all that goes with the lower of them.

    It is their geometric mean, written with two digits or more.

    >>> [settings.lr for settings in halfway(cross(Settings(), [0.01, 0.03, 0.1], [0]))]
    [0.017, 0.055]
    """
    every = tuple(settings)
    found: list[Settings] = []
    for low, high in pairwise(rates_of(every)):
        exact = math.sqrt(low) * math.sqrt(high)
        rounded = (float(f"{exact:.{digits}e}") for digits in range(1, 18))
        near = math.log(high / low) / 8  # keeps it apart from both
        rate = next((r for r in rounded if abs(math.log(r / exact)) <= near), exact)
        found += [replace(one, lr=rate) for one in every if one.lr == low]
    return tuple(found)
