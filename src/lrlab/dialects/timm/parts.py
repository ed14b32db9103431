"""What timm's schedulers have in common: a warm-up before, noise on top."""

from collections.abc import Sequence
from typing import Any

from lrlab.dialects.arguments import absolute, read
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Noise, Schedule, Warmup
from lrlab.schedules.numbers import real
from lrlab.schedules.parameters import Duration, NotNegative

NoiseRange = Sequence[int] | int | None
"""Where noise begins, or where it begins and ends."""


def warmed(where: str, body: Schedule, warmup_t: Any, start: Any, prefix: Any) -> Schedule:
    """``body`` after a warm-up, or gone on with from beneath it."""
    warmup = Warmup(
        read(where, Duration, warmup_t=warmup_t), start=absolute(where, warmup_lr_init=start)
    )
    if not warmup.over:
        return body
    if prefix:
        return warmup >> body
    return warmup >> body.shift(-read(where, NotNegative, warmup_t=warmup_t))


def noisy(
    where: str,
    body: Schedule,
    noise_range_t: Any,
    amount: Any,
    std: Any,
    seed: Any,
    earliest: float = 0,
) -> Schedule:
    """``body`` with noise from one step on, or between two."""
    if noise_range_t is None:
        return body
    ends = noise_range_t if isinstance(noise_range_t, list | tuple) else (noise_range_t,)
    if len(ends) != len([end for end in ends if real(end) is not None]) or len(ends) not in (1, 2):
        raise ScheduleError(
            f"{where}: noise_range_t must be a step or two, where the noise begins and ends, got "
            f"{noise_range_t!r}."
        )
    begin = max(earliest, ends[0])
    noise: Schedule = Noise(amount, seed=seed, std=std)
    if len(ends) == 2:
        if ends[1] <= begin:
            return body
        noise = noise.until(ends[1] - begin) >> Constant(1.0)
    return body * (Constant(1.0, over=begin) >> noise if begin else noise)
