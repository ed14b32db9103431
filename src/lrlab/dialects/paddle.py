"""paddle.optimizer.lr's schedulers, by Paddle's names, arguments and defaults.

Rates are absolute. The value at t is the rate after t calls of ``step()``; a boundary at b acts at
t = b, as in torch. ``last_epoch`` and ``verbose`` are left out. Paddle itself is not imported.

Intended differences:

- ``CosineAnnealingDecay`` and ``OneCycleLR`` hold their last rate past their end; Paddle's cosine
  climbs again, and its one-cycle raises.
- The first phase of ``OneCycleLR`` must take more than one step and end before the last step;
  otherwise Paddle starts in the middle or divides by 0.
- ``PiecewiseDecay`` needs one value more than boundaries; Paddle ignores surplus values.
- ``ReduceOnPlateau`` updates the best metric during a cooldown too, as torch's does; Paddle ignores
  those metrics.
- ``gamma`` must be above 0; it may be 1 or more where Paddle refuses that, and factors may be any
  number of 0 or more. A ``LinearWarmup`` may fall, and milestones may be equal.

Every function raises ``ScheduleError`` if an argument breaks a rule of the schedule.
"""

from collections.abc import Callable, Sequence
from math import exp
from typing import Any

from lrlab.dialects.arguments import (
    Fraction,
    check_absolute,
    check_argument,
    check_choice,
    check_function,
)
from lrlab.dialects.building_blocks import (
    ANNEAL_RAMPS,
    TRIANGLES_BY_MODE,
    build_function_scaled_triangles,
)
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Exponential,
    InverseSqrt,
    InverseTime,
    Linear,
    MultiStep,
    PiecewiseConstant,
    Plateau,
    Polynomial,
    PolynomialCycle,
    Schedule,
    Step,
    Warmup,
)
from lrlab.schedules.fields import AtLeastOne, Duration, NonNegative, Period, Positive

__all__ = [
    "CosineAnnealingDecay",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LambdaDecay",
    "LinearLR",
    "LinearWarmup",
    "MultiStepDecay",
    "MultiplicativeDecay",
    "NaturalExpDecay",
    "NoamDecay",
    "OneCycleLR",
    "PiecewiseDecay",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "StepDecay",
]


def NoamDecay(d_model: float, warmup_steps: float, learning_rate: float = 1.0) -> Schedule:
    """Compute ``learning_rate * d_model**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)``.

    >>> NoamDecay(64, 4)
    Constant(Absolute(0.0625)) * (Warmup(4, start=0.0) >> InverseSqrt(4))
    """
    width = check_argument("NoamDecay", Positive, d_model=d_model)
    warmup = check_argument("NoamDecay", Positive, warmup_steps=warmup_steps)
    rate = check_argument("NoamDecay", NonNegative, learning_rate=learning_rate)
    peak = check_absolute("NoamDecay", learning_rate=rate * width**-0.5 * warmup**-0.5)
    return Constant(peak) * (Warmup(warmup, start=0.0) >> InverseSqrt(warmup))


def PiecewiseDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """Take one rate before each boundary, and the last one from the last boundary on.

    >>> PiecewiseDecay([100, 200], [1.0, 0.5, 0.1])
    PiecewiseConstant([100, 200], [Absolute(1.0), Absolute(0.5), Absolute(0.1)])
    """
    if not isinstance(values, Sequence):
        raise ScheduleError(f"PiecewiseDecay: values must be a list of rates, got {values!r}.")
    return PiecewiseConstant(
        boundaries, [check_absolute("PiecewiseDecay", values=rate) for rate in values]
    )


def NaturalExpDecay(learning_rate: float, gamma: float) -> Schedule:
    """Compute ``learning_rate * exp(-gamma * t)``.

    >>> NaturalExpDecay(0.5, 0.1)
    Constant(Absolute(0.5)) * Exponential(0.9048374180359595)
    """
    factor = exp(-check_argument("NaturalExpDecay", Positive, gamma=gamma))
    if not 0 < factor < 1:
        raise ScheduleError(
            f"NaturalExpDecay: gamma must give an exp(-gamma) between 0 and 1, got {gamma!r}."
        )
    return Constant(check_absolute("NaturalExpDecay", learning_rate=learning_rate)) * Exponential(
        factor
    )


def InverseTimeDecay(learning_rate: float, gamma: float) -> Schedule:
    """Compute ``learning_rate / (1 + gamma * t)``.

    >>> InverseTimeDecay(0.5, 0.1)
    Constant(Absolute(0.5)) * InverseTime(0.1)
    """
    return Constant(check_absolute("InverseTimeDecay", learning_rate=learning_rate)) * InverseTime(
        gamma
    )


