"""The grid of a study: the settings that every schedule is tried with, all of them alike."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import pairwise, product

from lrlab.errors import StudyError
from lrlab.training import Settings

Grid = tuple[Settings, ...]

_ADAM_LRS = (0.0003, 0.001, 0.003, 0.01, 0.03)
LR_GRIDS = {
    "sgd": (0.01, 0.03, 0.1, 0.3, 1.0),
    "rmsprop": _ADAM_LRS,
    "adam": _ADAM_LRS,
    "adamw": _ADAM_LRS,
}
"""The peak rates that are tried unless told otherwise, two to a power of ten."""

MOMENTUM_GRIDS = {"sgd": (0.0, 0.9), "rmsprop": (0.0, 0.9), "adam": (0.0,), "adamw": (0.0,)}
"""The momenta that each rate is tried with unless told otherwise; Adam's is one of its betas."""

DEFAULT_LR = {"sgd": 0.1, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.001}
"""The rate where nothing is tuned: the tutorial's for SGD, torch's for Adam."""

_COMMON_SETTINGS = ("optimizer", "epochs", "batch_size", "step_every", "shuffle", "validation_size")


def find_varied_hyperparameters(grid: Grid) -> tuple[str, ...]:
    """The names of the hyperparameters that a grid has several values of.

    >>> find_varied_hyperparameters((Settings(lr=0.1), Settings(lr=0.2)))
    ('lr',)
    """
    return tuple(
        field.name
        for field in fields(Settings)
        if len({getattr(settings, field.name) for settings in grid}) > 1
    )


def check_grid(grid: Iterable[Settings]) -> Grid:
    """A grid whose settings differ in numbers of the optimizer alone, each of them once.

    Raises:
        StudyError: it is empty, or varies what is no hyperparameter of the optimizer.
    """
    unique = tuple(dict.fromkeys(grid))
    if not unique:
        raise StudyError("a study needs settings, got none; Settings() are the tutorial's.")
    forbidden = [name for name in find_varied_hyperparameters(unique) if name in _COMMON_SETTINGS]
    if forbidden:
        raise StudyError(
            f"the settings of a study may differ in the optimizer's hyperparameters alone, not in "
            f"{forbidden[0]}; make one study for each {forbidden[0]}."
        )
    return unique


def build_grid(common: Settings, lrs: Iterable[float], momenta: Iterable[float]) -> Grid:
    """Every rate with every momentum, the lowest first; all else as in the ``common`` settings.

    >>> grid = build_grid(Settings(epochs=9), lrs=[0.1, 0.01], momenta=[0, 0.9])
    >>> [(settings.lr, settings.momentum) for settings in grid]
    [(0.01, 0.0), (0.01, 0.9), (0.1, 0.0), (0.1, 0.9)]
    """
    pairs = product(sorted(set(lrs)), sorted(set(momenta)))
    return tuple(replace(common, lr=lr, momentum=momentum) for lr, momentum in pairs)


def list_lrs(grid: Iterable[Settings]) -> list[float]:
    """The rates of a grid, the lowest first."""
    return sorted({settings.lr for settings in grid})


def find_edge_side(lr: float, lrs: Sequence[float]) -> int:
    """-1 for the lowest of several rates in ascending order, 1 for the highest, else 0."""
    if len(lrs) < 2:
        return 0
    return (lr == lrs[-1]) - (lr == lrs[0])


def compute_extension_lr(lrs: Sequence[float], edge_side: int, step_count: int) -> float:
    """The rate that lies so many steps of the grid below (side -1) or above it (side 1).

    A step is the mean ratio of neighbouring rates. What it leads to is written with the leading
    digits of one of the grid's rates where that is near enough, else with two digits or more.

    Args:
        lrs: of the grid, two or more, in ascending order.
        edge_side: -1 or 1.
        step_count: of steps, 1 or more.

    >>> [compute_extension_lr([0.01, 0.03, 0.1, 0.3, 1.0], 1, i) for i in (1, 2, 3)]
    [3.0, 10.0, 30.0]
    >>> compute_extension_lr([0.1, 0.2, 0.4], -1, 1), compute_extension_lr([0.1, 0.12], 1, 2)
    (0.05, 0.17)
    """
    log_step = math.log(lrs[-1] / lrs[0]) / (len(lrs) - 1)
    exact = (lrs[-1] if edge_side > 0 else lrs[0]) * math.exp(edge_side * step_count * log_step)
    exponent = math.floor(math.log10(exact))
    leading = {f"{rate:e}".partition("e")[0] for rate in lrs}
    with_grid_digits = (float(f"{digits}e{exponent + i}") for digits in leading for i in (0, 1))
    rounded = (float(f"{exact:.{digits}e}") for digits in range(1, 18))
    nearest = min(with_grid_digits, key=lambda rate: abs(math.log(rate / exact)))
    # A fourth of a step keeps them apart from each other and in order.
    return next(r for r in (nearest, *rounded) if abs(math.log(r / exact)) <= log_step / 4)


def build_midpoints(grid: Iterable[Settings]) -> Grid:
    """One more rate between each two neighbouring rates, with all that goes with the lower of them.

    It is their geometric mean, written with two digits or more.

    >>> [settings.lr for settings in build_midpoints(build_grid(Settings(), [0.01, 0.03, 0.1], [0]))]
    [0.017, 0.055]
    """
    settings_list = tuple(grid)
    midpoints: list[Settings] = []
    for low, high in pairwise(list_lrs(settings_list)):
        exact = math.sqrt(low) * math.sqrt(high)
        rounded = (float(f"{exact:.{digits}e}") for digits in range(1, 18))
        log_tolerance = math.log(high / low) / 8  # keeps it apart from both
        lr = next((r for r in rounded if abs(math.log(r / exact)) <= log_tolerance), exact)
        midpoints += [replace(settings, lr=lr) for settings in settings_list if settings.lr == low]
    return tuple(midpoints)
