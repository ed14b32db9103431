"""transformers' schedules that read a metric."""

from typing import Literal

from lrlab.dialects.arguments import check_absolute, check_count
from lrlab.dialects.torch import ReduceLROnPlateau
from lrlab.schedules import Greedy, Schedule


def get_reduce_on_plateau_schedule(
    *,
    mode: Literal["min", "max"] = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: Literal["rel", "abs"] = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    eps: float = 1e-8,
) -> Schedule:
    """The ReduceLROnPlateau of torch, whose arguments these are.

    >>> get_reduce_on_plateau_schedule(factor=0.5, eps=0)
    Plateau(0.5)
    """
    return ReduceLROnPlateau(
        mode, factor, patience, threshold, threshold_mode, cooldown, min_lr, eps
    )


def get_greedy_schedule(
    *,
    mode: str = "min",
    factor: float = 0.95,
    patience: int = 10,
    threshold: float = 1e-6,
    threshold_mode: str = "abs",
    cooldown: int = 0,
    warmup: int = 0,
    min_lr: float = 1e-3,
    max_lr: float = 1.0,
    eps: float = 1e-8,
    smooth: bool = False,
    window_size: int = 50,
    reset_start: int = 500,
) -> Schedule:
    """GreedyLR, whose arguments these are: raised while a metric improves, lowered while not.

    >>> get_greedy_schedule(eps=0)
    Greedy(low=Absolute(0.001), high=Absolute(1.0))
    """
    func_name = "get_greedy_schedule"
    return Greedy(
        factor,
        patience=patience,
        mode=mode,
        threshold=threshold,
        threshold_mode=threshold_mode,
        cooldown=cooldown,
        warmup=warmup,
        low=check_absolute(func_name, min_lr=min_lr),
        high=check_absolute(func_name, max_lr=max_lr),
        eps=check_absolute(func_name, eps=eps),
        window=window_size if smooth else 1,
        # transformers resets at the first reduction at min_lr for 0 as well as for 1.
        reset=max(1, check_count(func_name, reset_start=reset_start)),
    )
