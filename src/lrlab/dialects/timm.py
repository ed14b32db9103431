"""timm.scheduler's classes, by timm's names, arguments and defaults; timm is not imported.

Levels are factors of the optimizer's rate; ``lr_min`` and ``warmup_lr_init`` are absolute rates.
The value at t is the rate that ``step(t)`` sets, where t counts epochs or updates from 0.
``t_in_epochs`` and ``initialize`` are left out; the parameters after them are keyword-only here.
In ``MultiStepLRScheduler`` a milestone at m acts at t = m - 1; ``StepLRScheduler`` first decays at
t = decay_t.

With ``warmup_prefix`` the schedule begins after the warm-up; without, its clock runs during the
warm-up, which hides its beginning.

Intended differences:

- At t = 0, before any ``step``, timm has the base rate or ``warmup_lr_init``; these have the rate
  that ``step(0)`` sets, which differs for a tanh, a milestone at 1, and noise from 0 on.
- The noise is another random stream; ``noise_pct`` must be at most 1, so that no rate is negative.
- A cycle starts exactly after its length; timm's logarithm misses some starts by rounding, and
  stays at the end of the last cycle for that one step.
- ``cycle_mul`` must be at least 1, because timm raises after shrinking cycles; ``cycle_decay``,
  ``decay_rate`` and exponents must be above 0.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from lrlab._checks import to_finite_float
from lrlab.dialects.arguments import check_absolute, check_argument, check_choice
from lrlab.dialects.torch import ReduceLROnPlateau
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Linear,
    MultiStep,
    Noise,
    Polynomial,
    Schedule,
    Step,
    Tanh,
    Warmup,
)
from lrlab.schedules.fields import (
    AtLeastOne,
    Duration,
    Level,
    NonNegative,
    NonNegativeInteger,
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


_NoiseRange = Sequence[int] | int | None
"""The step where the noise begins, or those where it begins and ends."""


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
    noise_range_t: _NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: float = 1.0,
) -> Schedule:
    """Repeat half a cosine to ``lr_min`` ``cycle_limit`` times.

    >>> CosineLRScheduler(100, lr_min=1e-5, warmup_t=5, warmup_prefix=True)
    Warmup(5, start=0.0) >> Cosine(100, end=Absolute(1e-05))
    >>> CosineLRScheduler(10, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=3)
    Cosine(10).repeat(3, growth=2.0, decay=0.5)
    """
    func_name = "CosineLRScheduler"
    steps = check_argument(func_name, Period, t_initial=t_initial)

    def build_cycle(start: float, end: Level) -> Schedule:
        return Cosine(steps, start=start, end=end, k=k_decay)

    body = _repeat_cycles(
        func_name,
        build_cycle,
        check_absolute(func_name, lr_min=lr_min),
        cycle_mul,
        cycle_decay,
        cycle_limit,
    )
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
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
    """Multiply the rate by ``decay_rate`` one step before each milestone, as timm counts.

    >>> MultiStepLRScheduler([30, 60], 0.1)
    MultiStep([30, 60]).shift(-1)
    """
    func_name = "MultiStepLRScheduler"
    factor = check_argument(func_name, Positive, decay_rate=decay_rate)
    has_no_milestones = isinstance(decay_t, Sequence) and not decay_t
    body = Constant(1.0) if has_no_milestones else MultiStep(decay_t, factor).shift(-1)
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    """Run torch's plateau after a warm-up, which ignores metrics.

    timm's ``step(t + 1, metric)`` takes the metric of step t.

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
    # Only the plateau has noise; in timm it begins one step after the warm-up's last.
    after = check_argument(func_name, NonNegative, warmup_t=warmup_t) + 1
    return _add_noise(func_name, whole, noise_range_t, noise_pct, std, seed, after)


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
    noise_range_t: _NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
    k_decay: float = 1.0,
) -> Schedule:
    """Repeat ``lr_min + (base - lr_min) * (1 - p**k_decay)**power`` ``cycle_limit`` times.

    >>> PolyLRScheduler(100, power=2, k_decay=1.5)
    Polynomial(2.0, over=100, k=1.5)
    """
    func_name = "PolyLRScheduler"
    steps = check_argument(func_name, Period, t_initial=t_initial)

    def build_cycle(start: float, end: Level) -> Schedule:
        return Polynomial(power, over=steps, start=start, end=end, k=k_decay)

    body = _repeat_cycles(
        func_name,
        build_cycle,
        check_absolute(func_name, lr_min=lr_min),
        cycle_mul,
        cycle_decay,
        cycle_limit,
    )
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    """Multiply the rate by ``decay_rate`` every ``decay_t``.

    >>> StepLRScheduler(30, 0.1, warmup_t=5, warmup_lr_init=1e-6)
    Warmup(5, start=Absolute(1e-06)) >> Step(30)
    """
    func_name = "StepLRScheduler"
    factor = check_argument(func_name, Positive, decay_rate=decay_rate)
    whole = _add_warmup(func_name, Step(decay_t, factor), warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    noise_range_t: _NoiseRange = None,
    noise_pct: float = 0.67,
    noise_std: float = 1.0,
    noise_seed: int = 42,
) -> Schedule:
    """Repeat a hyperbolic tangent from ``lb`` to ``ub`` ``cycle_limit`` times.

    After that the rate is ``lr_min``. Without ``warmup_prefix``, the warm-up goes to the tangent's
    rate at the end of the warm-up.

    >>> TanhLRScheduler(100)
    Tanh(100, lower=-7.0) >> Constant(0.0)
    """
    func_name = "TanhLRScheduler"
    steps = check_argument(func_name, Period, t_initial=t_initial)
    if not check_argument(func_name, Number, lb=lb) < check_argument(func_name, Number, ub=ub):
        raise ScheduleError(f"{func_name}: lb must be below ub, got {lb!r} and {ub!r}.")

    def build_cycle(start: float, end: Level) -> Schedule:
        return Tanh(steps, start=start, end=end, lower=lb, upper=ub)

    def build_cycles(low: Level) -> Schedule:
        body = _repeat_cycles(func_name, build_cycle, low, cycle_mul, cycle_decay, cycle_limit)
        # A tangent ends a little above lr_min.
        return body >> Constant(low) if cycle_limit else body

    low = check_absolute(func_name, lr_min=lr_min)
    whole = build_cycles(low)
    warmup = check_argument(func_name, NonNegative, warmup_t=warmup_t)
    if warmup and not warmup_prefix:
        factor = build_cycles(0.0)(warmup)
        line: Schedule = Linear(
            check_absolute(func_name, warmup_lr_init=warmup_lr_init), factor, over=warmup
        )
        if low:  # add the absolute part of the rate
            rest = build_cycles(low)(warmup, base=1.0) - factor
            line = line + Linear(0.0, check_absolute(func_name, lr_min=max(0.0, rest)), over=warmup)
        whole = line >> whole.shift(-warmup)
    else:
        whole = _add_warmup(func_name, whole, warmup, warmup_lr_init, True)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def _repeat_cycles(
    func_name: str,
    build_cycle: Callable[[float, Level], Schedule],
    low: Level,
    cycle_mul: Any,
    cycle_decay: Any,
    cycle_limit: Any,
) -> Schedule:
    """Repeat ``build_cycle(start, low)``; the decay multiplies the start alone."""
    growth = check_argument(func_name, AtLeastOne, cycle_mul=cycle_mul)
    decay = check_argument(func_name, Positive, cycle_decay=cycle_decay)
    times = check_argument(func_name, NonNegativeInteger, cycle_limit=cycle_limit)
    if times == 0:
        return Constant(low)
    if times == 1:
        return build_cycle(1.0, low)
    if low == 0 or decay == 1:
        return build_cycle(1.0, low).repeat(times, growth=growth, decay=decay)
    falling = build_cycle(1.0, 0.0).repeat(times, growth=growth, decay=decay)
    return falling + build_cycle(0.0, low).repeat(times, growth=growth)