def PolynomialDecay(
    learning_rate: float,
    decay_steps: float,
    end_lr: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Schedule:
    """Compute ``end_lr + (learning_rate - end_lr) * (1 - t / decay_steps)**power``.

    With ``cycle``, ``decay_steps`` grows to its first multiple that is t or more.

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
    """Warm up on a line, then keep a rate or run a schedule on its own clock.

    >>> LinearWarmup(CosineAnnealingDecay(0.1, 90), 10, 0.0, 0.1)
    Linear(0.0, Absolute(0.1), over=10) >> Cosine(90, start=Absolute(0.1))
    """
    func_name = "LinearWarmup"
    steps = check_argument(func_name, Duration, warmup_steps=warmup_steps)
    start, end = (
        check_absolute(func_name, start_lr=start_lr),
        check_absolute(func_name, end_lr=end_lr),
    )
    warmup = Linear(start, end, over=steps)
    rest = learning_rate
    if not isinstance(rest, Schedule):
        rest = Constant(check_absolute(func_name, learning_rate=rest))
    return warmup >> rest if warmup.over else rest


def ExponentialDecay(learning_rate: float, gamma: float) -> Schedule:
    """Multiply the rate by ``gamma`` every step.

    >>> ExponentialDecay(0.5, 0.9)
    Constant(Absolute(0.5)) * Exponential(0.9)
    """
    return Constant(check_absolute("ExponentialDecay", learning_rate=learning_rate)) * Exponential(
        gamma
    )


def MultiStepDecay(learning_rate: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` at each milestone.

    >>> MultiStepDecay(0.5, [30, 60])
    Constant(Absolute(0.5)) * MultiStep([30, 60])
    """
    return Constant(check_absolute("MultiStepDecay", learning_rate=learning_rate)) * MultiStep(
        milestones, gamma
    )


def StepDecay(learning_rate: float, step_size: float, gamma: float = 0.1) -> Schedule:
    """Multiply the rate by ``gamma`` every ``step_size`` steps.

    >>> StepDecay(0.5, 30)
    Constant(Absolute(0.5)) * Step(30)
    """
    return Constant(check_absolute("StepDecay", learning_rate=learning_rate)) * Step(
        step_size, gamma
    )


def LambdaDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """Compute ``learning_rate * lr_lambda(t)``, where t is an int.

    >>> LambdaDecay(0.5, lambda epoch: 0.95**epoch)(1, base=1.0)
    0.475
    """
    return Constant(check_absolute("LambdaDecay", learning_rate=learning_rate)) * check_function(
        "LambdaDecay", lr_lambda=lr_lambda
    )


def ReduceOnPlateau(
    learning_rate: float,
    mode: str = "min",
    factor: float = 0.1,
    patience: int = 10,
    threshold: float = 1e-4,
    threshold_mode: str = "rel",
    cooldown: int = 0,
    min_lr: float = 0,
    epsilon: float = 1e-8,
) -> Schedule:
    """Multiply the rate by ``factor`` after more than ``patience`` bad metrics in a row.

    ``min_lr`` and ``epsilon`` are absolute; the schedule has them as fractions of
    ``learning_rate``.

    >>> ReduceOnPlateau(0.5, patience=5, min_lr=0.005, epsilon=0)
    Constant(Absolute(0.5)) * Plateau(patience=5, low=0.01)
    """
    func_name = "ReduceOnPlateau"
    rate = check_argument(func_name, NonNegative, learning_rate=learning_rate)
    plateau = Plateau(
        factor,
        patience=patience,
        mode=_to_lowercase(mode),
        threshold=threshold,
        threshold_mode=_to_lowercase(threshold_mode),
        cooldown=cooldown,
        low=check_argument(func_name, NonNegative, min_lr=min_lr) / (rate or 1.0),
        eps=check_argument(func_name, NonNegative, epsilon=epsilon) / (rate or 1.0),
    )
    return Constant(check_absolute(func_name, learning_rate=rate)) * plateau


def _to_lowercase(text: Any) -> Any:
    """Lower a text's case, which Paddle ignores; leave anything else."""
    return text.lower() if isinstance(text, str) else text


def CosineAnnealingDecay(learning_rate: float, T_max: float, eta_min: float = 0) -> Schedule:
    """Follow half a cosine to ``eta_min`` in ``T_max`` steps and stay there; Paddle climbs again.

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


def MultiplicativeDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """Compute ``learning_rate * lr_lambda(1) * ... * lr_lambda(t)``.

    >>> MultiplicativeDecay(0.5, lambda epoch: 0.5)(2, base=1.0)
    0.125
    """
    factors = check_function("MultiplicativeDecay", lr_lambda=lr_lambda)
    return (
        Constant(check_absolute("MultiplicativeDecay", learning_rate=learning_rate))
        * factors.cumprod()
    )


def OneCycleLR(
    max_learning_rate: float,
    total_steps: int,
    divide_factor: float = 25.0,
    end_learning_rate: float = 0.0001,
    phase_pct: float = 0.3,
    anneal_strategy: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """Anneal up to the peak and down to ``end_learning_rate``, reached at ``total_steps - 1``.

    With ``three_phase``, it returns to the first rate in between. The first phase ends one step
    before the fraction ``phase_pct`` of ``total_steps``.

    >>> OneCycleLR(0.5, 20, divide_factor=5.0, end_learning_rate=0.0)
    Cosine(5, start=Absolute(0.1), end=Absolute(0.5)) >> Cosine(14, start=Absolute(0.5))
    """
    func_name = "OneCycleLR"
    peak = check_argument(func_name, NonNegative, max_learning_rate=max_learning_rate)
    steps = check_argument(func_name, Positive, total_steps=total_steps)
    low = peak / check_argument(func_name, Positive, divide_factor=divide_factor)
    rise = check_argument(func_name, Fraction, phase_pct=phase_pct) * steps - 1
    max_rise = steps / 2 if three_phase else steps
    if not 0 < rise < max_rise - 1:
        raise ScheduleError(
            f"{func_name}: phase_pct must give the first phase more than 1 and fewer than "
            f"{max_rise:g} steps, got {phase_pct!r} of {total_steps!r}."
        )
    ramp = ANNEAL_RAMPS[check_choice(func_name, *ANNEAL_RAMPS, anneal_strategy=anneal_strategy)]
    first, high = (
        check_absolute(func_name, divide_factor=low),
        check_absolute(func_name, max_learning_rate=peak),
    )
    end = check_absolute(func_name, end_learning_rate=end_learning_rate)
    up = ramp(first, high, rise)
    if three_phase:
        return up >> ramp(high, first, rise) >> ramp(first, end, steps - 1 - 2 * rise)
    return up >> ramp(high, end, steps - 1 - rise)


def CyclicLR(
    base_learning_rate: float,
    max_learning_rate: float,
    step_size_up: int,
    step_size_down: int | None = None,
    mode: str = "triangular",
    exp_gamma: float = 1.0,
    scale_fn: Callable[[float], float] | None = None,
    scale_mode: str = "cycle",
) -> Schedule:
    """Cycle between two rates on straight lines; ``mode`` or ``scale_fn`` scales their height.

    ``scale_fn`` takes the cycle's number, from 1, or the step with ``scale_mode="iterations"``.

    >>> CyclicLR(0.0, 0.5, 4, mode="triangular2")
    (Linear(0.0, Absolute(0.5), over=4) >> Linear(Absolute(0.5), 0.0, over=4)).repeat(decay=0.5)
    """
    func_name = "CyclicLR"
    low = check_argument(func_name, NonNegative, base_learning_rate=base_learning_rate)
    high = check_argument(func_name, NonNegative, max_learning_rate=max_learning_rate)
    if high < low:
        raise ScheduleError(
            f"{func_name}: max_learning_rate must be at least base_learning_rate, got "
            f"{max_learning_rate!r} and {base_learning_rate!r}."
        )
    up = check_argument(func_name, Positive, step_size_up=step_size_up)
    down = (
        up
        if step_size_down is None
        else check_argument(func_name, Positive, step_size_down=step_size_down)
    )
    check_choice(func_name, "cycle", "iterations", scale_mode=scale_mode)
    build_triangles = TRIANGLES_BY_MODE[check_choice(func_name, *TRIANGLES_BY_MODE, mode=mode)](
        up, down, exp_gamma
    )
    if scale_fn is not None:
        build_triangles = build_function_scaled_triangles(func_name, up, down, scale_fn, scale_mode)
    return build_triangles(low, high)


def LinearLR(
    learning_rate: float, total_steps: float, start_factor: float = 1.0 / 3, end_factor: float = 1.0
) -> Schedule:
    """Change the factor of ``learning_rate`` linearly over ``total_steps``.

    >>> LinearLR(0.5, 10, start_factor=0.5)
    Constant(Absolute(0.5)) * Linear(0.5, 1.0, over=10)
    """
    func_name = "LinearLR"
    steps = check_argument(func_name, Period, total_steps=total_steps)
    return Constant(check_absolute(func_name, learning_rate=learning_rate)) * Linear(
        start_factor, end_factor, over=steps
    )


def CosineAnnealingWarmRestarts(
    learning_rate: float, T_0: float, T_mult: float = 1, eta_min: float = 0
) -> Schedule:
    """Repeat half a cosine to ``eta_min``, each ``T_mult`` times as long as the last.

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
