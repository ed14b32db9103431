"""timm's scheduler that reads a metric."""

from typing import Literal

from lrlab.dialects.arguments import check_choice, check_argument
from lrlab.dialects.timm.parts import _NoiseRange, _add_noise, _add_warmup
from lrlab.dialects.torch import ReduceLROnPlateau
from lrlab.schedules import Schedule
from lrlab.schedules.parameters import NonNegative


def PlateauLRScheduler(
    decay_rate: float = 0.1,
    patience_t: int = 10,
    threshold: float = 1e-4,
    cooldown_t: int = 0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    lr_min: float = 0.0,
    mode: Literal["min", "max"] = "max",
    noise_range_t: _NoiseRange = None,
    noise_type: str = "normal",
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = None,
) -> Schedule:
    """The plateau of torch after a warm-up, during which metrics count for nothing.

    timm's ``step(t + 1, metric)`` is given what was measured at t.

    >>> PlateauLRScheduler(0.5, warmup_t=5)
    Warmup(5, start=0.0) >> Plateau(0.5, mode="max", eps=Absolute(1e-08))
    """
    func_name = "PlateauLRScheduler"
    plateau = ReduceLROnPlateau(
        mode, decay_rate, patience_t, threshold, cooldown=cooldown_t, min_lr=lr_min
    )
    whole = _add_warmup(func_name, plateau, warmup_t, warmup_lr_init, warmup_prefix=True)
    noise_type = check_choice(func_name, "normal", "uniform", noise_type=noise_type)
    std = noise_std if noise_type == "normal" else None
    seed = 42 if noise_seed is None else noise_seed
    # Noise is for the plateau only, which timm begins with the step after the warm-up's last.
    after = check_argument(func_name, NonNegative, warmup_t=warmup_t) + 1
    return _add_noise(func_name, whole, noise_range_t, noise_pct, std, seed, after)