def _add_warmup(
    func_name: str, schedule: Schedule, warmup_t: Any, warmup_lr_init: Any, warmup_prefix: Any
) -> Schedule:
    """Put a warm-up before ``schedule``, or over its beginning without ``warmup_prefix``."""
    warmup = Warmup(
        check_argument(func_name, Duration, warmup_t=warmup_t),
        start=check_absolute(func_name, warmup_lr_init=warmup_lr_init),
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
    """Add noise to ``schedule`` from one step on, or between two."""
    if noise_range_t is None:
        return schedule
    ends = noise_range_t if isinstance(noise_range_t, list | tuple) else (noise_range_t,)
    if len(ends) != len([end for end in ends if to_finite_float(end) is not None]) or len(
        ends
    ) not in (1, 2):
        raise ScheduleError(
            f"{func_name}: noise_range_t must be the step where the noise begins, or those where "
            f"it begins and ends, got {noise_range_t!r}."
        )
    begin = max(min_begin, ends[0])
    noise: Schedule = Noise(noise_pct, seed=noise_seed, std=noise_std)
    if len(ends) == 2:
        if ends[1] <= begin:
            return schedule
        noise = noise.until(ends[1] - begin) >> Constant(1.0)
    return schedule * (Constant(1.0, over=begin) >> noise if begin else noise)
