"""The grid of a study: the settings that every schedule is tried with, all of them alike."""

from collections.abc import Iterable
from dataclasses import fields, replace
from itertools import product

from lrlab.errors import StudyError
from lrlab.training import Settings

Grid = tuple[Settings, ...]

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


def checked(grid: Grid) -> Grid:
    """A grid whose settings can be told apart by validation, each of them once.

    Raises:
        StudyError: it is empty, no rows are held out to choose by, or it varies what is no
            hyperparameter of the optimizer.
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
    if len(once) > 1 and not once[0].validation:
        raise StudyError(
            f"the best of {len(once)} settings is chosen by rows held out of training, but none "
            "are: give --validation a share of the training rows above 0, such as 0.2."
        )
    return once


def edge_of(settings: Settings, grid: Grid) -> bool:
    """Whether a rate is the lowest or the highest of a grid that has several."""
    rates = {other.lr for other in grid}
    return len(rates) > 1 and settings.lr in (min(rates), max(rates))


def cross(common: Settings, rates: Iterable[float], momenta: Iterable[float]) -> Grid:
    """Every rate with every momentum, the lowest first; all else as in the ``common`` settings.

    >>> grid = cross(Settings(epochs=9), rates=[0.1, 0.01], momenta=[0, 0.9])
    >>> [(settings.lr, settings.momentum) for settings in grid]
    [(0.01, 0.0), (0.01, 0.9), (0.1, 0.0), (0.1, 0.9)]
    """
    pairs = product(sorted(set(rates)), sorted(set(momenta)))
    return tuple(replace(common, lr=rate, momentum=momentum) for rate, momentum in pairs)
