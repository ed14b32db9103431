"""What timm's schedulers have in common: a warm-up before, noise on top."""

from collections.abc import Sequence
from typing import Any

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Noise, Schedule, Warmup
from lrlab.schedules.numbers import to_finite_float
from lrlab.schedules.parameters import Duration, NonNegative

_NoiseRange = Sequence[int] | int | None
"""Where noise begins, or where it begins and ends."""


def _add_warmup(func_name: str, schedule: Schedule, warmup_t: Any, warmup_lr_init: Any, warmup_prefix: Any) -> Schedule:
    """``schedule`` after a warm-up, or gone on with from beneath it."""
    warmup = Warmup(
        check_argument(func_name, Duration, warmup_t=warmup_t), start=check_absolute(func_name, warmup_lr_init=warmup_lr_init)
    )
    if not warmup.over:
        return schedule
    if warmup_prefix:
        return warmup >> schedule
    return warmup >> schedule.shift(-check_argument(func_name, NonNegative, warmup_t=warmup_t))


def _add_noise(
    func_name: str,
    schedule: Schedule,
    noise_range_t: Any,
    noise_pct: Any,
    noise_std: Any,
    noise_seed: Any,
    min_begin: float = 0,
) -> Schedule:
    """``schedule`` with noise from one step on, or between two."""
    if noise_range_t is None:
        return schedule
    ends = noise_range_t if isinstance(noise_range_t, list | tuple) else (noise_range_t,)
    if len(ends) != len([end for end in ends if to_finite_float(end) is not None]) or len(ends) not in (1, 2):
        raise ScheduleError(
            f"{func_name}: noise_range_t must be a step or two, where the noise begins and ends, got "
            f"{noise_range_t!r}."
        )
    begin = max(min_begin, ends[0])
    noise: Schedule = Noise(noise_pct, seed=noise_seed, std=noise_std)
    if len(ends) == 2:
        if ends[1] <= begin:
            return schedule
        noise = noise.until(ends[1] - begin) >> Constant(1.0)
    return schedule * (Constant(1.0, over=begin) >> noise if begin else noise)
