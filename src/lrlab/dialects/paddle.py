"""paddle.optimizer.lr's schedulers, by Paddle's names, arguments and defaults.

Paddle's schedulers hold the rate themselves, so levels are absolute (``Rate``). The value at t is
the rate after t calls of ``step()``; a boundary at b acts at t = b, as in torch. ``last_epoch`` and
``verbose`` are the scheduler's business and no arguments here. Paddle itself is not imported.

Where they differ on purpose:

- ``CosineAnnealingDecay`` and ``OneCycleLR`` hold their last rate past their end; Paddle's climbs
  again, and raises.
- ``OneCycleLR`` needs a rise of more than one step, and its end before the last: with less Paddle
  starts in the middle or divides by 0.
- ``PiecewiseDecay`` needs one value more than boundaries; Paddle leaves out what lies between.
- ``ReduceOnPlateau`` keeps the best metric also while it cools down, as torch's; Paddle does not
  look at the metrics of that time at all.
- A ``gamma`` must be above 0; it may be 1 or more where Paddle refuses that, and factors may be
  any of 0 or more.

Every function raises ``ScheduleError`` where an argument is out of its domain.
"""

from collections.abc import Callable, Sequence
from math import exp

from lrlab.dialects.arguments import Fraction, absolute, one_of, read
from lrlab.errors import ScheduleError
from lrlab.schedules import (
    Constant,
    Cosine,
    Custom,
    Exponential,
    InverseTime,
    Linear,
    MultiStep,
    Piecewise,
    Plateau,
    Polynomial,
    PolynomialCycle,
    Rate,
    Schedule,
    Step,
    noam,
)
from lrlab.schedules.parameters import Growth, NotNegative, Period, Positive

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
    """``learning_rate * d_model**-0.5 * min(t**-0.5, t * warmup_steps**-1.5)``.

    >>> NoamDecay(64, 4)
    Constant(Rate(0.0625)) * (Warmup(4, start=0.0) >> InverseSqrt(4))
    """
    width = read("NoamDecay", Positive, d_model=d_model)
    warmup = read("NoamDecay", Positive, warmup_steps=warmup_steps)
    rate = read("NoamDecay", NotNegative, learning_rate=learning_rate)
    return Constant(absolute(rate * width**-0.5 * warmup**-0.5)) * noam(warmup)


def PiecewiseDecay(boundaries: Sequence[int], values: Sequence[float]) -> Schedule:
    """One rate before each boundary, the last from the last boundary on.

    >>> PiecewiseDecay([100, 200], [1.0, 0.5, 0.1])
    Piecewise([100, 200], [Rate(1.0), Rate(0.5), Rate(0.1)])
    """
    if not isinstance(values, Sequence):
        raise ScheduleError(f"PiecewiseDecay: values must be a list of rates, got {values!r}.")
    return Piecewise(boundaries, [absolute(rate) for rate in values])


def NaturalExpDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate * exp(-gamma * t)``.

    >>> NaturalExpDecay(0.5, 0.1)
    Constant(Rate(0.5)) * Exponential(0.9048374180359595)
    """
    factor = exp(-read("NaturalExpDecay", Positive, gamma=gamma))
    return Constant(absolute(learning_rate)) * Exponential(factor)


def InverseTimeDecay(learning_rate: float, gamma: float) -> Schedule:
    """``learning_rate / (1 + gamma * t)``.

    >>> InverseTimeDecay(0.5, 0.1)
    Constant(Rate(0.5)) * InverseTime(0.1)
    """
    return Constant(absolute(learning_rate)) * InverseTime(gamma)


def PolynomialDecay(
    learning_rate: float,
    decay_steps: float,
    end_lr: float = 0.0001,
    power: float = 1.0,
    cycle: bool = False,
) -> Schedule:
    """``end + (rate - end) * (1 - p)**power``; with ``cycle``, again and again, ever longer.

    >>> PolynomialDecay(0.1, 100, power=0.5)
    Polynomial(0.5, over=100, start=Rate(0.1), end=Rate(0.0001))
    """
    steps = read("PolynomialDecay", Period, decay_steps=decay_steps)
    start, end = absolute(learning_rate), absolute(end_lr)
    if cycle:
        return PolynomialCycle(power, period=steps, start=start, end=end)
    return Polynomial(power, over=steps, start=start, end=end)


def LinearWarmup(
    learning_rate: float | Schedule, warmup_steps: float, start_lr: float, end_lr: float
) -> Schedule:
    """A straight line over ``warmup_steps``, then a rate, or a schedule on its own clock.

    >>> LinearWarmup(ExponentialDecay(0.1, 0.9), 10, 0.0, 0.1)
    Linear(0.0, Rate(0.1), over=10) >> Constant(Rate(0.1)) * Exponential(0.9)
    """
    steps = read("LinearWarmup", Period, warmup_steps=warmup_steps)
    warmup = Linear(absolute(start_lr), absolute(end_lr), over=steps)
    if isinstance(learning_rate, Schedule):
        return warmup >> learning_rate
    return warmup >> Constant(absolute(learning_rate))


def ExponentialDecay(learning_rate: float, gamma: float) -> Schedule:
    """Multiplied by ``gamma`` every step.

    >>> ExponentialDecay(0.5, 0.9)
    Constant(Rate(0.5)) * Exponential(0.9)
    """
    return Constant(absolute(learning_rate)) * Exponential(gamma)


def MultiStepDecay(learning_rate: float, milestones: Sequence[int], gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` from each milestone on.

    >>> MultiStepDecay(0.5, [30, 60])
    Constant(Rate(0.5)) * MultiStep([30, 60])
    """
    return Constant(absolute(learning_rate)) * MultiStep(milestones, gamma)


