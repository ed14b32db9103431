"""timm's staircases."""

from collections.abc import Sequence

from lrlab.dialects.arguments import read
from lrlab.dialects.timm.parts import NoiseRange, noisy, warmed
from lrlab.schedules import Constant, MultiStep, Schedule, Step
from lrlab.schedules.parameters import Positive


def StepLRScheduler(
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """Multiplied by ``decay_rate`` every ``decay_t``.

    >>> StepLRScheduler(30, 0.1, warmup_t=5, warmup_lr_init=1e-6)
    Warmup(5, start=Rate(1e-06)) >> Step(30)
    """
    where = "StepLRScheduler"
    factor = read(where, Positive, decay_rate=decay_rate)
    whole = warmed(where, Step(decay_t, factor), warmup_t, warmup_lr_init, warmup_prefix)
    return noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def MultiStepLRScheduler(
    decay_t: Sequence[int],
    decay_rate: float = 1.0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """Multiplied by ``decay_rate`` one before each milestone, as timm counts.

    >>> MultiStepLRScheduler([30, 60], 0.1)
    MultiStep([30, 60]).shift(-1)
    """
    where = "MultiStepLRScheduler"
    factor = read(where, Positive, decay_rate=decay_rate)
    none = isinstance(decay_t, Sequence) and not decay_t
    body = Constant(1.0) if none else MultiStep(decay_t, factor).shift(-1)
    whole = warmed(where, body, warmup_t, warmup_lr_init, warmup_prefix)
    return noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)
