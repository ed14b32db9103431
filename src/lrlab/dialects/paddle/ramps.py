"""Paddle's schedulers from one rate to another."""

from lrlab.dialects.arguments import check_absolute, check_argument
from lrlab.schedules import (
    Constant,
    Cosine,
    Linear,
    Polynomial,
    PolynomialCycle,
    Schedule,
)
from lrlab.schedules.parameters import Duration, AtLeastOne, Period


def PolynomialDecay(
    learning_rate: float,
    decay_steps: float,
    end_lr: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Schedule:
    """``end + (rate - end) * (1 - p)**power``; with ``cycle``, again and again, ever longer.

    >>> PolynomialDecay(0.1, 100, power=0.5)
    Polynomial(0.5, over=100, start=Absolute(0.1), end=Absolute(0.0001))
    """
    func_name = "PolynomialDecay"
    steps = check_argument(func_name, Period, decay_steps=decay_steps)
    start = check_absolute(func_name, learning_rate=learning_rate)
    end = check_absolute(func_name, end_lr=end_lr)
    if cycle:
        return PolynomialCycle(power, period=steps, start=start, end=end)
    return Polynomial(power, over=steps, start=start, end=end)


def LinearWarmup(
    learning_rate: float | Schedule, warmup_steps: float, start_lr: float, end_lr: float
) -> Schedule:
    """A straight line over ``warmup_steps``, then a rate, or a schedule on its own clock.

    >>> LinearWarmup(CosineAnnealingDecay(0.1, 90), 10, 0.0, 0.1)
    Linear(0.0, Absolute(0.1), over=10) >> Cosine(90, start=Absolute(0.1))
    """
    func_name = "LinearWarmup"
    steps = check_argument(func_name, Duration, warmup_steps=warmup_steps)
    start, end = check_absolute(func_name, start_lr=start_lr), check_absolute(func_name, end_lr=end_lr)
    warmup = Linear(start, end, over=steps)
    rest = learning_rate
    if not isinstance(rest, Schedule):
        rest = Constant(check_absolute(func_name, learning_rate=rest))
    return warmup >> rest if warmup.over else rest


def LinearLR(
    learning_rate: float, total_steps: float, start_factor: float = 1.0 / 3, end_factor: float = 1.0
) -> Schedule:
    """A straight line between two factors of ``learning_rate`` over ``total_steps``.

    >>> LinearLR(0.5, 10, start_factor=0.5)
    Constant(Absolute(0.5)) * Linear(0.5, 1.0, over=10)
    """
    func_name = "LinearLR"
    steps = check_argument(func_name, Period, total_steps=total_steps)
    return Constant(check_absolute(func_name, learning_rate=learning_rate)) * Linear(
        start_factor, end_factor, over=steps
    )


def CosineAnnealingDecay(learning_rate: float, T_max: float, eta_min: float = 0) -> Schedule:
    """Half a cosine to ``eta_min`` over ``T_max`` steps, where this stays and Paddle climbs again.

    >>> CosineAnnealingDecay(0.5, 10)
    Cosine(10, start=Absolute(0.5))
    """
    func_name = "CosineAnnealingDecay"
    steps = check_argument(func_name, Period, T_max=T_max)
    return Cosine(
        steps,
        start=check_absolute(func_name, learning_rate=learning_rate),
        end=check_absolute(func_name, eta_min=eta_min),
    )


def CosineAnnealingWarmRestarts(
    learning_rate: float, T_0: float, T_mult: float = 1, eta_min: float = 0
) -> Schedule:
    """Half a cosine to ``eta_min``, again and again, each ``T_mult`` times as long.

    >>> CosineAnnealingWarmRestarts(0.5, 10, T_mult=2)
    Cosine(10, start=Absolute(0.5)).repeat(growth=2.0)
    """
    func_name = "CosineAnnealingWarmRestarts"
    growth = check_argument(func_name, AtLeastOne, T_mult=T_mult)
    steps = check_argument(func_name, Period, T_0=T_0)
    falling = Cosine(
        steps,
        start=check_absolute(func_name, learning_rate=learning_rate),
        end=check_absolute(func_name, eta_min=eta_min),
    )
    return falling.repeat(growth=growth)
