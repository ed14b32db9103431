"""timm.scheduler's classes, by timm's names, arguments and defaults; timm is not imported.

timm's schedulers stand on an optimizer: levels are factors of its rate, and ``lr_min`` and
``warmup_lr_init`` absolute rates. The value at t is the rate that ``step(t)`` sets, t counting
epochs or updates from 0 (``t_in_epochs`` is the scheduler's business and left out, as is
``initialize``; what follows them in timm's order must be named). A milestone at m acts at t = m - 1
in ``MultiStepLRScheduler``, and a stair of ``StepLRScheduler`` at t = decay_t.

With ``warmup_prefix`` the schedule begins after the warm-up; without, it goes on beneath it and is
met in the middle.

Where they differ on purpose:

- At t = 0, before any ``step``, timm's constructor leaves the base rate or ``warmup_lr_init``;
  these give what ``step(0)`` sets, which differs for a tanh, a milestone at 1, and noise from 0 on.
- The random stream of the noise is another; ``noise_pct`` is at most 1, so no rate is below 0.
- A cycle begins where its length says; timm's logarithm misses some beginnings by its last bits,
  and stays at the end of the cycle before for that one step.
- ``cycle_mul`` must be 1 or more, and ``cycle_decay``, ``decay_rate`` and exponents above 0.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from collections.abc import Callable, Sequence
from typing import Any

from lrlab.dialects.arguments import absolute, one_of, read
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Linear,
    MultiStep,
    Noise,
    Plateau,
    Polynomial,
    Rate,
    Schedule,
    Step,
    Tanh,
    Warmup,
)
from lrlab.schedules.numbers import real
from lrlab.schedules.parameters import (
    Count,
    Duration,
    Growth,
    NotNegative,
    Number,
    Period,
    Positive,
)

__all__ = [
    "CosineLRScheduler",
    "MultiStepLRScheduler",
    "PlateauLRScheduler",
    "PolyLRScheduler",
    "StepLRScheduler",
    "TanhLRScheduler",
]

NoiseRange = Sequence[int] | int | None


def CosineLRScheduler(
    t_initial: float,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: float = 1.0,
) -> Schedule:
    """Half a cosine to ``lr_min``, ``cycle_limit`` times.

    >>> CosineLRScheduler(100, lr_min=1e-5, warmup_t=5, warmup_prefix=True)
    Warmup(5, start=0.0) >> Cosine(100, end=Rate(1e-05))
    >>> CosineLRScheduler(10, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=3)
    Cosine(10).repeat(3, growth=2.0, decay=0.5)
    """
    where = "CosineLRScheduler"
    steps = read(where, Period, t_initial=t_initial)

    def fall(start: float, end: float | Rate) -> Schedule:
        return Cosine(steps, start=start, end=end, k=k_decay)

    body = _cycles(where, fall, absolute(lr_min), cycle_mul, cycle_decay, cycle_limit)
    whole = _warmed(where, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def TanhLRScheduler(
    t_initial: float,
    lb: float = -7.0,
    ub: float = 3.0,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """A hyperbolic tangent from ``lb`` to ``ub``, ``cycle_limit`` times, then ``lr_min``.

    Without ``warmup_prefix``, the warm-up goes to where the tangent is met.

    >>> TanhLRScheduler(100)
    Tanh(100, lower=-7.0) >> Constant(0.0)
    """
    where = "TanhLRScheduler"
    steps = read(where, Period, t_initial=t_initial)
    if not read(where, Number, lb=lb) < read(where, Number, ub=ub):
        raise ScheduleError(f"{where}: lb must be below ub, got {lb!r} and {ub!r}.")

    def fall(start: float, end: float | Rate) -> Schedule:
        return Tanh(steps, start=start, end=end, lower=lb, upper=ub)

    def cycles(low: float | Rate) -> Schedule:
        body = _cycles(where, fall, low, cycle_mul, cycle_decay, cycle_limit)
        # A tangent ends a little above lr_min, where it must not stay.
        return body >> Constant(low) if cycle_limit else body

    low = absolute(lr_min)
    whole = cycles(low)
    warmup = read(where, NotNegative, warmup_t=warmup_t)
    if warmup and not warmup_prefix:
        factor = cycles(0.0)(warmup)
        line: Schedule = Linear(absolute(warmup_lr_init), factor, over=warmup)
        if low:  # the part of the rate there that is no factor of the base rate
            rest = cycles(low)(warmup, base=1.0) - factor
            line = line + Linear(0.0, absolute(max(0.0, rest)), over=warmup)
        whole = line >> whole.shift(-warmup)
    else:
        whole = _warmed(where, whole, warmup, warmup_lr_init, True)
    return _noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def PolyLRScheduler(
    t_initial: float,
    power: float = 0.5,
    lr_min: float = 0.0,
    cycle_mul: float = 1.0,
    cycle_decay: float = 1.0,
    cycle_limit: int = 1,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    warmup_prefix: bool = False,
    *,
    noise_range_t: NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: float = 1.0,
) -> Schedule:
    """``lr_min + (rate - lr_min) * (1 - p**k_decay)**power``, ``cycle_limit`` times.

    >>> PolyLRScheduler(100, power=2, k_decay=1.5)
    Polynomial(2.0, over=100, k=1.5)
    """
    where = "PolyLRScheduler"
    steps = read(where, Period, t_initial=t_initial)

    def fall(start: float, end: float | Rate) -> Schedule:
        return Polynomial(power, over=steps, start=start, end=end, k=k_decay)

    body = _cycles(where, fall, absolute(lr_min), cycle_mul, cycle_decay, cycle_limit)
    whole = _warmed(where, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    whole = _warmed(where, Step(decay_t, factor), warmup_t, warmup_lr_init, warmup_prefix)
    return _noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    body = MultiStep(decay_t, factor).shift(-1)
    whole = _warmed(where, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _noisy(where, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def PlateauLRScheduler(
    decay_rate: float = 0.1,
    patience_t: int = 10,
    threshold: float = 1e-4,
    cooldown_t: int = 0,
    warmup_t: float = 0,
    warmup_lr_init: float = 0.0,
    lr_min: float = 0.0,
    mode: str = "max",
    noise_range_t: NoiseRange = None,
    noise_type: str = "normal",
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int | None = None,
) -> Schedule:
    """The plateau of torch after a warm-up, during which metrics count for nothing.

    timm's ``step(t + 1, metric)`` is given what was measured at t.

    >>> PlateauLRScheduler(0.5, warmup_t=5)
    Warmup(5, start=0.0) >> Plateau(0.5, mode="max", eps=Rate(1e-08))
    """
    where = "PlateauLRScheduler"
    plateau = Plateau(
        decay_rate,
        patience=patience_t,
        mode=mode,
        threshold=threshold,
        cooldown=cooldown_t,
        low=absolute(lr_min),
        eps=Rate(1e-8),  # torch's
    )
    whole = _warmed(where, plateau, warmup_t, warmup_lr_init, prefix=True)
    noise_type = one_of(where, "normal", "uniform", noise_type=noise_type)
    std = noise_std if noise_type == "normal" else None
    seed = 42 if noise_seed is None else noise_seed
    # Noise is for the plateau only, which timm begins with the step after the warm-up's last.
    after = read(where, NotNegative, warmup_t=warmup_t) + 1
    return _noisy(where, whole, noise_range_t, noise_pct, std, seed, after)


def _cycles(
    where: str,
    fall: Callable[[float, float | Rate], Schedule],
    low: float | Rate,
    cycle_mul: Any,
    cycle_decay: Any,
    cycle_limit: Any,
) -> Schedule:
    """``fall(start, low)`` again and again, where the decay multiplies the start alone."""
    growth = read(where, Growth, cycle_mul=cycle_mul)
    decay = read(where, Positive, cycle_decay=cycle_decay)
    times = read(where, Count, cycle_limit=cycle_limit)
    if times == 0:
        return Constant(low)
    if times == 1:
        return fall(1.0, low)
    if low == 0 or decay == 1:
        return fall(1.0, low).repeat(times, growth=growth, decay=decay)
    falling = fall(1.0, 0.0).repeat(times, growth=growth, decay=decay)
    return falling + fall(0.0, low).repeat(times, growth=growth)


def _warmed(where: str, body: Schedule, warmup_t: Any, start: Any, prefix: Any) -> Schedule:
    """``body`` after a warm-up, or gone on with from beneath it."""
    warmup = Warmup(read(where, Duration, warmup_t=warmup_t), start=absolute(start))
    if not warmup.over:
        return body
    if prefix:
        return warmup >> body
    return warmup >> body.shift(-read(where, NotNegative, warmup_t=warmup_t))


def _noisy(
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