def StepDecay(learning_rate: float, step_size: float, gamma: float = 0.1) -> Schedule:
    """Multiplied by ``gamma`` every ``step_size`` steps.

    >>> StepDecay(0.5, 30)
    Constant(Rate(0.5)) * Step(30)
    """
    return Constant(absolute(learning_rate)) * Step(step_size, gamma)


def LambdaDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """``learning_rate * lr_lambda(t)``, t an int.

    >>> LambdaDecay(0.5, lambda epoch: 0.95**epoch)(1, base=1.0)
    0.475
    """
    return Constant(absolute(learning_rate)) * _custom("LambdaDecay", lr_lambda)


def MultiplicativeDecay(learning_rate: float, lr_lambda: Callable[[int], float]) -> Schedule:
    """``learning_rate * lr_lambda(1) * ... * lr_lambda(t)``.

    >>> MultiplicativeDecay(0.5, lambda epoch: 0.5)(2, base=1.0)
    0.125
    """
    factors = _custom("MultiplicativeDecay", lr_lambda)
    return Constant(absolute(learning_rate)) * factors.running_product()


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
    """Multiplied by ``factor`` after more than ``patience`` bad metrics in a row.

    ``min_lr`` and ``epsilon`` are absolute, and shares of ``learning_rate`` in what is returned.

    >>> ReduceOnPlateau(0.5, patience=5, min_lr=0.005, epsilon=0)
    Constant(Rate(0.5)) * Plateau(patience=5, low=0.01)
    """
    where = "ReduceOnPlateau"
    rate = read(where, NotNegative, learning_rate=learning_rate)
    plateau = Plateau(
        factor,
        patience=patience,
        mode=mode.lower() if isinstance(mode, str) else mode,
        threshold=threshold,
        threshold_mode=threshold_mode.lower()
        if isinstance(threshold_mode, str)
        else threshold_mode,
        cooldown=cooldown,
        low=read(where, NotNegative, min_lr=min_lr) / (rate or 1.0),
        eps=read(where, NotNegative, epsilon=epsilon) / (rate or 1.0),
    )
    return Constant(absolute(rate)) * plateau


def CosineAnnealingDecay(learning_rate: float, T_max: float, eta_min: float = 0) -> Schedule:
    """Half a cosine to ``eta_min`` over ``T_max`` steps, where this stays and Paddle climbs again.

    >>> CosineAnnealingDecay(0.5, 10)
    Cosine(10, start=Rate(0.5))
    """
    steps = read("CosineAnnealingDecay", Period, T_max=T_max)
    return Cosine(steps, start=absolute(learning_rate), end=absolute(eta_min))


