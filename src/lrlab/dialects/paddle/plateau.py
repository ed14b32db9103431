"""Paddle's scheduler that reads a metric."""

from typing import Any

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.schedules import Constant, Plateau, Schedule
from lrlab.schedules.parameters import NonNegative


def ReduceOnPlateau(
    learning_rate: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    epsilon: float = 1e-8,
) -> Schedule:
    """Multiplied by ``factor`` after more than ``patience`` bad metrics in a row.

    ``min_lr`` and ``epsilon`` are absolute, and shares of ``learning_rate`` in what is returned.

    >>> ReduceOnPlateau(0.5, patience=5, min_lr=0.005, epsilon=0)
    Constant(Absolute(0.5)) * Plateau(patience=5, low=0.01)
    """
    func_name = "ReduceOnPlateau"
    rate = check_argument(func_name, NonNegative, learning_rate=learning_rate)
    plateau = Plateau(
        factor,
        patience=patience,
        mode=_to_lowercase(mode),
        threshold=threshold,
        threshold_mode=_to_lowercase(threshold_mode),
        cooldown=cooldown,
        low=check_argument(func_name, NonNegative, min_lr=min_lr) / (rate or 1.0),
        eps=check_argument(func_name, NonNegative, epsilon=epsilon) / (rate or 1.0),
    )
    return Constant(check_absolute(func_name, learning_rate=rate)) * plateau


def _to_lowercase(text: Any) -> Any:
    """Paddle reads these in any case."""
    return text.lower() if isinstance(text, str) else text
