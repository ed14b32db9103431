"""The grid of a study: the settings that every schedule is tried with."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from itertools import pairwise, product

from lrlab.errors import StudyError
from lrlab.training import Settings

Grid = tuple[Settings, ...]

_COMMON_SETTINGS = ("optimizer", "epochs", "batch_size", "step_every", "shuffle", "validation_size")


def find_varied_hyperparameters(grid: Grid) -> tuple[str, ...]:
    """Return the names of the hyperparameters with several values in a grid.

    >>> find_varied_hyperparameters((Settings(lr=0.1), Settings(lr=0.2)))
    ('lr',)
    """
    return tuple(
        field.name
        for field in fields(Settings)
        if len({getattr(settings, field.name) for settings in grid}) > 1
    )


def label_settings(grid: Iterable[Settings]) -> dict[str, Settings]:
    """Return settings by labels that show the hyperparameters in which they differ.

    >>> list(label_settings([Settings(lr=0.1), Settings(lr=0.1, momentum=0.9)]))
    ['momentum=0.0', 'momentum=0.9']
    """
    settings_list = tuple(dict.fromkeys(grid))
    names = find_varied_hyperparameters(settings_list)
    return {
        ", ".join(f"{name}={getattr(settings, name)!r}" for name in names): settings
        for settings in settings_list
    }


def check_grid(grid: Iterable[Settings]) -> Grid:
    """Return a grid without duplicates, after checking what its settings vary.

    Raises:
        StudyError: it is empty, or varies settings other than hyperparameters of the optimizer.
    """
    unique = tuple(dict.fromkeys(grid))
    if not unique:
        raise StudyError(
            "a study needs at least one Settings, got none; Settings() are the tutorial's."
        )
    forbidden = [name for name in find_varied_hyperparameters(unique) if name in _COMMON_SETTINGS]
    if forbidden:
        raise StudyError(
            f"the settings of a study may differ only in hyperparameters of the optimizer, not in "
            f"{forbidden[0]}; run one study for each {forbidden[0]}."
        )
    return unique


def build_grid(common: Settings, lrs: Iterable[float], momenta: Iterable[float]) -> Grid:
    """Combine every learning rate with every momentum, in ascending order, with common settings.

    >>> grid = build_grid(Settings(epochs=9), lrs=[0.1, 0.01], momenta=[0, 0.9])
    >>> [(settings.lr, settings.momentum) for settings in grid]
    [(0.01, 0.0), (0.01, 0.9), (0.1, 0.0), (0.1, 0.9)]
    """
    pairs = product(sorted(set(lrs)), sorted(set(momenta)))
    return tuple(replace(common, lr=lr, momentum=momentum) for lr, momentum in pairs)


def list_lrs(grid: Iterable[Settings]) -> list[float]:
    """Return the learning rates of a grid in ascending order."""
    return sorted({settings.lr for settings in grid})


def find_edge_side(lr: float, lrs: Sequence[float]) -> int:
    """Return -1 for the lowest of several ascending learning rates, 1 for the highest, else 0."""
    if len(lrs) < 2:
        return 0
    return (lr == lrs[-1]) - (lr == lrs[0])


def compute_extension_lr(lrs: Sequence[float], edge_side: int, step_count: int) -> float:
    """Return the learning rate some steps below (side -1) or above (side 1) a grid.

    A step is the mean ratio of neighboring learning rates. The result has the leading digits of one
    in the grid if that is close enough, otherwise two digits or more.

    Args:
        lrs: of the grid, two or more, in ascending order.
        edge_side: -1 or 1.
        step_count: number of steps, 1 or more.

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
    # A quarter of a step keeps the added learning rates distinct and in order.
    return next(r for r in (nearest, *rounded) if abs(math.log(r / exact)) <= log_step / 4)


def build_midpoints(grid: Iterable[Settings]) -> Grid:
    """Return settings with a learning rate between each two neighbors in a grid.

    It is their geometric mean, rounded to two digits or more; the other settings are those of the
    lower neighbor.

    >>> [s.lr for s in build_midpoints(build_grid(Settings(), [0.01, 0.03, 0.1], [0]))]
    [0.017, 0.055]
    """
    settings_list = tuple(grid)
    midpoints: list[Settings] = []
    for low, high in pairwise(list_lrs(settings_list)):
        exact = math.sqrt(low) * math.sqrt(high)
        rounded = (float(f"{exact:.{digits}e}") for digits in range(1, 18))
        log_tolerance = math.log(high / low) / 8  # keeps it distinct from both
        lr = next((r for r in rounded if abs(math.log(r / exact)) <= log_tolerance), exact)
        midpoints += [replace(settings, lr=lr) for settings in settings_list if settings.lr == low]
    return tuple(midpoints)