def OneCycleLR(
    max_learning_rate: float,
    total_steps: int,
    divide_factor: float = 25.0,
    end_learning_rate: float = 0.0001,
    phase_pct: float = 0.3,
    anneal_strategy: str = "cos",
    three_phase: bool = False,
) -> Schedule:
    """Up to the peak and down to ``end_learning_rate``, reached at ``total_steps - 1``.

    With ``three_phase``, back to the first rate in between. The first phase ends one step before
    ``phase_pct`` of all.

    >>> OneCycleLR(0.5, 20, divide_factor=5.0)
    Cosine(5, start=Rate(0.1), end=Rate(0.5)) >> Cosine(14, start=Rate(0.5), end=Rate(0.0001))
    """
    where = "OneCycleLR"
    peak = read(where, NotNegative, max_learning_rate=max_learning_rate)
    steps = read(where, Positive, total_steps=total_steps)
    first = absolute(peak / read(where, Positive, divide_factor=divide_factor))
    rise = read(where, Fraction, phase_pct=phase_pct) * steps - 1
    most = steps / 2 if three_phase else steps
    if not 0 < rise < most - 1:
        raise ScheduleError(
            f"{where}: phase_pct must give the first phase more than 1 and fewer than {most:g} "
            f"steps, got {phase_pct!r} of {total_steps!r}."
        )
    shape = _ramp_of(one_of(where, "cos", "linear", anneal_strategy=anneal_strategy))
    up = shape(rise, first, absolute(peak))
    end = absolute(end_learning_rate)
    if three_phase:
        down = shape(rise, absolute(peak), first)
        return up >> down >> shape(steps - 1 - 2 * rise, first, end)
    return up >> shape(steps - 1 - rise, absolute(peak), end)


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
    """A line up and a line down, again and again; ``mode`` or ``scale_fn`` scales their height.

    ``scale_fn`` is given the number of the cycle, from 1, or with ``scale_mode="iterations"`` t.

    >>> CyclicLR(0.125, 0.5, 4)
    (Linear(Rate(0.125), Rate(0.5), over=4) >> Linear(Rate(0.5), Rate(0.125), over=4)).repeat()
    >>> CyclicLR(0.0, 0.5, 4, mode="triangular2")
    (Linear(0.0, Rate(0.5), over=4) >> Linear(Rate(0.5), 0.0, over=4)).repeat(decay=0.5)
    """
    where = "CyclicLR"
    low = read(where, NotNegative, base_learning_rate=base_learning_rate)
    height = read(where, NotNegative, max_learning_rate=max_learning_rate) - low
    if height < 0:
        raise ScheduleError(
            f"{where}: max_learning_rate must be at least base_learning_rate, got "
            f"{max_learning_rate!r} and {base_learning_rate!r}."
        )
    up = read(where, Positive, step_size_up=step_size_up)
    down = up if step_size_down is None else read(where, Positive, step_size_down=step_size_down)
    one_of(where, "cycle", "iterations", scale_mode=scale_mode)
    kind = one_of(where, "triangular", "triangular2", "exp_range", mode=mode)

    def triangle(foot: float, peak: float) -> Schedule:
        rising = Linear(absolute(foot), absolute(peak), over=up)
        return rising >> Linear(absolute(peak), absolute(foot), over=down)

    if scale_fn is None and kind == "triangular":
        return triangle(low, low + height).repeat()
    above = triangle(0.0, height)
    if scale_fn is not None:
        scaled = above.repeat() * _scale(scale_fn, up + down if scale_mode == "cycle" else None)
    elif kind == "triangular2":
        scaled = above.repeat(decay=0.5)
    else:
        scaled = above.repeat() * Exponential(exp_gamma)
    return Constant(Rate(low)) + scaled if low else scaled


def LinearLR(
    learning_rate: float, total_steps: float, start_factor: float = 1.0 / 3, end_factor: float = 1.0
) -> Schedule:
    """A straight line between two factors of ``learning_rate`` over ``total_steps``.

    >>> LinearLR(0.5, 10, start_factor=0.5)
    Constant(Rate(0.5)) * Linear(0.5, 1.0, over=10)
    """
    steps = read("LinearLR", Period, total_steps=total_steps)
    return Constant(absolute(learning_rate)) * Linear(start_factor, end_factor, over=steps)


def CosineAnnealingWarmRestarts(
    learning_rate: float, T_0: float, T_mult: float = 1, eta_min: float = 0
) -> Schedule:
    """Half a cosine to ``eta_min``, again and again, each ``T_mult`` times as long.

    >>> CosineAnnealingWarmRestarts(0.5, 10, T_mult=2)
    Cosine(10, start=Rate(0.5)).repeat(growth=2.0)
    """
    growth = read("CosineAnnealingWarmRestarts", Growth, T_mult=T_mult)
    steps = read("CosineAnnealingWarmRestarts", Period, T_0=T_0)
    falling = Cosine(steps, start=absolute(learning_rate), end=absolute(eta_min))
    return falling.repeat(growth=growth)


def _custom(where: str, lr_lambda: Callable[[int], float]) -> Schedule:
    if not callable(lr_lambda):
        raise ScheduleError(
            f"{where}: lr_lambda must be a function, got {lr_lambda!r}; in a text write a formula "
            'instead: Formula("1 / (1 + 0.01*t)").'
        )
    return Custom(lr_lambda)


def _ramp_of(strategy: str) -> Callable[[float, float | Rate, float | Rate], Schedule]:
    if strategy == "linear":
        return lambda over, start, end: Linear(start, end, over=over)
    return lambda over, start, end: Cosine(over, start=start, end=end)


def _scale(function: Callable[[float], float], cycle: float | None) -> Schedule:
    """``function`` of t or, where a cycle's length is given, of the number of the cycle."""
    if cycle is None or not callable(function):
        return Custom(function)

    def scale(t: float) -> float:
        return function(1 + t // cycle)

    return Custom(scale)
