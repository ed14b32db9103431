"""timm's staircases."""

from collections.abc import Sequence

from lrlab.dialects.arguments import check_argument
from lrlab.dialects.timm.parts import _NoiseRange, _add_noise, _add_warmup
from lrlab.schedules import Constant, MultiStep, Schedule, Step
from lrlab.schedules.parameters import Positive


def StepLRScheduler(
    decay_t: float,
    decay_rate: float = 1.0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: _NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """Multiplied by ``decay_rate`` every ``decay_t``.

    >>> StepLRScheduler(30, 0.1, warmup_t=5, warmup_lr_init=1e-6)
    Warmup(5, start=Absolute(1e-06)) >> Step(30)
    """
    func_name = "StepLRScheduler"
    factor = check_argument(func_name, Positive, decay_rate=decay_rate)
    whole = _add_warmup(func_name, Step(decay_t, factor), warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def MultiStepLRScheduler(
    decay_t: Sequence[int],
    decay_rate: float = 1.0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = True,
    *,
    noise_range_t: _NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """Multiplied by ``decay_rate`` one before each milestone, as timm counts.

    >>> MultiStepLRScheduler([30, 60], 0.1)
    MultiStep([30, 60]).shift(-1)
    """
    func_name = "MultiStepLRScheduler"
    factor = check_argument(func_name, Positive, decay_rate=decay_rate)
    has_no_milestones = isinstance(decay_t, Sequence) and not decay_t
    body = Constant(1.0) if has_no_milestones else MultiStep(decay_t, factor).shift(-1)
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)
