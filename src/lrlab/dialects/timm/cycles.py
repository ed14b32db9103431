"""timm's schedulers that fall along a curve, once or in cycles."""

from collections.abc import Callable
from typing import Any

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.dialects.parts import Level
from lrlab.dialects.timm.parts import _NoiseRange, _add_noise, _add_warmup
from lrlab.errors import ScheduleError
from lrlab.schedules import Constant, Cosine, Linear, Polynomial, Schedule, Tanh
from lrlab.schedules.parameters import NonNegativeInteger, AtLeastOne, NonNegative, Number, Period, Positive


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
    """Half a cosine to ``lr_min``, ``cycle_limit`` times.

    >>> CosineLRScheduler(100, lr_min=1e-5, warmup_t=5, warmup_prefix=True)
    Warmup(5, start=0.0) >> Cosine(100, end=Absolute(1e-05))
    >>> CosineLRScheduler(10, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=3)
    Cosine(10).repeat(3, growth=2.0, decay=0.5)
    """
    func_name = "CosineLRScheduler"
    steps = check_argument(func_name, Period, t_initial=t_initial)

    def build_cycle(start: float, end: Level) -> Schedule:
        return Cosine(steps, start=start, end=end, k=k_decay)

    body = _repeat_cycles(func_name, build_cycle, check_absolute(func_name, lr_min=lr_min), cycle_mul, cycle_decay, cycle_limit)
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
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
    """A hyperbolic tangent from ``lb`` to ``ub``, ``cycle_limit`` times, then ``lr_min``.

    Without ``warmup_prefix``, the warm-up goes to where the tangent is met.

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
        # A tangent ends a little above lr_min, where it must not stay.
        return body >> Constant(low) if cycle_limit else body

    low = check_absolute(func_name, lr_min=lr_min)
    whole = build_cycles(low)
    warmup = check_argument(func_name, NonNegative, warmup_t=warmup_t)
    if warmup and not warmup_prefix:
        factor = build_cycles(0.0)(warmup)
        line: Schedule = Linear(check_absolute(func_name, warmup_lr_init=warmup_lr_init), factor, over=warmup)
        if low:  # the part of the rate there that is no factor of the base rate
            rest = build_cycles(low)(warmup, base=1.0) - factor
            line = line + Linear(0.0, check_absolute(func_name, lr_min=max(0.0, rest)), over=warmup)
        whole = line >> whole.shift(-warmup)
    else:
        whole = _add_warmup(func_name, whole, warmup, warmup_lr_init, True)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


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
    """``lr_min + (rate - lr_min) * (1 - p**k_decay)**power``, ``cycle_limit`` times.

    >>> PolyLRScheduler(100, power=2, k_decay=1.5)
    Polynomial(2.0, over=100, k=1.5)
    """
    func_name = "PolyLRScheduler"
    steps = check_argument(func_name, Period, t_initial=t_initial)

    def build_cycle(start: float, end: Level) -> Schedule:
        return Polynomial(power, over=steps, start=start, end=end, k=k_decay)

    body = _repeat_cycles(func_name, build_cycle, check_absolute(func_name, lr_min=lr_min), cycle_mul, cycle_decay, cycle_limit)
    whole = _add_warmup(func_name, body, warmup_t, warmup_lr_init, warmup_prefix)
    return _add_noise(func_name, whole, noise_range_t, noise_pct, noise_std, noise_seed)


def _repeat_cycles(
    func_name: str,
    build_cycle: Callable[[float, Level], Schedule],
    low: Level,
    cycle_mul: Any,
    cycle_decay: Any,
    cycle_limit: Any,
) -> Schedule:
    """``build_cycle(start, low)`` again and again, where the decay multiplies the start alone."""
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
